#include "tools/cms-admin/terminal.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "tools/cms-admin/command.h"

namespace admin {
namespace {

/// Switches the terminal's echo off while it lives.
class NoEcho {
 public:
  NoEcho() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~NoEcho() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
};

std::string Line() {
  std::string line;
  std::getline(std::cin, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::string AskSilently(const char* prompt) {
  fmt::print(stderr, "{}", prompt);
  const NoEcho quiet;
  auto line = Line();
  fmt::print(stderr, "\n");
  return line;
}

}  // namespace

std::string ReadPassword(bool from_stdin) {
  std::string password;
  if (from_stdin) {
    password = Line();
  } else {
    if (::isatty(STDIN_FILENO) == 0)
      throw Failure(kUsage, "No terminal to ask for a password: use --password-stdin");
    password = AskSilently("Password: ");
    if (AskSilently("Again: ") != password) throw Failure(kUsage, "The two passwords differ");
  }
  if (password.empty()) throw Failure(kUsage, "The password is empty");
  return password;
}

bool Confirm(const std::string& question) {
  if (::isatty(STDIN_FILENO) == 0) return false;
  fmt::print(stderr, "{} [y/N] ", question);
  const auto answer = Line();
  return answer == "y" || answer == "Y" || answer == "yes";
}

OutputStyle StyleOfOutput() {
  OutputStyle style;
  if (::isatty(STDOUT_FILENO) == 0) return style;
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) style.columns = window.ws_col;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  style.colour = (!no_colour || *no_colour == '\0') && terminal && std::string_view(terminal) != "dumb";
  return style;
}

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), shown_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (!drawn_.empty()) fmt::print(stderr, "\n");
}

void Progress::Advance(std::uint64_t by) {
  done_ += by;
  if (!shown_) return;
  auto bar = Bar();
  if (bar == drawn_) return;
  fmt::print(stderr, "\r{}", bar);
  drawn_ = std::move(bar);
}

void Progress::Say(std::string_view line) {
  constexpr const char* kClearLine = "\r\x1b[K";
  fmt::print(stderr, "{}{}\n{}", drawn_.empty() ? "" : kClearLine, line, drawn_);
}

std::string Progress::Bar() const {
  if (total_ == 0) return fmt::format("{} {} KiB", what_, (done_ + 1023) / 1024);
  constexpr std::uint64_t kWidth = 40;
  const auto percent = std::min(done_, total_) * 100 / total_;
  const auto filled = percent * kWidth / 100;
  return fmt::format("{} [{}{}] {:3}%", what_, std::string(filled, '#'), std::string(kWidth - filled, '.'),
                     percent);
}

}  // namespace admin
