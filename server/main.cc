// cmsd: the composition root, the only file that knows everything. Makes the parts, in the order in which
// they need each other, and takes them down in the opposite one.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "server/auth/authenticator.h"
#include "server/clock.h"
#include "server/config/config.h"
#include "server/http/http_server.h"
#include "server/imap/connection.h"
#include "server/imap/services.h"
#include "server/log.h"
#include "server/net/listener.h"
#include "server/version.h"
#include "storage/kv/rocksdb_engine.h"
#include "storage/store/mail_store.h"

namespace server {
namespace {

enum ExitCode { kStopped = 0, kFailed = 1, kBadConfiguration = 2 };

constexpr std::chrono::seconds kLastGrace{5};

std::size_t OrCores(std::uint32_t configured) {
  return configured != 0 ? configured : std::max(1U, std::thread::hardware_concurrency());
}

/// Every connection is a descriptor; the soft limit is often 1024.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

storage::Result<std::unique_ptr<storage::kv::RocksEngine>> OpenEngine(const config::Store& settings) {
  storage::kv::RocksEngineOptions options;
  options.path = settings.path;
  options.create_if_missing = true;  // the engine does so only where no store ever was
  options.block_cache_bytes = std::size_t{settings.block_cache_mib} << 20;
  options.write_buffer_bytes = std::size_t{settings.write_buffer_mib} << 20;
  std::error_code error;
  std::filesystem::create_directories(options.path, error);
  if (error)
    return storage::Fail(storage::Errc::kUnavailable, fmt::format("{}: {}", settings.path, error.message()));
  return storage::kv::RocksEngine::Open(options);
}

net::TlsMode ModeOf(config::ListenTls tls) {
  switch (tls) {
    case config::ListenTls::kNone: return net::TlsMode::kNone;
    case config::ListenTls::kStartTls: return net::TlsMode::kStartTls;
    case config::ListenTls::kImplicit: return net::TlsMode::kImplicit;
  }
  return net::TlsMode::kNone;
}

tl::expected<std::unique_ptr<net::TlsContext>, std::string> OpenTls(const config::Tls& tls) {
  if (tls.certificate.empty()) return nullptr;
  return net::TlsContext::Create({.certificate_file = tls.certificate,
                                  .key_file = tls.key,
                                  .minimum_version = tls.minimum_version,
                                  .ciphers = tls.ciphers,
                                  .cipher_suites = tls.cipher_suites,
                                  .session_tickets = tls.session_tickets});
}

/// The running parts. Members are destroyed from the last to the first: first nobody comes in any more, then
/// the pools finish, then the event loops go, and with them any frame that is still waiting; the store is
/// last.
class Daemon {
 public:
  Daemon(const config::Config& config, log::Log& log, std::unique_ptr<net::TlsContext> tls,
         std::unique_ptr<storage::kv::RocksEngine> engine, std::unique_ptr<storage::MailStore> store)
      : config_(config),
        log_(log),
        tls_(std::move(tls)),
        engine_(std::move(engine)),
        store_(std::move(store)),
        limits_(config.limits.connections, config.limits.connections_per_address),
        authenticator_(*store_, storage_, passwords_, clock_, auth::FailureDelay::kMax,
                       auth::ActFor(config.pf.act_for)),
        imap_options_(imap::OptionsFrom(config)),
        imap_{*store_, storage_, authenticator_, clock_, log.logger(), imap_options_, tls_.get()},
        reactors_(OrCores(config.threads.reactors), clock_),
        storage_({.threads = config.threads.storage}),
        passwords_({.threads = OrCores(config.threads.passwords)}),
        http_services_{*store_, storage_, passwords_, config.profile, imap_options_.append_limit, Gauges()},
        http_(reactors_[0].context(), http_services_, tasks_) {}

  /// Binds everything; an error is a sentence.
  tl::expected<void, std::string> Listen();
  /// Serves until SIGTERM or SIGINT, then lets running commands finish.
  void Run();

 private:
  std::vector<http::Gauge> Gauges();
  asio::awaitable<void> AwaitSignals(asio::signal_set& signals);
  void Reload();
  void Stop();

