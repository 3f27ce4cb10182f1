#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/imap/command.h"
#include "protocol/imap/input_buffer.h"
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
                          command::AppendMessage, AppendOctets, AppendEnd, Line>;

/// Turns a client's octets into commands, without doing any I/O.
///
/// Give it octets, call Next() until it says NeedBytes. Commands come out one by one, so pipelined input
/// waits inside. A literal is refused before it is sent when what stands before it does not parse. A line
/// ends with CRLF; a bare LF is tolerated, as most servers do.
///
/// APPEND: AppendBegin, then for each message AppendMessage, which the caller must answer before the next
/// Next():
///   Accept()   then write "+ ..." if `synchronizing`; AppendOctets steps follow, in all `size` octets;
///   Refuse()   the command is over for the reader: the caller writes its own tagged NO. Octets that the
///   client sends
///              all the same (LITERAL+) are skipped.
/// After the last octet comes the next AppendMessage, or AppendEnd, or BadCommand.
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
  /// Takes the first `n` octets of Space().
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

  /// Forgets unread octets: what was pipelined before a TLS handshake must not count (RFC 3501 §6.2.1).
  void DropInput();
  bool HasInput() const;

  /// Bytes of heap memory held now.
  std::size_t HeapBytes() const;

 private:
  enum class Mode : std::uint8_t {
    kCommand,       ///< at the start of a line or within a command
    kLine,          ///< ExpectLine
    kAnswerAppend,  ///< AppendMessage was given out, Accept or Refuse must come
    kAppendOctets,  ///< handing out a message
    kAfterMessage,  ///< at what follows a message's octets
    kSkipOctets,    ///< of a refused literal
    kSkipLine,      ///< to the end of a refused command
    kDead,          ///< after a fatal error
  };

  InputBuffer input_;
  std::string tag_;  ///< of the APPEND under way
  Mode mode_ = Mode::kCommand;
  bool authenticated_ = false;
};

}  // namespace protocol
