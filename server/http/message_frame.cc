#include "server/http/message_frame.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/http/json_fields.h"

namespace server::http {
namespace {

constexpr std::size_t kMaxFlags = 128;

bool ReadFlags(const boost::json::value& value, protocol::FlagSet& out) {
  if (!value.is_array() || value.get_array().size() > kMaxFlags) return false;
  for (const auto& flag : value.get_array()) {
    if (!flag.is_string() || !IsFlagName(flag.get_string())) return false;
    out.Insert(std::string_view(flag.get_string()));
  }
  return true;
}

}  // namespace

// flag-keyword = atom; flag-extension = "\" atom                       ; RFC 3501 §9
bool IsFlagName(std::string_view name) {
  constexpr std::size_t kMaxFlagName = 255;
  if (name.starts_with('\\')) name.remove_prefix(1);
  if (name.empty() || name.size() > kMaxFlagName) return false;
  for (const char c : name)
    if (c <= ' ' || c >= 0x7f || std::string_view("(){%*\"\\]").find(c) != std::string_view::npos)
      return false;
  return true;
}

std::string Encode(const MessageFrame& frame) {
  boost::json::object line;
  line["size"] = frame.size;
  if (frame.uid) line["uid"] = frame.uid->value;
  if (frame.date) line["date"] = protocol::FormatDateTime(*frame.date);
  boost::json::array flags;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i) {
    const auto flag = static_cast<protocol::SystemFlag>(i);
    if (frame.flags.Contains(flag)) flags.emplace_back(protocol::Name(flag));
  }
  for (const auto& keyword : frame.flags.keywords()) flags.emplace_back(keyword);
  line["flags"] = std::move(flags);
  return boost::json::serialize(line) + "\n";
}

std::optional<MessageFrame> DecodeFrame(std::string_view line) {
  boost::system::error_code error;
  const auto value = boost::json::parse(line, error);
  if (error || !value.is_object()) return std::nullopt;
  const auto& json = value.get_object();
  MessageFrame frame;
  const auto* size = json.if_contains("size");
  if (!size || !size->is_int64() || size->get_int64() < 0) return std::nullopt;
  frame.size = static_cast<std::uint64_t>(size->get_int64());
  if (const auto* uid = json.if_contains("uid")) {
    if (!uid->is_int64() || uid->get_int64() < 1 || uid->get_int64() > 0xffffffffLL) return std::nullopt;
    frame.uid = protocol::Uid{static_cast<std::uint32_t>(uid->get_int64())};
  }
  if (const auto* date = json.if_contains("date")) {
    if (date->is_string()) frame.date = protocol::ParseDateTime(date->get_string());
    if (!frame.date) return std::nullopt;
  }
  if (const auto* flags = json.if_contains("flags"))
    if (!ReadFlags(*flags, frame.flags)) return std::nullopt;
  return frame;
}

}  // namespace server::http
