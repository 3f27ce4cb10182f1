#pragma once

#include <string>
#include <variant>
#include <vector>

#include <boost/json/object.hpp>

#include "server/http/call.h"
#include "storage/store/event.h"

namespace server::http {

/// An event as README.md describes it.
struct EventRequest {
  storage::Event event;
  std::vector<bool> awaits_file;  ///< one for each content of the event, in their order

  std::size_t files() const;
};

/// Octets of a description: a message's text is in it. XML of an object is bounded more tightly.
inline constexpr std::size_t kMaxEventJson = 1 << 20;

/// Unknown keys are refused, so that a typing error does not lose what was meant. Names the key that is
/// wrong.
std::variant<EventRequest, Refusal> ReadEvent(const boost::json::object& json);

}  // namespace server::http
