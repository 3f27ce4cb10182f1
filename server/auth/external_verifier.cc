#include "server/auth/external_verifier.h"

#include <algorithm>
#include <fstream>

#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "protocol/model/ascii.h"
#include "protocol/text/charset.h"
#include "server/net/network.h"

namespace server::auth {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;

constexpr std::uint32_t kMostHeader = 8 * 1024;  ///< octets of an answer
constexpr std::uint64_t kMostBody = 4 * 1024;
constexpr std::size_t kMostToken = 8 * 1024;
constexpr std::chrono::seconds kLookUpAgain{60};
constexpr std::uint32_t kShareOfNetwork = 4;  ///< one network has at most one of so many places

std::string RequestOf(const Question& question) {
  json::object request{
      {"login", question.login}, {"password", question.password}, {"peer", question.peer.to_string()}};
  if (!question.address.empty()) request["address"] = question.address;
  return json::serialize(request);
}

std::optional<Attestation> AttestationIn(const std::string& body) {
  boost::system::error_code error;
  const auto parsed = json::parse(body, error);
  if (error || !parsed.is_object()) return std::nullopt;
  const auto text = [&](std::string_view key) {
    const auto* value = parsed.get_object().if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  const std::string result = text("result");
  if (result == "right") return Attestation{Attestation::Answer::kRight, text("account")};
  if (result == "wrong") return Attestation{Attestation::Answer::kWrong, {}};
  return std::nullopt;
}

/// One line, for the header of a request.
tl::expected<std::string, std::string> ReadToken(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string token;
  if (!file || !std::getline(file, token)) return tl::unexpected(fmt::format("{} cannot be read", path));
  token.erase(token.find_last_not_of(" \t\r") + 1);
  const bool good = !token.empty() && token.size() <= kMostToken &&
                    std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!good) return tl::unexpected(fmt::format("{} does not hold a token in its first line", path));
  return token;
}

}  // namespace

