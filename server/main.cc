// cmsd: the composition root, the only file that knows everything. Makes the parts, in the order in which
// they need each other, and takes them down in the opposite one.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "server/auth/audit_log.h"
#include "server/auth/authenticator.h"
#include "server/auth/external_verifier.h"
#include "server/auth/token_verifier.h"
#include "server/clock.h"
#include "server/config/config.h"
#include "server/file_times.h"
#include "server/http/http_server.h"
#include "server/http/reference_face.h"
#include "server/imap/connection.h"
#include "server/imap/services.h"
#include "server/log.h"
#include "server/net/listener.h"
#include "server/net/psk_keys.h"
#include "server/sessions/account_seats.h"
#include "server/sessions/session_list.h"
#include "server/version.h"
#include "storage/kv/rocksdb_engine.h"
#include "storage/store/mail_store.h"
#include "storage/store/psk.h"

namespace server {
namespace {

enum ExitCode { kStopped = 0, kFailed = 1, kBadConfiguration = 2 };

constexpr std::chrono::seconds kLastGrace{5};
constexpr std::chrono::seconds kCertificateLook{5};
/// The keys of session tickets are made with the TLS settings, and so are new at least that often.
constexpr std::chrono::hours kTicketKeys{12};

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

tl::expected<std::unique_ptr<net::TlsContext>, std::string> OpenTls(const config::Tls& tls,
                                                                    const net::PskKeys& keys) {
  if (tls.certificate.empty()) return nullptr;
  return net::TlsContext::Create({.certificate_file = tls.certificate,
                                  .key_file = tls.key,
                                  .minimum_version = tls.minimum_version,
                                  .ciphers = tls.ciphers,
                                  .cipher_suites = tls.cipher_suites,
                                  .session_tickets = tls.session_tickets,
                                  .client_ca_file = tls.client_ca,
                                  .psk = tls.psk ? &keys : nullptr,
                                  .client_crl_file = tls.client_crl});
}

/// None without an address of it.
tl::expected<std::unique_ptr<auth::ExternalVerifier>, std::string> OpenVerifier(
    const config::Verifier& settings, const Clock& clock, spdlog::logger& log) {
  if (settings.url.empty()) return nullptr;
  return auth::ExternalVerifier::Open(settings, clock, log);
}

/// Of the reference service's URLs; empty: there is none.
std::string BaseUrl(const config::Config& config, const std::string& host) {
  const auto& settings = config.references;
  if (settings.listen.empty() || !settings.base_url.empty()) return settings.base_url;
  const auto& first = settings.listen.front();
  return fmt::format("{}://{}:{}", first.tls == config::ListenTls::kNone ? "http" : "https", host,
                     first.port);
}

/// The running parts. Members are destroyed from the last to the first: first nobody comes in any more, then
/// the pools finish, then the event loops go, and with them any frame that is still waiting; the store is
/// last.
class Daemon {
 public:
  Daemon(const config::Config& config, log::Log& log, std::unique_ptr<net::TlsContext> tls,
         std::unique_ptr<storage::kv::RocksEngine> engine, std::unique_ptr<storage::MailStore> store,
         const auth::ScramOptions& scram, std::unique_ptr<auth::AuditLog> audit, net::PskKeys& psk_keys,
         std::unique_ptr<auth::TokenVerifier> tokens, std::unique_ptr<auth::ExternalVerifier> verifier)
      : config_(config),
        log_(log),
        audit_(std::move(audit)),
        tokens_(std::move(tokens)),
        verifier_(std::move(verifier)),
        tls_(std::move(tls)),
        engine_(std::move(engine)),
        store_(std::move(store)),
        limits_(config.limits.connections, config.limits.connections_per_address,
                config.limits.connections_per_network),
        reference_limits_(config.references.connections, config.references.connections_per_address,
                          config.references.connections_per_network),
        authenticator_(*store_, storage_, passwords_, clock_,
                       {.per_name = config.guessing.per_name,
                        .per_customer = config.guessing.per_address,
                        .per_network = config.guessing.per_network,
                        .half_life = config.guessing.half_life},
                       auth::ActFor(config.pf.act_for), auth::Verify, scram, verifier_.get()),
        imap_options_(imap::OptionsFrom(config)),
        imap_{*store_,    storage_,   authenticator_, clock_,       log.logger(), imap_options_,
              tls_.get(), &sessions_, tokens_.get(),  audit_.get(), &seats_},
        reference_services_{authenticator_,
                            tokens_.get(),
                            audit_.get(),
                            clock_,
                            {imap_options_.urls, BaseUrl(config, imap_options_.urls.host),
                             config.references.lifetime, config.references.max_lifetime},
                            std::uint64_t{config.references.message_mib} << 20,
                            {std::uint64_t{config.references.resolve_mib} << 20,
                             std::uint64_t{config.references.message_mib} << 21}},
        reactors_(OrCores(config.threads.reactors), clock_),
        storage_({.threads = config.threads.storage}),
        passwords_({.threads = OrCores(config.threads.passwords)}),
        http_services_{*store_,
                       storage_,
                       passwords_,
                       config.profile,
                       sessions_,
                       waiting_,
                       imap_options_.append_limit,
                       Gauges(),
                       scram,
                       &psk_keys,
                       &reference_services_,
                       config.pf.act_for},
        http_(reactors_[0].context(), http_services_, tasks_) {
    for (std::size_t i = 0; i < reactors_.size(); ++i) sessions_.Add(reactors_[i].context());
  }

