#include "tools/cms-admin/mbox.h"

#include <charconv>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace admin {
namespace {

constexpr std::string_view kOctets = "X-Cmsd-Octets: ";
constexpr std::string_view kDate = "X-Cmsd-Date: ";
constexpr std::string_view kFlags = "X-Cmsd-Flags: ";

bool IsQuotedFrom(std::string_view line) {
  const auto letters = line.find_first_not_of('>');
  return letters != std::string_view::npos && line.substr(letters).starts_with("From ");
}

/// "Mon Feb  7 06:43:04 1994" at the end of a From line.
std::optional<protocol::InternalDate> FromLineDate(std::string_view line) {
  const auto address_end = line.find(' ', 5);
  if (address_end == std::string_view::npos) return std::nullopt;
  std::tm time{};
  const std::string text(line.substr(address_end + 1));
  if (!::strptime(text.c_str(), "%a %b %d %H:%M:%S %Y", &time)) return std::nullopt;
  return protocol::InternalDate{::timegm(&time), 0};
}

void InsertFlags(std::string_view names, protocol::FlagSet& out) {
  while (!names.empty()) {
    const auto end = names.find(' ');
    if (end != 0) out.Insert(names.substr(0, end));
    names.remove_prefix(end == std::string_view::npos ? names.size() : end + 1);
  }
}

std::string JoinFlags(const protocol::FlagSet& flags) {
  std::string out;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i) {
    const auto flag = static_cast<protocol::SystemFlag>(i);
    if (flags.Contains(flag)) out += fmt::format("{}{}", out.empty() ? "" : " ", protocol::Name(flag));
  }
  for (const auto& keyword : flags.keywords()) out += (out.empty() ? "" : " ") + keyword;
  return out;
}

/// One message under way.
class Entry {
 public:
  explicit Entry(std::string_view from_line) { message_.date = FromLineDate(from_line); }

  /// `line` keeps its end.
  void Add(std::string_view line) {
    if (in_front_ && TakeOwn(line)) return;
    in_front_ = false;
    if (line.starts_with('>') && IsQuotedFrom(line)) line.remove_prefix(1);
    message_.octets += line;
  }

  LocalMessage Take() {
    if (octets_) {
      message_.octets.resize(std::min<std::size_t>(*octets_, message_.octets.size()));
    } else {
      // The empty line that parts two messages.
      if (message_.octets.ends_with("\n\n")) message_.octets.pop_back();
      if (message_.octets.ends_with("\r\n\r\n")) message_.octets.resize(message_.octets.size() - 2);
      message_.octets = WithCrlf(message_.octets);
    }
    return std::move(message_);
  }

 private:
  bool TakeOwn(std::string_view line) {
    const auto value = [&](std::string_view name) {
      return line.substr(name.size(), line.size() - name.size() - 1);
    };
    if (line.starts_with(kOctets)) {
      std::size_t octets = 0;
      const auto text = value(kOctets);
      const auto* const end = text.data() + text.size();
      if (std::from_chars(text.data(), end, octets).ptr != end || text.empty()) return false;  // not ours
      octets_ = octets;
      return true;
    }
    if (!octets_) return false;  // ours come in order, and only with the first
    if (line.starts_with(kDate)) {
      message_.date = protocol::ParseDateTime(value(kDate));
    } else if (line.starts_with(kFlags)) {
      InsertFlags(value(kFlags), message_.flags);
      in_front_ = false;  // the last of ours: the message's own header may begin like them
    } else {
      return false;
    }
    return true;
  }

  LocalMessage message_;
  std::optional<std::size_t> octets_;
  bool in_front_ = true;
};

}  // namespace

std::string WithCrlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

void ReadMbox(std::istream& in, const VisitMessage& visit) {
  std::optional<Entry> entry;
  bool after_empty = true;
  std::string line;
  while (std::getline(in, line)) {
    if (!in.eof()) line += '\n';
    if (after_empty && line.starts_with("From ")) {
      if (entry && !visit(entry->Take())) return;
      entry.emplace(std::string_view(line).substr(0, line.find_last_not_of("\r\n") + 1));
      after_empty = false;
      continue;
    }
    after_empty = line == "\n" || line == "\r\n";
    if (entry) entry->Add(line);
  }
  if (entry) visit(entry->Take());
}

void WriteMbox(std::ostream& out, const LocalMessage& message) {
  const auto date = message.date.value_or(protocol::InternalDate{});
  out << fmt::format("From cmsd {:%a %b %d %H:%M:%S %Y}\n",
                     fmt::gmtime(static_cast<std::time_t>(date.unix_seconds)));
  out << kOctets << message.octets.size() << '\n';
  if (message.date) out << kDate << protocol::FormatDateTime(date) << '\n';
  out << kFlags << JoinFlags(message.flags) << '\n';
  std::string_view rest = message.octets;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
    if (IsQuotedFrom(line)) out << '>';
    out << line;
    rest.remove_prefix(line.size());
  }
  out << "\n\n";
}

}  // namespace admin
