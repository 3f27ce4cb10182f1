#pragma once

#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tools/cms-admin/conversation_model.h"

namespace admin_test {

/// What cmsd would answer about a conversation, object by object.
class Answer {
 public:
  explicit Answer(std::string_view kind = "one-to-one") {
    json_["account"] = "tel:+1";
    json_["conversation"] = boost::json::object{
        {"folder", "Default/tel:+2"}, {"kind", kind}, {"peer", "tel:+2"}, {"objects", 3}, {"unread", 1},
        {"last_time", 86400}};
    json_["objects"] = boost::json::array();
  }
  boost::json::object& head() { return json_["conversation"].as_object(); }
  /// A received chat message unless changed; the references last until the next Add().
  boost::json::object& Add(std::int64_t time, std::string_view text = {}) {
    auto& objects = json_["objects"].as_array();
    boost::json::object object{{"folder", "Default/tel:+2"},
                               {"uid", objects.size() + 1},
                               {"kind", "chat"},
                               {"time", time},
                               {"direction", "received"},
                               {"from", "tel:+2"},
                               {"flags", boost::json::array({"\\Seen"})}};
    if (!text.empty()) object["text"] = text;
    objects.push_back(std::move(object));
    return objects.back().as_object();
  }
  boost::json::object& AddNotice(std::int64_t time, std::string_view about, std::string_view status,
                                 std::string_view by) {
    auto& object = Add(time);
    object["kind"] = "imdn";
    object["imdn"] = boost::json::object{{"message_id", about}, {"status", status}, {"by", by}};
    return object;
  }
  admin::Conversation Read() const { return admin::ReadConversation(json_); }
  const boost::json::object& json() const { return json_; }

 private:
  boost::json::object json_;
};

}  // namespace admin_test
