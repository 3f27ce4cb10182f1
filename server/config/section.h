#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "server/config/config.h"

namespace server::config {

/// Reads one table of the file key by key; a key nobody asked for is reported by Finish(). Absent keys leave
/// `out` as it is.
///
/// Lifetime: the table and `problems` outlive it.
class Section {
 public:
  /// `name` is its path in messages: "limits", "imap.listen". A null table is an empty one.
  Section(const toml::table* table, std::string name, std::vector<Problem>& problems)
      : table_(table), name_(std::move(name)), problems_(problems) {}

  void Text(std::string_view key, std::string& out);
  /// An array of strings.
  void Texts(std::string_view key, std::vector<std::string>& out);
  void Bool(std::string_view key, bool& out);
  void Seconds(std::string_view key, std::chrono::seconds& out, std::int64_t min, std::int64_t max);

  template <std::unsigned_integral T>
  void Number(std::string_view key, T& out, std::int64_t min, std::int64_t max) {
    if (const auto value = Integer(key, min, max)) out = static_cast<T>(*value);
  }

  /// One of a few words.
  template <class T, std::size_t N>
  void Choice(std::string_view key, T& out, const std::pair<std::string_view, T> (&words)[N]) {
    std::string word;
    if (!TextIfPresent(key, word)) return;
    std::string all;
    for (const auto& [name, value] : words) {
      if (name == word) {
        out = value;
        return;
      }
      all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", name);
    }
    Report(key, fmt::format("must be one of {}", all));
  }

  /// `[[name.key]]`: calls `read` for each table; false if the key is absent.
  bool Tables(std::string_view key, const std::function<void(Section&)>& read);
  /// `[name.key]`
  Section Table(std::string_view key);

  void Report(std::string_view key, std::string what);
  void Require(std::string_view key);
  /// Reports the keys that were not read.
  void Finish();

 private:
  const toml::node* Find(std::string_view key);
  std::optional<std::int64_t> Integer(std::string_view key, std::int64_t min, std::int64_t max);
  bool TextIfPresent(std::string_view key, std::string& out);
  std::string PathOf(std::string_view key) const {
    return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
  }

  const toml::table* table_;
  std::string name_;
  std::vector<Problem>& problems_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace server::config
