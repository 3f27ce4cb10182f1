#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/cpm/fault.h"

namespace protocol::cpm {

/// What it takes to rejoin a group chat (spec note 2.8, application/group-state-object+xml).
struct GroupState {
  struct Participant {
    std::string name;     ///< empty: absent
    std::string address;  ///< comm-addr, as spelled
    std::string role;     ///< empty: absent

    friend bool operator==(const Participant&, const Participant&) = default;
  };

  std::string timestamp;              ///< xsd:dateTime as spelled
  std::string last_focus_session_id;  ///< as spelled, with or without "sip:"
  std::string group_type;             ///< as spelled: "Closed", "open"
  std::string contribution_id;        ///< empty: absent
  std::string subject;                ///< empty: absent
  std::vector<Participant> participants;

  bool closed() const;  ///< group_type is "closed" in any case

  friend bool operator==(const GroupState&, const GroupState&) = default;
};

/// Faults: not well-formed, a mandatory attribute is missing or empty.
tl::expected<GroupState, Fault> ReadGroupState(std::string_view xml);

/// Faults also: a value of several lines, one that XML cannot hold, all over the limit. The subject loses
/// white space around it.
tl::expected<std::string, Fault> WriteGroupState(const GroupState& state);

}  // namespace protocol::cpm
