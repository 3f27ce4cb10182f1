#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/cms-admin/text_width.h"

// What cmsd's answers hold. A key that is absent, or of another type, is empty: a newer or older cmsd may
// leave it out.
namespace admin {

inline std::string Text(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

inline std::uint64_t Number(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

inline bool IsTrue(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

/// Of others' making, for a terminal.
inline std::string TextLine(const boost::json::object& object, std::string_view key) {
  return VisibleLine(Text(object, key));
}

/// One line on standard output, the same to a program and harmless to a terminal.
template <class Value>
void PrintJson(const Value& value) {
  fmt::print("{}\n", VisibleJson(boost::json::serialize(value)));
}

}  // namespace admin
