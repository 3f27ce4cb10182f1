#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace protocol {

/// The first place where a command stopped being one.
struct ParseError {
  std::size_t offset = 0;       ///< octets from the command's start
  std::string_view expected;    ///< what the grammar wanted, for the client: a static string
  bool incomplete = false;      ///< not an error: the input ends where a literal's octets would stand
  bool too_big = false;         ///< a literal was announced that is over the limit of its place
  bool metadata_value = false;  ///< too_big, and it is an entry's value: [METADATA MAXSIZE] (RFC 5464 §4.3)
  friend bool operator==(const ParseError&, const ParseError&) = default;
};

template <class T>
using Parsed = tl::expected<T, ParseError>;

/// Reads octets of one command. The first failure sticks and makes every later call a no-op, so a production
/// reads like its grammar and asks once, at Finish().
class Cursor {
 public:
  explicit Cursor(std::string_view octets) : octets_(octets) {}

  bool failed() const { return failed_; }
  const ParseError& error() const { return error_; }
  std::size_t offset() const { return at_; }
  std::string_view rest() const { return octets_.substr(at_); }

  /// Records the first failure. `expected` must outlive everything: a literal.
  void Fail(std::string_view expected) { FailAt(at_, expected); }
  void FailAt(std::size_t offset, std::string_view expected);
  /// The literal that was announced is not here yet.
  void FailIncomplete();
  /// The literal is too long for its place.
  void FailTooBig();

  /// False at the end and after a failure.
  bool Peek(char c) const { return !failed_ && at_ < octets_.size() && octets_[at_] == c; }
  bool PeekWord(std::string_view word) const;
  /// Takes it if it is next.
  bool Accept(char c);
  /// Without regard to ASCII case; does not look at what follows the word.
  bool AcceptWord(std::string_view word);
  /// Takes it or fails.
  void Expect(char c, std::string_view expected);
  void Space() { Expect(' ', "SP"); }
  void Word(std::string_view word);

  /// The longest prefix whose octets satisfy `in_class`; fails if it is empty or longer than `limit`.
  template <class F>
  std::string_view TakeWhile(F&& in_class, std::size_t limit, std::string_view expected) {
    if (failed_) return {};
    std::size_t end = at_;
    while (end < octets_.size() && in_class(octets_[end])) ++end;
    if (end == at_ || end - at_ > limit) {
      Fail(end == at_ ? expected : std::string_view("fewer octets"));
      return {};
    }
    return Take(end - at_);
  }
  /// Exactly `n` octets, which the caller knows to be there.
  std::string_view Take(std::size_t n);

  /// Demands the line's end (CRLF; a bare LF is tolerated) and nothing after it.
  void EndOfLine();

  template <class T>
  Parsed<T> Finish(T value) {
    EndOfLine();
    if (failed_) return tl::unexpected<ParseError>(error_);
    return value;
  }

 private:
  std::string_view octets_;
  std::size_t at_ = 0;
  bool failed_ = false;
  ParseError error_;
};

}  // namespace protocol