  /// Binds everything; an error is a sentence.
  tl::expected<void, std::string> Listen();
  /// Serves until SIGTERM or SIGINT, then lets running commands finish.
  void Run();

 private:
  std::vector<http::Gauge> Gauges();
  asio::awaitable<void> AwaitSignals();
  asio::awaitable<void> WatchCertificates();
  void Reload();
  void ReloadTls();
  void Stop();

  // First of all: who sees a port open may send a signal at once, and gets an orderly end.
  asio::io_context context_{1};
  asio::signal_set signals_{context_, SIGTERM, SIGINT, SIGHUP};

  const config::Config& config_;
  log::Log& log_;
  SystemClock clock_;
  std::unique_ptr<auth::AuditLog> audit_;
  std::unique_ptr<auth::TokenVerifier> tokens_;
  std::unique_ptr<auth::ExternalVerifier> verifier_;
  std::unique_ptr<net::TlsContext> tls_;
  std::unique_ptr<storage::kv::RocksEngine> engine_;
  std::unique_ptr<storage::MailStore> store_;
  net::ConnectionLimits limits_;
  net::ConnectionLimits reference_limits_;
  net::TaskGroup tasks_;
  auth::Authenticator authenticator_;
  sessions::SessionList sessions_;
  sessions::AccountSeats seats_{config_.limits.connections_per_account};
  http::WaitingRoom waiting_;
  imap::ImapOptions imap_options_;
  imap::Services imap_;
  http::ReferenceServices reference_services_;  // before the reactors: frames that end with them hold of it
  net::ReactorPool reactors_;
  net::StorageExecutor storage_;
  net::StorageExecutor passwords_;
  http::Services http_services_;
  const http::HttpOptions reference_options_{.write_stall = config_.limits.write_stall};
  http::HttpServer http_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
};

std::vector<http::Gauge> Daemon::Gauges() {
  return {
      {"cmsd_connections", "IMAP connections open now",
       [this] { return static_cast<double>(limits_.open()); }},
      {"cmsd_reference_connections", "Connections to the reference service open now",
       [this] { return static_cast<double>(reference_limits_.open()); }},
      {"cmsd_storage_queue", "Calls that wait for a thread of the storage pool",
       [this] { return static_cast<double>(storage_.queued()); }},
      {"cmsd_password_queue", "Passwords that wait to be checked",
       [this] { return static_cast<double>(passwords_.queued()); }},
      {"cmsd_password_locks", "Times that wrong passwords locked somebody out, since the start",
       [this] { return static_cast<double>(authenticator_.guard().locks()); }},
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
  const auto serve_references = [this](net::Stream stream, net::ConnectionInfo info) {
    return http::ServeReferences(std::move(stream), std::move(info), http_services_, reference_options_);
  };
  for (const auto& listen : config_.references.listen) {
    net::ListenerOptions options{
        .address = listen.address,
        .port = listen.port,
        .tls = ModeOf(listen.tls),
        .refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        .handshake_limit = config_.limits.login_timeout};
    auto opened = net::Listener::Open(std::move(options), {reactors_, reference_limits_, tasks_, tls_.get()},
                                      serve_references);
    if (!opened) return tl::unexpected(std::move(opened).error());
    spdlog::info("event=listening protocol=references address={} port={}", listen.address, (*opened)->port());
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
  asio::co_spawn(context_, AwaitSignals(), [this](const std::exception_ptr&) { context_.stop(); });
  if (tls_) asio::co_spawn(context_, WatchCertificates(), asio::detached);
  for (auto& listener : listeners_) listener->Start();
  reactors_.Start();
  spdlog::info("event=started version={} reactors={} storage_threads={} store={}", kVersion, reactors_.size(),
               config_.threads.storage, log::Quoted(config_.store.path));
  context_.run();
  Stop();
}

asio::awaitable<void> Daemon::AwaitSignals() {
  for (;;) {
    const auto [error, signal] = co_await signals_.async_wait(kAsTuple);
    if (error) co_return;
    spdlog::info("event=signal name=SIG{}", ::sigabbrev_np(signal));
    if (signal != SIGHUP) co_return;
    Reload();
  }
}

void Daemon::Reload() {
  log_.Reopen();
  if (audit_) {
    const auto reopened = audit_->Reopen();
    if (!reopened) spdlog::error("event=audit_kept error={}", log::Quoted(reopened.error()));
  }
  if (tls_) ReloadTls();
}

/// Whoever renews a certificate need not tell us. A file that is half written is refused and read again once
/// it changes.
asio::awaitable<void> Daemon::WatchCertificates() {
  FileTimes files({config_.tls.certificate, config_.tls.key, config_.tls.client_ca, config_.tls.client_crl});
  asio::steady_timer timer(context_);
  auto tickets_since = clock_.Now();
  for (;;) {
    timer.expires_after(kCertificateLook);
    const auto [error] = co_await timer.async_wait(kAsTuple);
    if (error) co_return;
    const bool old_tickets = clock_.Now() - tickets_since >= kTicketKeys;
    if (!files.Changed() && !old_tickets) continue;
    ReloadTls();
    tickets_since = clock_.Now();
  }
}

void Daemon::ReloadTls() {
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

storage::Sharing SharingOf(config::Sharing sharing) {
  switch (sharing) {
    case config::Sharing::kNobody: return storage::Sharing::kNobody;
    case config::Sharing::kNamed: return storage::Sharing::kNamed;
    case config::Sharing::kAnyone: return storage::Sharing::kAnyone;
  }
  return storage::Sharing::kNobody;
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
  profile.sharing = SharingOf(settings.sharing);
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
  net::PskKeys psk_keys;
  auto tls = OpenTls(config.tls, psk_keys);
  if (!tls) return Refuse(config, tls.error());
  auto engine = OpenEngine(config.store);
  if (!engine) return Refuse(config, "The store cannot be opened: " + engine.error().detail);
  storage::StoreOptions options;
  options.max_folders = config.limits.folders_per_account;
  options.max_message_octets = std::uint64_t{config.limits.append_mib} << 20;
  options.max_annotation_octets = config.limits.metadata_value_octets;
  options.max_annotations = config.limits.metadata_entries;
  options.max_account_annotation_octets = std::uint64_t{config.limits.metadata_kib_per_account} << 10;
  options.max_references = config.references.per_account;
  options.profile = ProfileOf(config.profile);
  options.note = [](const std::string& text) {
    spdlog::warn("event=store_note detail={}", log::Quoted(text));
  };
  auto store = storage::MailStore::Open(**engine, options);
  if (!store) return Refuse(config, "The store cannot be opened: " + store.error().detail);

  auto secret = (*store)->Secret("scram");
  if (!secret) return Refuse(config, "The store cannot be written: " + secret.error().detail);
  const auto psks = storage::PskTable(**store).List();
  if (!psks) return Refuse(config, "The store's pre-shared keys: " + psks.error().detail);
  for (const auto& psk : *psks) psk_keys.Set(psk.identity, {psk.key, psk.account.value});
  std::unique_ptr<auth::AuditLog> audit;
  if (!config.audit.file.empty()) {
    auto opened = auth::AuditLog::Open(config.audit.file);
    if (!opened) return Refuse(config, opened.error());
    audit = *std::move(opened);
  }
  std::unique_ptr<auth::TokenVerifier> tokens;
  if (!config.oauth.jwks.empty()) {
    auto made = auth::TokenVerifier::Open(config.oauth);
    if (!made) return Refuse(config, made.error());
    tokens = *std::move(made);
  }
  const SystemClock clock;
  auto verifier = OpenVerifier(config.verifier, clock, (*log)->logger());
  if (!verifier) return Refuse(config, verifier.error());
  const auth::ScramOptions scram{.iterations = config.auth.scram_iterations,
                                 .sha1 = config.auth.scram_sha1,
                                 .secret = *std::move(secret)};
  Daemon daemon(config, **log, *std::move(tls), *std::move(engine), *std::move(store), scram,
                std::move(audit), psk_keys, std::move(tokens), *std::move(verifier));
  auto listening = daemon.Listen();
  if (!listening) return Refuse(config, listening.error());
  daemon.Run();
  return kStopped;
}

/// What the files that it names are not good for; nullopt: all is well.
std::optional<std::string> FaultOf(const config::Config& config) {
  const net::PskKeys no_keys;
  if (const auto tls = OpenTls(config.tls, no_keys); !tls) return tls.error();
  const SystemClock clock;
  const auto verifier = OpenVerifier(config.verifier, clock, *spdlog::default_logger());
  if (!verifier) return verifier.error();
  return std::nullopt;
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
      "SIGHUP reads the certificates again and reopens the log files.");
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
    const auto fault = FaultOf(*config);
    fmt::print(fault ? stderr : stdout, "{}\n", fault ? path + ": " + *fault : "ok");
    return fault ? kBadConfiguration : kStopped;
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
