#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/property/notify_model.h"
#include "tests/support/random_rounds.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace tests {

/// A client: believes what it is told of its selected mailbox, and keeps the lines of the others.
class Watcher {
 public:
  bool connected() const { return client_.has_value(); }
  bool held() const { return held_; }
  bool idling() const { return idling_; }
  bool condstore() const { return qresync_; }
  const Wish& wish() const { return wish_; }
  bool notifying() const { return notifying_; }
  const std::string& selected() const { return selected_; }
  const std::vector<std::uint32_t>& numbers() const { return numbers_; }
  const std::map<std::uint32_t, FlagWords>& cache() const { return cache_; }
  std::uint64_t origin() const { return origin_; }

  void Connect(server::imap::Client client, bool qresync, std::uint64_t origin) {
    client_.emplace(std::move(client));
    origin_ = origin;
    qresync_ = qresync;
    notifying_ = held_ = idling_ = false;
    wish_ = {};
    numbers_.clear();
    told_ = {};
    if (qresync) Run("ENABLE QRESYNC");
  }
  void HangUp() {
    Forget(0);
    client_.reset();
  }
  void Notify(const Wish& wish, bool status) {
    Run(wish.Command(status));
    wish_ = wish;
    notifying_ = true;
  }
  void NotifyNone() {
    Run("NOTIFY NONE");
    wish_ = {};
    notifying_ = true;
  }
  /// `known`: with what it knows of the mailbox from before.
  void Select(const std::string& path, bool known) {
    numbers_.clear();
    std::string parameters;
    if (known && qresync_ && selected_ == path && validity_ != 0) {
      parameters = fmt::format(" (QRESYNC ({} {}))", validity_, modseq_);
    } else {
      cache_.clear();
    }
    selected_ = path;
    std::uint32_t unknown = cache_.empty() ? 1 : cache_.rbegin()->first + 1;
    const std::uint64_t validity = validity_;
    Run(fmt::format("SELECT {}{}", path, parameters));
    if (validity_ != validity) unknown = 1;
    Run(fmt::format("UID FETCH {}:* (UID FLAGS{})", unknown, qresync_ ? " MODSEQ" : ""));
    if (!numbers_.empty()) Run("FETCH 1:* (UID)");
  }
  void Unselect(const std::string& command) {
    Run(command);
    Forget(0);
    selected_.clear();
    numbers_.clear();
    cache_.clear();
  }
  void Hold() {
    client_->Send("x NO");
    held_ = true;
  }
  void Release() {
    client_->Send("OP\r\n");
    held_ = false;
    Take(client_->Answer("x"));
  }
  void Idle() {
    client_->Send("i IDLE\r\n");
    std::string line = client_->Line();
    while (!line.starts_with("+ ")) {
      Take(line + "\n");
      line = client_->Line();
    }
    idling_ = true;
  }
  void Done() {
    client_->Send("DONE\r\n");
    idling_ = false;
    Take(client_->Answer("i"));
  }
  std::string Run(const std::string& command) {
    if (kTrace) fmt::print("  {}> {}\n", origin_, command);
    client_->Send("a " + command + "\r\n");
    const std::string answer = client_->Answer();
    Take(answer);
    const auto last = answer.rfind("\na ");
    return last == std::string::npos ? answer : answer.substr(last + 1);
  }
  std::string Append(const std::string& path, const std::string& message) {
    std::string answer = client_->Append(path, message);
    Take(answer);
    return answer;
  }
  /// What was pushed to it.
  void TakePushed() {
    if (!client_) return;
    std::string all;
    for (const auto& line : client_->Pushed()) all += line + "\n";
    if (!all.empty()) Take(all);
  }
  /// Lines about other mailboxes since the last call.
  Lines Told() { return std::exchange(told_, {}); }
  /// Lines about the selected one.
  std::size_t TakeOfSelected() { return std::exchange(of_selected_, 0); }
  /// Asks for what is new to it.
  void LearnNew() {
    const auto at = std::ranges::find(numbers_, 0U);
    if (at == numbers_.end()) return;
    Run(fmt::format("FETCH {}:* (UID FLAGS{})", at - numbers_.begin() + 1, qresync_ ? " MODSEQ" : ""));
  }

 private:
  /// What was announced but not asked for is not known, nor what is above it.
  void Forget(std::uint32_t of) {
    const auto unknown = std::ranges::find(numbers_, of);
    if (unknown == numbers_.end()) return;
    const std::uint32_t last = unknown == numbers_.begin() ? 0 : *(unknown - 1);
    cache_.erase(cache_.upper_bound(last), cache_.end());
  }

