#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "server/http/call.h"

namespace server::http {

/// Reads the keys of a JSON object that are known, and keeps the first thing that is wrong with it:
/// "contents[1].type must be a text". A key that is absent leaves its variable as it was.
class Fields {
 public:
  explicit Fields(const boost::json::object& json, std::string path = {})
      : json_(json), path_(std::move(path)) {}

  /// The value, which counts as known; nullptr: absent.
  const boost::json::value* Take(std::string_view key);

  void Text(std::string_view key, std::string& out);
  void Bool(std::string_view key, bool& out);
  void Number(std::string_view key, std::uint64_t& out);
  void Texts(std::string_view key, std::vector<std::string>& out, std::size_t most);
  using Read = std::function<void(Fields&)>;
  /// Must be there.
  void Object(std::string_view key, const Read& read);
  void Objects(std::string_view key, std::size_t most, const Read& read);

  void Wrong(std::string_view key, std::string_view what);
  /// A key that nobody took is wrong.
  void Finish();

  bool wrong() const { return !wrong_.empty(); }
  Refusal refusal() const { return {Status::bad_request, "invalid_argument", wrong_}; }

 private:
  void Inner(Fields& inner, const Read& read);

  const boost::json::object& json_;
  const std::string path_;  ///< of this object: empty, or "contents[1]."
  std::vector<std::string_view> known_;
  std::string wrong_;
};

/// flag-keyword or flag-extension of RFC 3501 §9, not too long. (message_frame.cc)
bool IsFlagName(std::string_view name);

}  // namespace server::http
