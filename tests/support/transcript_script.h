#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace tests::transcript {

/// One thing that a transcript does; the format is in tests/README.md.
struct Step {
  enum class Kind {
    kGiven,      ///< text: "folder Archive", with `messages`
    kSend,       ///< X> text, CRLF added
    kSendPart,   ///< X>> text, nothing added
    kExpect,     ///< X< text
    kAnyOrder,   ///< X<* texts
    kWords,      ///< X<~ text
    kSkip,       ///< X<... : lines are passed over until one matches the step after it
    kConnect,    ///< X: connect [remote] [tls|starttls]; text: the options
    kLogin,      ///< X: login [as user]; text: the user
    kRun,        ///< X: SELECT INBOX: logged in and run unseen, must be OK
    kHandshake,  ///< X: handshake
    kCompress,   ///< X: compress
    kHangUp,     ///< X: hangs up
    kClosed,     ///< X: closed
    kNothing,    ///< X: nothing
    kAdvance,    ///< advance 31 min
    kShutdown,   ///< shutdown
  };

  Kind kind = Kind::kGiven;
  std::size_t line = 0;  ///< in the file, from 1
  std::string session;
  std::string text;
  std::vector<std::string> texts;
  std::chrono::seconds time{0};
};

struct Script {
  std::string comment;    ///< the leading lines with '#'
  std::string only_here;  ///< why other servers answer differently; empty: they should not
  std::map<std::string, std::string> messages;  ///< octets with CRLF, by name
  std::vector<Step> steps;
};

/// An error is a sentence with the line's number.
tl::expected<Script, std::string> ParseScript(std::string_view text);

/// "{name}", "{name+}" become the size of that message as a literal's announcement, "@{name}" its octets.
/// Braces around anything else stay.
std::string InsertMessages(std::string_view text, const std::map<std::string, std::string>& messages);

}  // namespace tests::transcript
