#include <csignal>
#include <exception>
#include <stdexcept>

#include <fmt/format.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "server/imap/connection.h"
#include "server/net/reactor.h"
#include "storage/store/account_lanes.h"
#include "storage/store/folder_tree.h"
#include "tests/support/temp_store.h"
#include "tests/support/transcript_server.h"
#include "tests/unit/server/net/test_certificate.h"

namespace tests::transcript {
namespace {

using namespace std::chrono_literals;
namespace asio = server::asio;
namespace net = server::net;
namespace imap = server::imap;

/// Real time, because it is for a server that has lost its way.
constexpr auto kWatchdog = 60s;
constexpr std::string_view kUser = "user1@example.com";
/// "pass", as cheap as Argon2id can be.
constexpr std::string_view kPasswordHash =
    "$argon2id$v=19$m=8,t=1,p=1$rISC+oP7GfHAidfyfBnGfg$Gjv4bl70j4iPAskICshS4LUqp7tLjuyd+VkC6Q0qu6g";

/// Making a key takes a while, so the process has one certificate.
const net::TlsContext& Tls() {
  static const server_test::TestCertificate certificate;
  static const auto context = net::TlsContext::Create(
      {.certificate_file = certificate.certificate_file(), .key_file = certificate.key_file()});
  if (!context) throw std::runtime_error(context.error());
  return **context;
}

imap::ImapOptions DefaultOptions() {
  imap::ImapOptions options;
  options.plaintext_login_on_loopback = true;
  options.metadata_value_limit = 1024;
  return options;
}

class LocalServer final : public Server {
 public:
  LocalServer() : log_("transcript", std::make_shared<spdlog::sinks::null_sink_mt>()) {
    std::signal(SIGPIPE, SIG_IGN);  // as ReactorPool does: SSL_write() to a client that is gone
    AddAccount(std::string(kUser));
  }

  ~LocalServer() override {
    reactor_.CloseAll();
    TurnUntil([this] { return running_ == 0; });
    EXPECT_EQ(running_, 0) << "connections that do not end";
  }

  std::string user() const override { return std::string(kUser); }

  std::unique_ptr<Client> Connect(const Approach& approach) override {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
      throw std::runtime_error("socketpair");
    auto client = std::make_unique<Client>(net::UniqueFd(fds[1]));
    net::Stream stream(reactor_, net::UniqueFd(fds[0]), "test");
    net::ConnectionInfo info;
    info.id = ++connections_;
    info.peer = asio::ip::make_address(approach.remote ? "192.0.2.1" : "127.0.0.1");
    info.loopback = !approach.remote;
    info.tls = approach.implicit_tls ? net::TlsMode::kImplicit : net::TlsMode::kStartTls;
    ++running_;
    asio::co_spawn(reactor_.context(), Serve(std::move(stream), info),
                   [this](const std::exception_ptr& error) {
                     --running_;
                     EXPECT_FALSE(error) << "an exception left a connection";
                   });
    return client;
  }

  bool Await(Client& client, const std::function<bool()>& done) override {
    return TurnUntil([&] {
      client.Exchange();
      return done();
    });
  }

  bool InProcess() const override { return true; }

  std::optional<std::string> Given(std::string_view what) override {
    const auto space = what.find(' ');
    const std::string_view noun = what.substr(0, space);
    const std::string_view rest = space == std::string_view::npos ? "" : what.substr(space + 1);
    if (noun == "config") return Configure(rest);
    if (noun == "quota") return SetQuota(rest);
    if (what == "account disabled") {
      const auto done = store_->SetStatus(account_, storage::AccountStatus::kDisabled);
      if (!done) return done.error().detail;
      return std::nullopt;
    }
    if (what.starts_with("default folder ")) return AddDefaultFolder(what.substr(15));
    if (noun == "account") {
      AddAccount(std::string(rest));
      return std::nullopt;
    }
    if (noun == "pf") {
      AddAccount(std::string(rest), storage::Role::kPf);
      return std::nullopt;
    }
    if (noun == "submit") {
      AddAccount(std::string(rest), storage::Role::kSubmit);
      return std::nullopt;
    }
    return fmt::format("cannot understand \"given {}\"", what);
  }

  void Advance(std::chrono::seconds by) override {
    clock_.Advance(by);
    store_.clock.Advance(by);
    store_->ReapDue();
    reactor_.Sweep();
    TurnUntil([] { return false; });
  }

  void Shutdown() override {
    reactor_.Shutdown();
    TurnUntil([] { return false; });
  }