  const config::Config& config_;
  log::Log& log_;
  SystemClock clock_;
  std::unique_ptr<net::TlsContext> tls_;
  std::unique_ptr<storage::kv::RocksEngine> engine_;
  std::unique_ptr<storage::MailStore> store_;
  net::ConnectionLimits limits_;
  net::TaskGroup tasks_;
  auth::Authenticator authenticator_;
  imap::ImapOptions imap_options_;
  imap::Services imap_;
  net::ReactorPool reactors_;
  net::StorageExecutor storage_;
  net::StorageExecutor passwords_;
  http::Services http_services_;
  http::HttpServer http_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
};

std::vector<http::Gauge> Daemon::Gauges() {
  return {
      {"cmsd_connections", "IMAP connections open now",
       [this] { return static_cast<double>(limits_.open()); }},
      {"cmsd_storage_queue", "Calls that wait for a thread of the storage pool",
       [this] { return static_cast<double>(storage_.queued()); }},
      {"cmsd_password_queue", "Passwords that wait to be checked",
       [this] { return static_cast<double>(passwords_.queued()); }},
  };
}

tl::expected<void, std::string> Daemon::Listen() {
  const auto serve = [this](net::Stream stream, net::ConnectionInfo info) {
    return imap::ServeConnection(std::move(stream), std::move(info), imap_);
  };
  for (const auto& listen : config_.imap.listen) {
    net::ListenerOptions options{.address = listen.address,
                                 .port = listen.port,
                                 .tls = ModeOf(listen.tls),
                                 .refusal = "* BYE [UNAVAILABLE] Too many connections, try later\r\n",
                                 .handshake_limit = config_.limits.login_timeout};
    auto opened = net::Listener::Open(std::move(options), {reactors_, limits_, tasks_, tls_.get()}, serve);
    if (!opened) return tl::unexpected(std::move(opened).error());
    spdlog::info("event=listening protocol=imap address={} port={}", listen.address, (*opened)->port());
    listeners_.push_back(*std::move(opened));
  }
  if (const auto& path = config_.http.operator_socket; !path.empty()) {
    auto listening = http_.ListenOperator(path);
    if (!listening) return listening;
    spdlog::info("event=listening protocol=http socket={}", path);
  }
  if (config_.http.monitor_port != 0) {
    auto listening = http_.ListenMonitor(config_.http.monitor_address, config_.http.monitor_port);
    if (!listening) return listening;
    spdlog::info("event=listening protocol=http address={} port={}", config_.http.monitor_address,
                 http_.monitor_port());
  }
  return {};
}

void Daemon::Run() {
  asio::io_context context(1);
  asio::signal_set signals(context, SIGTERM, SIGINT, SIGHUP);
  asio::co_spawn(context, AwaitSignals(signals), asio::detached);
  for (auto& listener : listeners_) listener->Start();
  reactors_.Start();
  spdlog::info("event=started version={} reactors={} storage_threads={} store={}", kVersion, reactors_.size(),
               config_.threads.storage, log::Quoted(config_.store.path));
  context.run();
  Stop();
}

asio::awaitable<void> Daemon::AwaitSignals(asio::signal_set& signals) {
  for (;;) {
    const auto [error, signal] = co_await signals.async_wait(kAsTuple);
    if (error) co_return;
    spdlog::info("event=signal name=SIG{}", ::sigabbrev_np(signal));
    if (signal != SIGHUP) co_return;
    Reload();
  }
}

void Daemon::Reload() {
  log_.Reopen();
  if (!tls_) return;
  const auto reloaded = tls_->Reload();
  if (reloaded) {
    spdlog::info("event=certificate_reloaded");
  } else {
    spdlog::error("event=certificate_kept error={}", log::Quoted(reloaded.error()));
  }
}

void Daemon::Stop() {
  for (auto& listener : listeners_) listener->Close();
  http_.Close();
  reactors_.Shutdown();
  bool drained = tasks_.Drain(config_.limits.shutdown_grace);
  if (!drained) {
    spdlog::warn("event=shutdown_forced connections={}", tasks_.running());
    reactors_.CloseAll();
    drained = tasks_.Drain(kLastGrace);
  }
  reactors_.Stop();
  std::error_code ignored;
  if (!config_.http.operator_socket.empty()) std::filesystem::remove(config_.http.operator_socket, ignored);
  // The log of a store at rest is empty: whoever cuts it short takes nothing away, which a start could not
  // tell from a power loss; and the next start has nothing to replay.
  const auto flushed = engine_->Flush();
  if (!flushed) spdlog::warn("event=log_kept detail={}", log::Quoted(flushed.error().detail));
  spdlog::info("event=stopped drained={}", drained);
}

storage::Profile ProfileOf(const config::Profile& settings) {
  const auto days = [](std::uint32_t count) { return std::int64_t{count} * 24 * 60 * 60; };
  storage::Profile profile;
  profile.default_folder = settings.default_folder;
  profile.owner_may_write_default = settings.owner_may_write_default;
  profile.permanent_root = settings.permanent_root;
  profile.user_folders_only_below_root = settings.user_folders_only_below_root;
  profile.strict = settings.strict;
  profile.object_layout = settings.object_layout;
  profile.admin_contact = settings.admin_contact;
  profile.max_deferred = days(settings.max_deferred);
  profile.deleted_grace = settings.deleted_grace.count();
  profile.retention = {.inbox = days(settings.retention.inbox),
                       .user = days(settings.retention.user),
                       .conversation = days(settings.retention.conversation),
                       .session = days(settings.retention.session)};
  profile.keep_vanished = days(settings.keep_vanished);
  return profile;
}

/// To standard error too when the log is a file: whoever starts us by hand must see why it failed.
int Refuse(const config::Config& config, std::string_view what) {
  spdlog::critical("event=start_failed error={}", log::Quoted(what));
  if (!config.log.file.empty() || what.size() > 150) fmt::print(stderr, "cmsd: {}\n", what);
  return kFailed;
}

int Serve(const config::Config& config) {
  auto log = log::Log::Open(config.log);
  if (!log) {
    fmt::print(stderr, "cmsd: {}\n", log.error());
    return kFailed;
  }
  auto tls = OpenTls(config.tls);
  if (!tls) return Refuse(config, tls.error());
  auto engine = OpenEngine(config.store);
  if (!engine) return Refuse(config, "The store cannot be opened: " + engine.error().detail);
  storage::StoreOptions options;
  options.max_folders = config.limits.folders_per_account;
  options.max_message_octets = std::uint64_t{config.limits.append_mib} << 20;
  options.max_annotation_octets = config.limits.metadata_value_octets;
  options.max_annotations = config.limits.metadata_entries;
  options.max_account_annotation_octets = std::uint64_t{config.limits.metadata_kib_per_account} << 10;
  options.profile = ProfileOf(config.profile);
  options.note = [](const std::string& text) {
    spdlog::warn("event=store_note detail={}", log::Quoted(text));
  };
  auto store = storage::MailStore::Open(**engine, options);
  if (!store) return Refuse(config, "The store cannot be opened: " + store.error().detail);

  Daemon daemon(config, **log, *std::move(tls), *std::move(engine), *std::move(store));
  auto listening = daemon.Listen();
  if (!listening) return Refuse(config, listening.error());
  daemon.Run();
  return kStopped;
}

int Main(int argc, char** argv) {
  CLI::App app("cmsd, the CPM Message Store: an IMAP4rev1 server", "cmsd");
  std::string path = "/etc/cmsd/cmsd.toml";
  bool check = false;
  app.add_option("--config", path, "configuration file")->capture_default_str();
  app.add_flag("--check-config", check, "say what is wrong with the configuration, or \"ok\", and end");
  app.set_version_flag("--version", std::string("cmsd ") + kVersion);
  app.footer(
      "Exit status: 0 stopped by SIGTERM or SIGINT, 1 could not start, 2 wrong usage or configuration.\n"
      "SIGHUP reads the certificates again and reopens the log file.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kStopped : kBadConfiguration;
  }

  const auto config = config::Load(path);
  if (!config) {
    for (const auto& problem : config.error()) fmt::print(stderr, "{}\n", config::Format(problem, path));
    return kBadConfiguration;
  }
  if (check) {
    const auto tls = OpenTls(config->tls);
    fmt::print(tls ? stdout : stderr, "{}\n", tls ? std::string("ok") : path + ": " + tls.error());
    return tls ? kStopped : kBadConfiguration;
  }
  ::umask(S_IRWXG | S_IRWXO);  // the store and the socket are nobody else's
  RaiseDescriptorLimit();
  return Serve(*config);
}

}  // namespace
}  // namespace server

int main(int argc, char** argv) {
  try {
    return server::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cmsd: %s\n", error.what());
    return server::kFailed;
  }
}
