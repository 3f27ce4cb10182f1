#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace admin {

/// A password from the terminal, asked for twice and not shown, or the first line of standard input. Throws
/// Failure: no terminal, the two differ, nothing given.
std::string ReadPassword(bool from_stdin);

/// Asks "question [y/N]"; false without a terminal.
bool Confirm(const std::string& question);

/// Standard output as text goes there: the terminal's width, or 80; colours where it is a terminal that has
/// them and nobody objects (NO_COLOR).
struct OutputStyle {
  std::size_t columns = 80;
  bool colour = false;
};
OutputStyle StyleOfOutput();

/// A bar on standard error while something long goes on; nothing at all when that is no terminal.
class Progress {
 public:
  /// `total` 0: nobody knows, so there is no bar but the octets so far.
  Progress(std::string what, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Advance(std::uint64_t by);
  /// A line on standard error, terminal or not; the bar stays below it.
  void Say(std::string_view line);

 private:
  std::string Bar() const;

  const std::string what_;
  const std::uint64_t total_;
  const bool shown_;
  std::uint64_t done_ = 0;
  std::string drawn_;
};

}  // namespace admin
