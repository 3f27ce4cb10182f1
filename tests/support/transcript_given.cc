#include "tests/support/transcript_given.h"

#include <regex>

#include <fmt/format.h>

namespace tests::transcript {
namespace {

using Commands = std::vector<std::string>;

std::string Quoted(std::string_view name) { return fmt::format("\"{}\"", name); }

std::string Append(const std::string& folder, std::string_view flags, std::string_view date,
                   std::string_view octets) {
  return fmt::format("APPEND {} ({}) {}{{{}+}}\r\n{}", Quoted(folder), flags,
                     date.empty() ? "" : fmt::format("\"{}\" ", date), octets.size(), octets);
}

/// ", 2 is \Deleted, 1 and 3 are \Seen \Flagged": flags by message.
std::map<int, std::string> FlagsByNumber(const std::string& text) {
  static const std::regex kClause(R"(, ((?:\d+(?:, | and )?)+) (?:is|are) ([^,]+))");
  static const std::regex kNumber(R"(\d+)");
  std::map<int, std::string> flags;
  for (std::sregex_iterator clause(text.begin(), text.end(), kClause), end; clause != end; ++clause) {
    const std::string numbers = (*clause)[1];
    for (std::sregex_iterator number(numbers.begin(), numbers.end(), kNumber); number != end; ++number) {
      std::string& mine = flags[std::stoi(number->str())];
      mine += (mine.empty() ? "" : " ") + (*clause)[2].str();
    }
  }
  return flags;
}

/// Somebody has seen the messages, so that they are \Recent to nobody in the transcript.
void TakeRecent(const std::string& folder, Commands& commands) {
  commands.push_back("SELECT " + Quoted(folder));
  commands.emplace_back("UNSELECT");
}

bool AddMessages(const std::string& folder, const std::string& what,
                 const std::map<std::string, std::string>& messages, Commands& commands) {
  static const std::regex kCount(R"((\d+) (new )?messages?((?:, [^,]+ (?:is|are) [^,]+|, \d+)*))");
  static const std::regex kNamed(R"rx((new )?message (\S+)(?: flags \(([^)]*)\))?(?: date "([^"]*)")?)rx");
  std::smatch match;
  if (std::regex_match(what, match, kCount)) {
    auto flags = FlagsByNumber(match[3]);
    for (int i = 1; i <= std::stoi(match[1]); ++i) {
      commands.push_back(Append(folder, flags[i], "", OrdinaryMessage(i)));
    }
    if (!match[2].matched) TakeRecent(folder, commands);
    return true;
  }
  if (!std::regex_match(what, match, kNamed)) return false;
  const auto message = messages.find(match[2].str());
  if (message == messages.end()) return false;
  commands.push_back(Append(folder, match[3].str(), match[4].str(), message->second));
  if (!match[1].matched) TakeRecent(folder, commands);
  return true;
}

}  // namespace

std::string OrdinaryMessage(int number) {
  return fmt::format(
      "From: Ann <ann@example.com>\r\n"
      "To: Bob <bob@example.com>\r\n"
      "Subject: Message {0}\r\n"
      "Date: Mon, 1 Jan 2024 12:00:00 +0000\r\n"
      "Message-ID: <{0}@example.com>\r\n"
      "\r\n"
      "Body of message {0}.\r\n",
      number);
}

std::optional<Commands> GivenCommands(std::string_view what,
                                      const std::map<std::string, std::string>& messages) {
  static const std::regex kFolder(R"((INBOX|folder (?:(?! with | use ).)+)(?: use (\\\S+))?(?: with (.+))?)");
  static const std::regex kSubscription(R"(subscription (.+))");
  const std::string text(what);
  std::smatch match;
  Commands commands;
  if (std::regex_match(text, match, kSubscription)) {
    commands.push_back("SUBSCRIBE " + Quoted(match[1].str()));
    return commands;
  }
  if (!std::regex_match(text, match, kFolder)) return std::nullopt;
  std::string folder = match[1];
  if (folder != "INBOX") {
    folder = folder.substr(std::string_view("folder ").size());
    commands.push_back("CREATE " + Quoted(folder) +
                       (match[2].matched ? " (USE (" + match[2].str() + "))" : ""));
  }
  if (match[3].matched && !AddMessages(folder, match[3], messages, commands)) return std::nullopt;
  return commands;
}

}  // namespace tests::transcript