 private:
  asio::awaitable<void> Serve(net::Stream stream, net::ConnectionInfo info) {
    if (info.tls == net::TlsMode::kImplicit) {
      const bool secure = co_await stream.StartTls(Tls());
      if (!secure) co_return;
    }
    co_await imap::ServeConnection(std::move(stream), info, services_);
  }

  /// Turns the loop until `done`, or (false) until no handler is ready and the pools are at rest.
  bool TurnUntil(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + kWatchdog;
    for (;;) {
      if (done()) return true;
      // In this order: what a job posts is there before the job stops counting as busy.
      const bool busy = storage_.busy() > 0 || passwords_.busy() > 0;
      reactor_.context().restart();
      if (reactor_.context().poll() > 0) continue;
      if (!busy) return done();
      reactor_.context().run_one_for(1ms);
      if (std::chrono::steady_clock::now() > limit) {
        ADD_FAILURE() << "the server is busy without end";
        return false;
      }
    }
  }

  void AddAccount(const std::string& name, storage::Role role = storage::Role::kUser) {
    storage::NewAccount account;
    account.address = "sip:" + name;
    account.password_hash = kPasswordHash;
    account.role = role;
    const auto added = store_->CreateAccount(account);
    if (!added) throw std::runtime_error(added.error().detail);
    if (!account_.value) account_ = *added;
  }

  std::optional<std::string> Configure(std::string_view setting) {
    const auto equals = setting.find('=');
    if (equals == std::string_view::npos) return "expected KEY=VALUE";
    const std::string_view key = setting.substr(0, equals);
    const std::string value(setting.substr(equals + 1));
    if (key == "plaintext_login") {
      options_.plaintext_login_on_loopback = value == "loopback";
    } else if (key == "append_limit") {
      options_.append_limit = std::stoull(value);
    } else if (key == "url_work") {
      options_.url_work = std::stoull(value);
    } else if (key == "open_urls") {
      options_.urls.authuser = options_.urls.anonymous = value == "yes";
    } else if (key == "pf_quota") {
      options_.pf_may_set_quota = value == "yes";
    } else if (key == "tls") {
      services_.tls = value == "none" ? nullptr : &Tls();
    } else {
      return fmt::format("no setting is named {}", key);
    }
    return std::nullopt;
  }

  /// Accounts are of plain mail, which other servers know too; this one is of CPM from here on.
  std::optional<std::string> AddDefaultFolder(std::string_view path) {
    const storage::StoreOptions options;
    storage::AccountLanes lanes(store_.engine(), store_->feed(), [] { return 0; });
    const auto made = lanes.Run(account_, [&](storage::AccountTxn& txn) -> storage::Result<> {
      storage::FolderTree tree(txn, options, storage::Actor({}, storage::Role::kOperator));
      RETURN_IF_ERROR(tree.Establish(storage::FolderKind::kDefault, path));
      return {};
    });
    if (!made) return made.error().detail;
    return std::nullopt;
  }

  std::optional<std::string> SetQuota(std::string_view what) {
    const std::string text(what);
    const std::uint64_t number = std::stoull(text);
    storage::QuotaLimits limits;
    if (text.ends_with(" messages")) {
      limits.messages = number;
    } else if (text.ends_with(" mailboxes")) {
      limits.folders = number;
    } else if (text.ends_with(" annotation octets")) {
      limits.annotation_octets = number;
    } else {
      limits.octets = number;
    }
    const auto set = store_->SetQuota(account_, limits);
    if (!set) return set.error().detail;
    return std::nullopt;
  }

  // In the order of who needs whom; the executors end before the reactor.
  server::FakeClock clock_;
  /// As little METADATA as RFC 5464 §4.1 allows, so that dialogs reach the limits.
  TempStore store_{Driver::kMemory,
                   {.max_annotation_octets = 1024,
                    .max_annotations = 10,
                    .max_account_annotation_octets = 22'000,
                    .profile = {.default_folder = "", .admin_contact = "mailto:admin@example.com"}}};
  spdlog::logger log_;
  imap::ImapOptions options_ = DefaultOptions();
  net::Reactor reactor_{clock_};
  net::StorageExecutor storage_{net::StorageExecutor::Options{.threads = 2}};
  net::StorageExecutor passwords_{net::StorageExecutor::Options{.threads = 1}};
  server::auth::Authenticator authenticator_{
      *store_, storage_, passwords_, clock_, {.max_delay = 0ms}, server::auth::ActFor({"sip:*@example.com"})};
  imap::Services services_{*store_, storage_, authenticator_, clock_, log_, options_, &Tls()};
  storage::AccountId account_;
  std::uint64_t connections_ = 0;
  int running_ = 0;
};

}  // namespace

std::unique_ptr<Server> NewLocalServer() { return std::make_unique<LocalServer>(); }

}  // namespace tests::transcript
