#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/imap/command.h"
#include "protocol/imap/input_buffer.h"
#include "protocol/imap/limits.h"
#include "protocol/imap/parse/append.h"
#include "protocol/imap/parse/literal_tail.h"
#include "protocol/imap/reply.h"

namespace protocol {

/// More input is needed: read into Space() and Grow(), or Feed().
struct NeedBytes {};
/// The client waits for "+ ..." before it sends a literal that was accepted; write it, then go on.
struct NeedContinuation {};
/// The command is refused; write `reply` under `tag` (empty: untagged). Ends an APPEND under way: drop what
/// was staged.
struct BadCommand {
  std::string tag;
  Reply reply;         ///< BAD, or NO [TOOBIG]
  bool fatal = false;  ///< the input cannot be followed any further: BYE and close
};
/// Octets of the message that AppendMessage announced; valid until the next call of a member that is not
/// const.
struct AppendOctets {
  std::span<const char> octets;
};
/// The APPEND command is complete and well-formed.
struct AppendEnd {};
/// What ExpectLine asked for, without its CRLF; valid as for AppendOctets.
struct Line {
  std::string_view text;
};

using Step = std::variant<NeedBytes, NeedContinuation, BadCommand, TaggedCommand, command::AppendBegin,
                          command::AppendMessage, command::CatenateUrl, command::CatenateText, AppendOctets,
                          AppendEnd, Line>;

/// Turns a client's octets into commands, without doing any I/O.
///
/// Give it octets, call Next() until it says NeedBytes. Commands come out one by one, so pipelined input
/// waits inside. A literal is refused before it is sent when what stands before it does not parse. A line
/// ends with CRLF; a bare LF is tolerated, as most servers do.
///
/// APPEND and REPLACE are given out in any state: AppendBegin, then for each message AppendMessage, and after
/// one with `catenate` its parts, CatenateUrl and CatenateText. Before it calls Next() again the caller
/// answers what announces a literal, AppendMessage without `catenate` and CatenateText, with one of
///   Accept()  then writes "+ ..." if `synchronizing`; AppendOctets steps follow, `size` octets in all;
///   Refuse()  and its own tagged NO: the command is over. Octets that come all the same (LITERAL+) are
///             skipped. The other steps may be answered by Refuse() too.
/// After the last octet comes what follows, or AppendEnd, or BadCommand.
///
/// Lifetime   one connection.
/// Thread     the connection's strand.
/// Invariant  holds no heap memory while it has no unread octets and no command under way.
class CommandReader {
 public:
  CommandReader() = default;

  /// Where the next octets may be written: never empty; stays valid until the next call. Allocates, so wait
  /// until the socket is readable first if memory matters.
  std::span<char> Space();
  /// Takes the first `n` octets of Space(). 0: nothing came, and what Space() allocated is given back if
  /// nothing is in it.
  void Grow(std::size_t n);
  /// Copies octets in: Space() and Grow() in one.
  void Feed(std::span<const char> octets);

  /// What the octets so far amount to. After `fatal` only NeedBytes follows.
  Step Next();

  void Accept();
  void Refuse();

  /// The next line is no command: DONE of IDLE, a SASL response. Next() then gives Line once.
  void ExpectLine();

  /// Greater limits apply from the next command on (limits.h).
  void SetAuthenticated();
  /// As at the beginning (RFC 8437).
  void SetNotAuthenticated();

  /// What [METADATA MAXSIZE] names, at most limits::kMetadataValue: a longer literal is refused unread.
  void SetMetadataValueLimit(std::uint64_t octets) {
    metadata_value_limit_ = std::min<std::uint64_t>(octets, limits::kMetadataValue);
  }

  /// Forgets unread octets: what was pipelined before a TLS handshake must not count (RFC 3501 §6.2.1).
  void DropInput();
  bool HasInput() const;

  /// Bytes of heap memory held now.
  std::size_t HeapBytes() const;

 private:
  enum class Mode : std::uint8_t {
    kCommand,       ///< at the start of a line or within a command
    kLine,          ///< ExpectLine
    kSteps,         ///< giving out what an APPEND says up to its next literal
    kAnswer,        ///< a literal was announced: Accept or Refuse must come
    kOctets,        ///< handing out a literal
    kAfterMessage,  ///< at what follows its octets
    kSkipOctets,    ///< of a refused literal
    kSkipLine,      ///< to the end of a refused command
    kDead,          ///< after a fatal error
  };

  Step NextCommand();
  Step NextLine();
  Step NextStep();
  Step NextOctets();
  Step NextAfterMessage();
  /// False when more octets are needed.
  bool Skip();

  Step Head(std::size_t line_end);
  Step Literal(std::size_t line_end, const parse::LiteralTail& literal, std::string tag);
  Step NeedMore();
  Step Refused(std::size_t line_begin, std::string tag, Reply reply);
  Step Fatal(std::string tag, Reply reply);
  void SkipFrom(std::uint64_t octets);
  std::optional<Reply> Count(parse::AppendFragment& fragment);
  void Begin(parse::AppendFragment fragment);
  template <class Announced>
  void BeginLiteral(const Announced& announced);
  void ForgetTag();
  void EndLines();
  void EndCommand();

  std::size_t MaxLine() const;
  std::size_t MaxLiteral() const;
  std::uint64_t MaxSkipped() const;

  InputBuffer input_;
  // The command under way begins at input_'s start; none of it is consumed before it is whole.
  std::size_t line_begin_ = 0;   ///< where its current line starts: after a literal's octets
  std::size_t scanned_ = 0;      ///< no line end before this
  std::size_t line_octets_ = 0;  ///< of its finished lines
  std::size_t literal_octets_ = 0;
  std::size_t literals_ = 0;

  std::string tag_;                              ///< of the APPEND under way
  std::unique_ptr<parse::AppendFragment> said_;  ///< by it: what is to be given out
  std::size_t next_step_ = 0;                    ///< of these
  std::uint64_t remaining_ = 0;                  ///< octets of the message or the refused literal
  std::uint64_t skipped_ = 0;                    ///< since the command was refused
  std::size_t messages_ = 0;                     ///< announced by the APPEND under way
  std::size_t parts_ = 0;                        ///< of these, by CATENATE
  Mode mode_ = Mode::kCommand;
  bool one_message_ = false;  ///< it is a REPLACE
  bool in_catenate_ = false;
  bool binary_ = false;
  bool synchronizing_ = false;
  bool authenticated_ = false;
  std::uint64_t metadata_value_limit_ = limits::kMetadataValue;
};

}  // namespace protocol
