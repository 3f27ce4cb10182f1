#include "tests/support/transcript_script.h"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "tests/support/transcript_pattern.h"

namespace tests::transcript {
namespace {

using Kind = Step::Kind;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool Accept(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// "31 min".
std::optional<std::chrono::seconds> ParseTime(std::string_view text) {
  std::int64_t number = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    number = number * 10 + (text[digits++] - '0');
  }
  const std::string_view unit = Trim(text.substr(digits));
  if (digits == 0) return std::nullopt;
  if (unit == "s") return std::chrono::seconds(number);
  if (unit == "min") return std::chrono::minutes(number);
  if (unit == "h") return std::chrono::hours(number);
  if (unit == "days") return std::chrono::hours(24 * number);
  return std::nullopt;
}

class ScriptParser {
 public:
  tl::expected<Script, std::string> Parse(std::string_view text) {
    while (!text.empty() && error_.empty()) {
      ++line_;
      const auto end = std::min(text.find('\n'), text.size());
      Line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (!error_.empty()) return tl::unexpected<std::string>(fmt::format("line {}: {}", line_, error_));
    return std::move(script_);
  }

 private:
  void Line(std::string_view line) {
    if (line.starts_with('|')) return MessageLine(line.substr(1));
    message_.clear();
    if (line.starts_with('#')) {
      if (script_.steps.empty()) script_.comment += std::string(Trim(line.substr(1))) + "\n";
    } else if (Trim(line).empty()) {
      after_blank_ = true;
    } else {
      Something(line);
      after_blank_ = false;
    }
  }

  void Something(std::string_view line) {
    if (Accept(line, "message ")) {
      message_ = Trim(line);
      if (!script_.messages.emplace(message_, "").second) error_ = "this message is defined twice";
    } else if (Accept(line, "given ")) {
      Add(Kind::kGiven, "", Trim(line));
    } else if (Accept(line, "only here: ")) {
      script_.only_here = Trim(line);
    } else if (Accept(line, "advance ")) {
      const auto time = ParseTime(Trim(line));
      if (!time) error_ = "expected a time: 5 s, 31 min, 2 h, 3 days";
      Add(Kind::kAdvance, "", Trim(line));
      if (time) script_.steps.back().time = *time;
    } else if (line == "shutdown") {
      Add(Kind::kShutdown, "", "");
    } else {
      Dialog(line);
    }
  }

  void MessageLine(std::string_view line) {
    if (message_.empty()) {
      error_ = "'|' without a message before it";
      return;
    }
    Accept(line, " ");
    script_.messages[message_] += Unescape(line) + "\r\n";
  }

  void Dialog(std::string_view line) {
    std::size_t end = 0;
    while (end < line.size() && line[end] >= 'A' && line[end] <= 'Z') ++end;
    const std::string session(line.substr(0, end));
    std::string_view rest = line.substr(end);
    if (session.empty()) {
      error_ = "expected given, message, advance, shutdown, or a session's name in capitals";
    } else if (Accept(rest, ">>")) {
      Accept(rest, " ");
      Add(Kind::kSendPart, session, rest);
    } else if (Accept(rest, ">")) {
      Accept(rest, " ");
      Add(Kind::kSend, session, rest);
    } else if (rest == "<...") {
      Add(Kind::kSkip, session, "");
    } else if (Accept(rest, "<*")) {
      Accept(rest, " ");
      AnyOrder(session, rest);
    } else if (Accept(rest, "<~")) {
      Accept(rest, " ");
      Add(Kind::kWords, session, rest);
    } else if (Accept(rest, "<")) {
      Accept(rest, " ");
      Add(Kind::kExpect, session, rest);
    } else {
      Directive(line);
    }
  }

  /// Lines without a blank line between them are one group.
  void AnyOrder(const std::string& session, std::string_view text) {
    const bool goes_on = !after_blank_ && !script_.steps.empty() &&
                         script_.steps.back().kind == Kind::kAnyOrder &&
                         script_.steps.back().session == session;
    if (!goes_on) Add(Kind::kAnyOrder, session, "");
    script_.steps.back().texts.emplace_back(text);
  }

  // sessions ":" SP what
  void Directive(std::string_view line) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) {
      error_ = "expected '>', '<' or ': ' after the session's name";
      return;
    }
    std::string_view names = line.substr(0, colon);
    const std::string_view what = Trim(line.substr(colon + 2));
    while (!names.empty()) {
      const auto end = std::min(names.find(','), names.size());
      One(std::string(Trim(names.substr(0, end))), what);
      names.remove_prefix(std::min(end + 1, names.size()));
    }
  }

  void One(const std::string& session, std::string_view what) {
    if (what == "connect" || what.starts_with("connect ")) {
      Add(Kind::kConnect, session, Trim(what.substr(7)));
    } else if (what == "login") {
      Add(Kind::kLogin, session, "");
    } else if (what.starts_with("login as ")) {
      Add(Kind::kLogin, session, what.substr(9));
    } else if (what == "handshake") {
      Add(Kind::kHandshake, session, "");
    } else if (what == "compress") {
      Add(Kind::kCompress, session, "");
    } else if (what == "hangs up") {
      Add(Kind::kHangUp, session, "");
    } else if (what == "closed") {
      Add(Kind::kClosed, session, "");
    } else if (what == "nothing") {
      Add(Kind::kNothing, session, "");
    } else if (!what.empty() && what.front() >= 'A' && what.front() <= 'Z') {
      Add(Kind::kRun, session, what);
    } else {
      error_ =
          "expected connect, login, handshake, compress, hangs up, closed, nothing or a command in capitals";
    }
  }

  void Add(Kind kind, std::string session, std::string_view text) {
    script_.steps.push_back(
        {.kind = kind, .line = line_, .session = std::move(session), .text = std::string(text)});
  }

  Script script_;
  std::size_t line_ = 0;
  std::string message_;
  bool after_blank_ = false;
  std::string error_;
};

}  // namespace

tl::expected<Script, std::string> ParseScript(std::string_view text) { return ScriptParser().Parse(text); }

std::string InsertMessages(std::string_view text, const std::map<std::string, std::string>& messages) {
  std::string out;
  while (!text.empty()) {
    const bool octets = text.starts_with("@{");
    if (!octets && text.front() != '{') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto end = text.find('}');
    const std::size_t begin = octets ? 2 : 1;
    std::string name(end == std::string_view::npos ? "" : text.substr(begin, end - begin));
    const bool plus = !octets && name.ends_with('+');
    if (plus) name.pop_back();
    const auto found = messages.find(name);
    if (found == messages.end()) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    out += octets ? found->second : fmt::format("{{{}{}}}", found->second.size(), plus ? "+" : "");
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace tests::transcript