tl::expected<ServiceUrl, std::string> ServiceUrl::Parse(std::string_view url) {
  const auto bad = tl::unexpected<std::string>(R"(must be as "https://hss.example.net:8443/v1/verify")");
  ServiceUrl out;
  out.tls = url.starts_with("https://");
  if (!out.tls && !url.starts_with("http://")) return bad;
  if (url.size() > 500 || !std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7f'; })) return bad;
  url.remove_prefix(url.find("//") + 2);
  const std::size_t path = std::min(url.find_first_of("/?"), url.size());
  out.target = url.substr(path);
  if (!out.target.starts_with('/')) out.target.insert(0, 1, '/');
  std::string_view authority = url.substr(0, path);
  if (authority.find_first_of("@#\\\"<>") != std::string_view::npos ||
      out.target.find('#') != std::string::npos)
    return bad;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return bad;
    out.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
  } else {
    out.host = authority.substr(0, authority.find(':'));
    authority.remove_prefix(out.host.size());
  }
  out.port = out.tls ? "443" : "80";
  if (authority.starts_with(':')) out.port = authority.substr(1);
  const bool number = out.port.size() <= 5 && !out.port.empty() &&
                      std::ranges::all_of(out.port, protocol::ascii::IsDigit) && std::stoi(out.port) <= 65535;
  if (out.host.empty() || out.host.find_first_of("[]") != std::string::npos || !number ||
      (!authority.empty() && authority[0] != ':'))
    return bad;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(out.host, error);
  const bool here = out.host == "localhost" || (!error && address.is_loopback());
  if (!out.tls && !here)
    return tl::unexpected<std::string>("must be https, for it takes passwords over a network");
  return out;
}

ExternalVerifier::ExternalVerifier(config::Verifier settings, ServiceUrl url, const Clock& clock,
                                   spdlog::logger& log)
    : settings_(std::move(settings)),
      url_(std::move(url)),
      clock_(clock),
      log_(log),
      breaker_(clock, {.failures = settings_.failures, .pause = settings_.pause}) {}

tl::expected<std::unique_ptr<ExternalVerifier>, std::string> ExternalVerifier::Open(config::Verifier settings,
                                                                                    const Clock& clock,
                                                                                    spdlog::logger& log) {
  auto url = ServiceUrl::Parse(settings.url);
  if (!url) return tl::unexpected("verifier.url " + url.error());
  std::unique_ptr<ExternalVerifier> out(
      new ExternalVerifier(std::move(settings), *std::move(url), clock, log));
  if (const auto& path = out->settings_.token_file; !path.empty()) {
    auto token = ReadToken(path);
    if (!token) return tl::unexpected("verifier.token_file: " + token.error());
    out->bearer_ = "Bearer " + *token;
  }
  boost::system::error_code error;
  if (out->url_.tls) {
    out->tls_.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    out->tls_.set_verify_mode(asio::ssl::verify_peer);
    if (const auto& ca = out->settings_.ca; ca.empty()) {
      out->tls_.set_default_verify_paths(error);
    } else {
      out->tls_.load_verify_file(ca, error);
    }
    if (error) return tl::unexpected(fmt::format("verifier.ca {}: {}", out->settings_.ca, error.message()));
  }
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  const auto found = resolver.resolve(out->url_.host, out->url_.port, error);
  if (error) {
    log.warn("event=verifier_unknown host={} detail=\"{}\"", out->url_.host, error.message());
  } else {
    out->Learn(std::make_shared<const Endpoints>(found.begin(), found.end()));
  }
  return out;
}

void ExternalVerifier::Learn(std::shared_ptr<const Endpoints> endpoints) {
  const std::lock_guard lock(mutex_);
  if (endpoints) endpoints_ = std::move(endpoints);
  looked_up_ = clock_.Now();
  looking_up_ = false;
}

/// What is known now; looks it up again when that is old.
std::shared_ptr<const ExternalVerifier::Endpoints> ExternalVerifier::Current(
    const asio::any_io_executor& executor) {
  const std::lock_guard lock(mutex_);
  const bool old = endpoints_ == nullptr || clock_.Now() - looked_up_ >= kLookUpAgain;
  if (old && !looking_up_) {
    looking_up_ = true;
    asio::co_spawn(executor, LookUp(), asio::detached);
  }
  return endpoints_;
}

asio::awaitable<void> ExternalVerifier::LookUp() {
  asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto [error, found] = co_await resolver.async_resolve(url_.host, url_.port, kAsTuple);
  if (error) log_.warn("event=verifier_unknown host={} detail=\"{}\"", url_.host, error.message());
  Learn(error ? nullptr : std::make_shared<const Endpoints>(found.begin(), found.end()));
}

bool ExternalVerifier::Enter(const asio::ip::address& network) {
  const std::lock_guard lock(mutex_);
  auto& of_network = asking_of_[network];
  if (asking_ >= settings_.at_once || of_network >= std::max(1U, settings_.at_once / kShareOfNetwork))
    return false;
  ++asking_;
  ++of_network;
  return true;
}

void ExternalVerifier::Leave(const asio::ip::address& network) {
  const std::lock_guard lock(mutex_);
  --asking_;
  const auto of_network = asking_of_.find(network);
  if (--of_network->second == 0) asking_of_.erase(of_network);
}

asio::awaitable<Attestation> ExternalVerifier::Ask(Question question) {
  // JSON carries no others, and the database has none.
  if (!protocol::text::IsValidUtf8(question.password) || !protocol::text::IsValidUtf8(question.login))
    co_return Attestation{Attestation::Answer::kWrong, {}};
  const auto network = net::NetworkOf(question.peer);
  if (!Enter(network)) co_return Attestation();
  struct Place {
    ExternalVerifier& verifier;
    const asio::ip::address& network;
    ~Place() { verifier.Leave(network); }
  } const place{*this, network};
  auto attempt = breaker_.Admit();
  if (!attempt) co_return Attestation();
  const std::string request = RequestOf(question);
  const auto body = co_await Post(request);
  auto attestation = body ? AttestationIn(*body) : std::nullopt;
  if (attestation || (!body && !body.error().down)) attempt->Succeeded();
  if (attestation) co_return *std::move(attestation);
  log_.warn("event=verifier_failed detail=\"{}\"",
            body ? "the answer has no known result" : body.error().why);
  co_return Attestation();
}

asio::awaitable<ExternalVerifier::Body> ExternalVerifier::Post(const std::string& request) {
  const auto executor = co_await asio::this_coro::executor;
  const auto endpoints = Current(executor);
  if (!endpoints) co_return tl::unexpected(Failure{fmt::format("{} has no known address", url_.host)});
  beast::ssl_stream<beast::tcp_stream> stream(executor, tls_);
  auto& plain = beast::get_lowest_layer(stream);
  plain.expires_after(settings_.timeout);
  const auto [unreachable, to] = co_await plain.async_connect(*endpoints, kAsTuple);
  if (unreachable) co_return tl::unexpected(Failure{fmt::format("no connection: {}", unreachable.message())});
  if (!url_.tls) {
    auto body = co_await Exchange(plain, request);
    co_return body;
  }
  stream.set_verify_callback(asio::ssl::host_name_verification(url_.host));
  boost::system::error_code is_name;
  static_cast<void>(asio::ip::make_address(url_.host, is_name));
  if (is_name) SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());
  const auto [untrusted] = co_await stream.async_handshake(asio::ssl::stream_base::client, kAsTuple);
  if (untrusted) co_return tl::unexpected(Failure{fmt::format("TLS: {}", untrusted.message())});
  auto body = co_await Exchange(stream, request);
  co_return body;
}

template <class Stream>
asio::awaitable<ExternalVerifier::Body> ExternalVerifier::Exchange(Stream& stream, const std::string& text) {
  http::request<http::span_body<const char>> request(http::verb::post, url_.target, 11);
  request.set(http::field::host,
              url_.port == (url_.tls ? "443" : "80") ? url_.host : url_.host + ":" + url_.port);
  request.set(http::field::content_type, "application/json");
  request.set(http::field::accept, "application/json");
  request.set(http::field::connection, "close");
  if (!bearer_.empty()) request.set(http::field::authorization, bearer_);
  request.body() = {text.data(), text.size()};
  request.prepare_payload();
  const auto [unsent, sent] = co_await http::async_write(stream, request, kAsTuple);
  if (unsent)
    co_return tl::unexpected(Failure{fmt::format("the question was not sent: {}", unsent.message())});

  beast::flat_buffer buffer(kMostHeader + kMostBody);
  http::response_parser<http::string_body> answer;
  answer.header_limit(kMostHeader);
  answer.body_limit(kMostBody);
  const auto [silent, got] = co_await http::async_read(stream, buffer, answer, kAsTuple);
  if (silent) co_return tl::unexpected(Failure{fmt::format("no answer: {}", silent.message())});
  if (answer.get().result() == http::status::ok) co_return std::move(answer.get().body());
  // It does not like this question (4xx), which any client may have brought about: it may like others.
  const bool down = http::to_status_class(answer.get().result()) != http::status_class::client_error;
  co_return tl::unexpected(Failure{fmt::format("the answer is {}", answer.get().result_int()), down});
}

}  // namespace server::auth