  /// One answer, or what was pushed at a time.
  void Take(std::string_view lines) {
    std::uint64_t shown = 0;
    std::optional<std::uint64_t> told;
    while (!lines.empty()) {
      const auto end = lines.find('\n');
      const std::string_view line = lines.substr(0, end);
      lines.remove_prefix(end + 1);
      if (kTrace) fmt::print("  {}< {}\n", origin_, line);
      EXPECT_NE(line, "(closed)");
      if (const auto value = NumberAfter(line, "[HIGHESTMODSEQ ")) told = *value;
      if (const auto value = NumberAfter(line, "MODSEQ (")) shown = std::max(shown, *value);
      TakeLine(line);
    }
    // RFC 7162 §6: the code counts, if there is one, else the highest of what was shown.
    modseq_ = told.value_or(std::max(modseq_, shown));
  }

  void TakeLine(std::string_view line) {
    if (const auto value = NumberAfter(line, "[UIDVALIDITY ")) {
      if (*value != validity_) cache_.clear();
      validity_ = *value;
    }
    if (line.starts_with("* STATUS ") || line.starts_with("* LIST ") || line.starts_with("* METADATA ")) {
      told_.insert(std::string(line));
      return;
    }
    if (!line.starts_with("* ")) return;
    if (line.starts_with("* VANISHED (EARLIER) ")) return Erase(line.substr(21), /*earlier=*/true);
    if (line.starts_with("* VANISHED ")) return Erase(line.substr(11), /*earlier=*/false);
    const std::uint64_t number = NumberAt(line.substr(2));
    if (line.ends_with(" EXISTS")) {
      ++of_selected_;
      EXPECT_GE(number, numbers_.size());
      numbers_.resize(number, 0);
    } else if (line.ends_with(" EXPUNGE")) {
      ++of_selected_;
      ASSERT_LE(number, numbers_.size()) << line;
      cache_.erase(numbers_[number - 1]);
      numbers_.erase(numbers_.begin() + static_cast<std::ptrdiff_t>(number) - 1);
    } else if (line.find(" FETCH (") != std::string_view::npos) {
      ++of_selected_;
      TakeFetch(number, line);
    }
  }

  void Erase(std::string_view set, bool earlier) {
    while (!set.empty()) {
      const auto end = set.find(',');
      const std::string_view part = set.substr(0, end);
      const auto colon = part.find(':');
      const std::uint64_t last = NumberAt(colon == std::string_view::npos ? part : part.substr(colon + 1));
      for (std::uint64_t uid = NumberAt(part); uid <= last; ++uid)
        EraseOne(static_cast<std::uint32_t>(uid), earlier);
      set.remove_prefix(end == std::string_view::npos ? set.size() : end + 1);
    }
  }
  void EraseOne(std::uint32_t uid, bool earlier) {
    cache_.erase(uid);
    if (earlier) return;
    ++of_selected_;
    auto at = std::ranges::find(numbers_, uid);
    // One that was announced and not asked for, behind those with a lower UID.
    if (at == numbers_.end()) at = std::ranges::find(numbers_, 0U);
    ASSERT_NE(at, numbers_.end()) << "VANISHED " << uid << " was never announced";
    numbers_.erase(at);
  }

  void TakeFetch(std::uint64_t number, std::string_view line) {
    ASSERT_GE(number, 1U) << line;
    ASSERT_LE(number, numbers_.size()) << line;
    std::uint32_t& uid = numbers_[number - 1];
    if (const auto value = NumberAfter(line, "UID ")) {
      EXPECT_TRUE(uid == 0 || uid == *value) << line << ", but it was " << uid;
      uid = static_cast<std::uint32_t>(*value);
    }
    ASSERT_NE(uid, 0U) << line << " of a message whose UID is not known";
    const auto flags = line.find("FLAGS (");
    if (flags == std::string_view::npos) return;
    std::string_view list = line.substr(flags + 7);
    list = list.substr(0, list.find(')'));
    FlagWords names;
    while (!list.empty()) {
      const auto end = list.find(' ');
      std::string name = protocol::ascii::Lower(list.substr(0, end));
      if (!name.empty() && name != "\\recent") names.insert(std::move(name));
      list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    }
    cache_[uid] = std::move(names);
  }

  std::optional<server::imap::Client> client_;
  std::uint64_t origin_ = 0;
  bool qresync_ = false;
  bool notifying_ = false;
  bool held_ = false;
  bool idling_ = false;
  Wish wish_;
  std::string selected_;  ///< and, while it is away, what was
  std::uint64_t validity_ = 0;
  std::uint64_t modseq_ = 0;
  std::map<std::uint32_t, FlagWords> cache_;
  std::vector<std::uint32_t> numbers_;
  Lines told_;
  std::size_t of_selected_ = 0;
};

const std::vector<std::string>& Paths() {
  static const std::vector<std::string> paths{"INBOX", "a", "a/b", "a/b/c", "d", "e", "e/f"};
  return paths;
}

}  // namespace tests
