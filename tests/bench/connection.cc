#include "tests/bench/connection.h"

#include <cerrno>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {
namespace {

constexpr int kStallSeconds = 300;

std::string UserName(const Target& target, int user) {
  std::string name = target.user_format;
  if (const auto at = name.find("%d"); at != std::string::npos) name.replace(at, 2, std::to_string(user));
  return name;
}

/// The size of the literal that a line announces at its end; false if it announces none.
bool AnnouncesLiteral(std::string_view line, std::uint64_t& size) {
  if (line.empty() || line.back() != '}') return false;
  const auto open = line.rfind('{');
  if (open == std::string_view::npos) return false;
  const char* first = line.data() + open + 1;
  const auto [end, error] = std::from_chars(first, line.data() + line.size() - 1, size);
  return error == std::errc() && end == line.data() + line.size() - 1;
}

/// Of all connections; lives as long as the program.
SSL_CTX* TlsContext() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = ::SSL_CTX_new(::TLS_client_method());
    ::SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION);
    ::SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);  // ten thousand of them wait in one process
    return made;
  }();
  return context;
}

}  // namespace

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Connection::Connection(const Target& target, int user, Form form) : buffer_(user == 0 ? 4096 : form.buffer) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const timeval stall{kStallSeconds, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof stall);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(form.tls ? target.tls_port : target.port);
  ::inet_pton(AF_INET, target.host.c_str(), &address.sin_addr);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const std::string why = std::strerror(errno);
    ::close(fd_);
    throw Broken("connect: " + why);
  }
  if (form.tls) StartTls();
  const std::string greeting(ReadLine());
  if (!greeting.starts_with("* OK")) throw Broken("greeting: " + greeting);
  if (user != 0) Must(fmt::format("LOGIN \"{}\" \"{}\"", UserName(target, user), target.password));
}

Connection::~Connection() { ::close(fd_); }

void Connection::StartTls() {
  ssl_.reset(::SSL_new(TlsContext()));
  ::SSL_set_fd(ssl_.get(), fd_);
  if (::SSL_connect(ssl_.get()) != 1) throw Broken("TLS handshake");
}

ssize_t Connection::Receive(char* octets, std::size_t size) {
  if (!ssl_) return ::recv(fd_, octets, size, 0);
  const int got = ::SSL_read(ssl_.get(), octets, static_cast<int>(size));
  return got > 0 ? got : ::SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

ssize_t Connection::SendSome(std::string_view octets) {
  if (!ssl_) return ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
  return ::SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size()));
}

void Connection::Send(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t sent = SendSome(octets);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) throw Broken(fmt::format("send: {}", std::strerror(errno)));
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Connection::Fill() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size()) {
    if (begin_ == 0) buffer_.resize(buffer_.size() * 2);
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (true) {
    const ssize_t got = Receive(buffer_.data() + end_, buffer_.size() - end_);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) throw Broken("the server closed the connection");
    if (got < 0) throw Broken(fmt::format("recv: {}", std::strerror(errno)));
    end_ += static_cast<std::size_t>(got);
    received_ += static_cast<std::uint64_t>(got);
    return;
  }
}

std::string_view Connection::Segment() {
  std::size_t looked = 0;
  while (true) {
    const char* start = buffer_.data() + begin_;
    const void* newline = std::memchr(start + looked, '\n', end_ - begin_ - looked);
    if (newline != nullptr) {
      const auto size = static_cast<std::size_t>(static_cast<const char*>(newline) - start);
      begin_ += size + 1;
      return {start, size > 0 && start[size - 1] == '\r' ? size - 1 : size};
    }
    looked = end_ - begin_;
    Fill();
  }
}

void Connection::Skip(std::uint64_t octets) {
  while (octets > 0) {
    if (begin_ == end_) Fill();
    const auto take = std::min<std::uint64_t>(octets, end_ - begin_);
    begin_ += take;
    octets -= take;
  }
}

std::string_view Connection::ReadLine() {
  line_.assign(Segment());
  std::uint64_t size = 0;
  bool literal = AnnouncesLiteral(line_, size);
  while (literal) {
    Skip(size);
    literal = AnnouncesLiteral(Segment(), size);
  }
  return line_;
}

std::string Connection::Start(std::string_view command) {
  std::string tag = fmt::format("a{}", ++next_tag_);
  Send(fmt::format("{} {}\r\n", tag, command));
  return tag;
}

Answer Connection::Finish(std::string_view tag) {
  Answer answer;
  const std::uint64_t before = received_;
  while (true) {
    const std::string_view line = ReadLine();
    if (line.size() > tag.size() && line.starts_with(tag) && line[tag.size()] == ' ') {
      answer.tagged = line;
      answer.ok = line.substr(tag.size() + 1).starts_with("OK");
      answer.octets = received_ - before;
      return answer;
    }
    if (line.starts_with("* BYE")) throw Broken(std::string(line));
    ++answer.untagged;
    answer.last_untagged = line;
  }
}

Answer Connection::Run(std::string_view command) { return Finish(Start(command)); }

Answer Connection::Must(std::string_view command) {
  Answer answer = Run(command);
  if (!answer.ok) throw Broken(fmt::format("{}: {}", command, answer.tagged));
  return answer;
}

void Connection::Append(std::string_view folder, const std::vector<std::string>& messages) {
  const std::string tag = fmt::format("a{}", ++next_tag_);
  std::string out = fmt::format("{} APPEND {}", tag, folder);
  for (const std::string& message : messages) {
    out += fmt::format(" {{{}+}}\r\n", message.size());
    out += message;
  }
  out += "\r\n";
  Send(out);
  const Answer answer = Finish(tag);
  if (!answer.ok) throw Broken(fmt::format("APPEND {}: {}", folder, answer.tagged));
}

bool Connection::WaitReadable(double seconds) const {
  if (begin_ != end_) return true;
  pollfd one{fd_, POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(seconds * 1000)) > 0;
}

}  // namespace bench
