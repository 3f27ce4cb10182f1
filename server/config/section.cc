#include "server/config/section.h"

#include <optional>

namespace server::config {

const toml::node* Section::Find(std::string_view key) {
  known_.emplace(key);
  return table_ ? table_->get(key) : nullptr;
}

void Section::Report(std::string_view key, std::string what) {
  const toml::node* node = table_ ? table_->get(key) : nullptr;
  const std::uint32_t line = node ? node->source().begin.line : table_ ? table_->source().begin.line : 0;
  problems_.push_back({line, PathOf(key) + ": " + std::move(what)});
}

void Section::Require(std::string_view key) {
  if (!table_ || !table_->get(key)) Report(key, "is missing");
}

bool Section::TextIfPresent(std::string_view key, std::string& out) {
  const auto* node = Find(key);
  if (!node) return false;
  const auto value = node->value_exact<std::string>();
  if (!value) {
    Report(key, "must be a text in quotes");
    return false;
  }
  out = *value;
  return true;
}

void Section::Text(std::string_view key, std::string& out) { TextIfPresent(key, out); }

void Section::Texts(std::string_view key, std::vector<std::string>& out) {
  const auto* node = Find(key);
  if (!node) return;
  std::vector<std::string> texts;
  const auto* array = node->as_array();
  for (std::size_t i = 0; array && i < array->size(); ++i) {
    if (const auto text = array->get(i)->value_exact<std::string>()) texts.push_back(*text);
  }
  if (array && texts.size() == array->size())
    out = std::move(texts);
  else
    Report(key, "must be an array of strings");
}

void Section::Bool(std::string_view key, bool& out) {
  const auto* node = Find(key);
  if (!node) return;
  if (const auto value = node->value_exact<bool>()) {
    out = *value;
  } else {
    Report(key, "must be true or false");
  }
}

std::optional<std::int64_t> Section::Integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const auto* node = Find(key);
  if (!node) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= min && *value <= max) return value;
  Report(key, fmt::format("must be a whole number from {} to {}", min, max));
  return std::nullopt;
}

void Section::Seconds(std::string_view key, std::chrono::seconds& out, std::int64_t min, std::int64_t max) {
  if (const auto value = Integer(key, min, max)) out = std::chrono::seconds(*value);
}

Section Section::Table(std::string_view key) {
  const auto* node = Find(key);
  if (node && !node->is_table()) Report(key, fmt::format("must be a table: [{}]", PathOf(key)));
  return Section(node ? node->as_table() : nullptr, PathOf(key), problems_);
}

bool Section::Tables(std::string_view key, const std::function<void(Section&)>& read) {
  const auto* node = Find(key);
  if (!node) return false;
  const auto* array = node->as_array();
  if (!array || (!array->empty() && !array->is_homogeneous(toml::node_type::table))) {
    Report(key, fmt::format("must be a list of tables: [[{}]]", PathOf(key)));
    return true;
  }
  for (const auto& entry : *array) {
    Section section(entry.as_table(), PathOf(key), problems_);
    read(section);
    section.Finish();
  }
  return true;
}

void Section::Finish() {
  if (!table_) return;
  for (const auto& [key, node] : *table_)
    if (!known_.contains(key.str()))
      problems_.push_back({key.source().begin.line, PathOf(key.str()) + ": there is no such key"});
}

}  // namespace server::config
