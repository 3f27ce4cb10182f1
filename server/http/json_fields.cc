#include "server/http/json_fields.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace server::http {
namespace {

/// What the caller sent is shown in part, and without controls.
std::string Shown(std::string_view key) {
  constexpr std::size_t kMost = 60;
  std::string out(key.substr(0, kMost));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c == 0x7f; }, '?');
  return key.size() > kMost ? out + "..." : out;
}

}  // namespace

const boost::json::value* Fields::Take(std::string_view key) {
  known_.push_back(key);
  return json_.if_contains(key);
}

void Fields::Wrong(std::string_view key, std::string_view what) {
  if (wrong_.empty()) wrong_ = fmt::format("{}{} {}", path_, Shown(key), what);
}

void Fields::Text(std::string_view key, std::string& out) {
  const auto* value = Take(key);
  if (value == nullptr) return;
  if (!value->is_string()) return Wrong(key, "must be a text");
  out = value->get_string();
}

void Fields::Bool(std::string_view key, bool& out) {
  const auto* value = Take(key);
  if (value == nullptr) return;
  if (!value->is_bool()) return Wrong(key, "must be true or false");
  out = value->get_bool();
}

void Fields::Number(std::string_view key, std::uint64_t& out) {
  const auto* value = Take(key);
  if (value == nullptr) return;
  if (!value->is_int64() || value->get_int64() < 0) return Wrong(key, "must be a whole number");
  out = static_cast<std::uint64_t>(value->get_int64());
}

void Fields::Texts(std::string_view key, std::vector<std::string>& out, std::size_t most) {
  const auto* value = Take(key);
  if (value == nullptr) return;
  const auto text = [](const boost::json::value& entry) { return entry.is_string(); };
  if (!value->is_array() || value->get_array().size() > most ||
      !std::ranges::all_of(value->get_array(), text))
    return Wrong(key, fmt::format("must be a list of at most {} texts", most));
  for (const auto& entry : value->get_array()) out.emplace_back(entry.get_string());
}

void Fields::Inner(Fields& inner, const Read& read) {
  read(inner);
  inner.Finish();
  if (wrong_.empty()) wrong_ = inner.wrong_;
}

void Fields::Object(std::string_view key, const Read& read) {
  const auto* value = Take(key);
  if (value == nullptr) return Wrong(key, "is missing");
  if (!value->is_object()) return Wrong(key, "must be an object");
  Fields inner(value->get_object(), fmt::format("{}{}.", path_, key));
  Inner(inner, read);
}

void Fields::Objects(std::string_view key, std::size_t most, const Read& read) {
  const auto* value = Take(key);
  if (value == nullptr) return;
  if (!value->is_array() || value->get_array().size() > most)
    return Wrong(key, fmt::format("must be a list of at most {} objects", most));
  std::size_t number = 0;
  for (const auto& entry : value->get_array()) {
    if (!entry.is_object()) return Wrong(key, "must be a list of objects");
    Fields inner(entry.get_object(), fmt::format("{}{}[{}].", path_, key, number++));
    Inner(inner, read);
  }
}

void Fields::Finish() {
  for (const auto& entry : json_) {
    if (std::ranges::find(known_, std::string_view(entry.key())) == known_.end())
      return Wrong(entry.key(), "is no key that this takes");
  }
}

}  // namespace server::http
