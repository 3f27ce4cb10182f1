#include "storage/store/session_objects.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "protocol/cpm/address.h"
#include "protocol/cpm/body.h"
#include "protocol/cpm/group_state.h"
#include "protocol/cpm/limits.h"
#include "protocol/cpm/object_head.h"
#include "protocol/cpm/session_info.h"
#include "protocol/mime/parts.h"
#include "storage/store/body_source.h"

namespace storage {
namespace {

namespace cpm = protocol::cpm;
using kv::Table;
using protocol::ObjectKind;

/// An object's octets and where its parts are.
struct Opened {
  protocol::mime::Parts parts;
  BodySource source;
};

std::optional<Opened> Open(const AccountTxn& txn, const schema::StoredMessage& message) {
  auto parts = protocol::mime::DecodeParts(message.parts);
  if (!parts || parts->empty()) return std::nullopt;
  return Opened{*std::move(parts),
                BodySource(txn.account(), message.object, message.size, [&txn](const std::string& key) {
                  return ToOctets(txn.Get(Table::kBodies, key));
                })};
}

std::optional<cpm::GroupState> ReadGroupState(const AccountTxn& txn, const schema::StoredMessage& message) {
  auto object = Open(txn, message);
  if (!object) return std::nullopt;
  const auto xml = cpm::ReadXmlBody(object->parts.front(), object->source);
  if (!xml) return std::nullopt;
  auto state = cpm::ReadGroupState(*xml);
  if (!state) return std::nullopt;
  return *std::move(state);
}

std::vector<std::string> InvitedBy(const AccountTxn& txn, const schema::StoredMessage& message) {
  std::vector<std::string> out;
  auto object = Open(txn, message);
  if (!object) return out;
  auto info = cpm::ReadSessionInfo(object->parts, object->source);
  if (!info) return out;
  const std::uint64_t header = std::min<std::uint64_t>(object->parts.front().body_begin, cpm::kMaxViewHeader);
  const auto octets = cpm::ReadOctets(object->source, 0, header);
  if (octets) out.push_back(cpm::ReadObjectHead(*octets).from);
  out.insert(out.end(), info->participants.begin(), info->participants.end());
  return out;
}

std::string JoinAddresses(const std::vector<std::string>& addresses) {
  std::unordered_set<std::string> seen;  // a hostile list is long
  std::string out;
  for (const std::string& address : addresses) {
    const std::string name = cpm::ParsePeer(address).value_or(address);
    if (name.empty() || !seen.insert(name).second) continue;
    if (!out.empty()) out += ';';
    out += name;
  }
  return out;
}

}  // namespace

std::int64_t TimeOfGroupState(const AccountTxn& txn, const schema::StoredMessage& message) {
  const auto state = ReadGroupState(txn, message);
  if (!state) return kEarliest;
  return cpm::ParseIsoDateTime(state->timestamp).value_or(kEarliest);
}

std::optional<std::string> ParticipantsOf(const AccountTxn& txn, const schema::StoredMessage& message) {
  std::vector<std::string> addresses;
  if (message.object_kind == ObjectKind::kSessionInfo) {
    addresses = InvitedBy(txn, message);
  } else if (message.object_kind == ObjectKind::kGroupState) {
    const auto state = ReadGroupState(txn, message);
    if (!state) return std::nullopt;
    for (const auto& participant : state->participants) addresses.push_back(participant.address);
  }
  std::string joined = JoinAddresses(addresses);
  if (joined.empty()) return std::nullopt;
  return joined;
}

}  // namespace storage
