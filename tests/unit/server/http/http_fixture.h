#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "server/http/http_server.h"
#include "storage/kv/memory_engine.h"
#include "tests/unit/server/net/stream_fixture.h"

namespace server_test {

namespace http = server::http;
namespace beast = boost::beast;
namespace asio = boost::asio;

struct Answer {
  unsigned status = 0;
  std::string body;
  boost::json::object json() const { return boost::json::parse(body).as_object(); }
  std::string code() const { return std::string(json().at("error").at("code").as_string()); }
};

/// A server on its own thread over a store in memory; requests go through its real socket.
class HttpTest : public testing::Test {
 protected:
  HttpTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cmsd_http_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    store_ = std::move(storage::MailStore::Open(*engine_, {})).value();
    services_.emplace(
        http::Services{*store_, *storage_, *passwords_, profile_, sessions_, waiting_, 1 << 20, {}});
    services_->gauges.push_back({"cmsd_answer", "A test's", [] { return 42.0; }});
    server_.emplace(context_, *services_, tasks_);
    EXPECT_TRUE(server_->ListenOperator(socket_path()));
    EXPECT_TRUE(server_->ListenMonitor("127.0.0.1", 0));
    thread_ = std::thread([this] { context_.run(); });
  }

  ~HttpTest() override {
    server_->Close();
    EXPECT_TRUE(tasks_.Drain(std::chrono::minutes(10)));
    thread_.join();
    storage_.reset();
    passwords_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string socket_path() const { return directory_ + "/operator.sock"; }

  template <class Socket>
  static Answer Exchange(Socket& socket, beast::http::verb verb, const std::string& target,
                         const std::string& body, const std::string& content_type = {}) {
    beast::http::request<beast::http::string_body> request(verb, target, 11);
    if (!content_type.empty()) request.set(beast::http::field::content_type, content_type);
    request.body() = body;
    request.prepare_payload();
    request.keep_alive(false);
    beast::http::write(socket, request);
    beast::flat_buffer buffer;
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(boost::none);
    beast::error_code error;
    beast::http::read(socket, buffer, parser, error);
    if (error) return {0, error.message()};
    return {parser.get().result_int(), parser.get().body()};
  }

  Answer Ask(beast::http::verb verb, const std::string& target, const std::string& body = {},
             const std::string& content_type = {}) {
    asio::io_context context;
    asio::local::stream_protocol::socket socket(context);
    socket.connect(asio::local::stream_protocol::endpoint(socket_path()));
    return Exchange(socket, verb, target, body, content_type);
  }

  Answer AskMonitor(const std::string& target) {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::address_v4::loopback(), server_->monitor_port()});
    return Exchange(socket, beast::http::verb::get, target, {});
  }

  Answer Get(const std::string& target) { return Ask(beast::http::verb::get, target); }
  Answer Post(const std::string& target, const std::string& body) {
    return Ask(beast::http::verb::post, target, body);
  }
  Answer Put(const std::string& target, const std::string& body = {}) {
    return Ask(beast::http::verb::put, target, body);
  }

  void MakeAccount(const std::string& address = "tel:+15550100111") {
    const auto made = Post("/v1/accounts", R"({"address":")" + address + R"("})");
    ASSERT_EQ(made.status, 201U) << made.body;
  }

  std::string directory_;
  std::unique_ptr<storage::kv::Engine> engine_ = storage::kv::NewMemoryEngine();
  std::unique_ptr<storage::MailStore> store_;
  server::config::Profile profile_;
  server::sessions::SessionList sessions_;
  http::WaitingRoom waiting_;
  asio::io_context context_{1};
  std::optional<server::net::StorageExecutor> storage_{std::in_place,
                                                       server::net::StorageExecutor::Options{.threads = 4}};
  std::optional<server::net::StorageExecutor> passwords_{std::in_place,
                                                         server::net::StorageExecutor::Options{.threads = 2}};
  server::net::TaskGroup tasks_;
  std::optional<http::Services> services_;
  std::optional<http::HttpServer> server_;
  std::thread thread_;
};

}  // namespace server_test
