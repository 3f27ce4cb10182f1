// Record: an event of the network becomes one object (spec note 2.11).
#include <optional>

#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "storage/store/core.h"
#include "storage/store/delivery.h"
#include "storage/store/event_object.h"
#include "storage/store/folder_tree.h"
#include "storage/store/id_lookup.h"

namespace storage {
namespace {

namespace cpm = protocol::cpm;
using kv::Table;
using protocol::ObjectKind;

/// The folder that an event belongs to.
struct Destination {
  std::string conversation;            ///< peer's canonical address, or Conversation-ID
  std::optional<std::string> session;  ///< Contribution-ID
};

Result<Destination> DestinationOf(const Event& event) {
  const auto& head = event.head;
  const ObjectKind kind = KindOf(event);
  if (!event.group) {
    if (kind == ObjectKind::kGroupState) {
      return Fail(Errc::kInvalidArgument,
                  "A conversation with one peer has no group state: the event is not a group's");
    }
    const bool sent = head.direction == cpm::Direction::kSent;
    const std::string& named = !event.peer.empty() ? event.peer : sent ? head.to : head.from;
    auto peer = cpm::ParsePeer(named);
    if (!peer) {
      return Fail(Errc::kInvalidArgument,
                  fmt::format("{} names no peer: it is neither a tel nor a sip URI nor a telephone number",
                              !event.peer.empty() ? "peer"
                              : sent              ? "to"
                                                  : "from"));
    }
    return Destination{*std::move(peer), std::nullopt};
  }
  // Else a group would write into the conversation with that peer.
  if (model::IsOneToOne(head.conversation_id)) {
    return Fail(Errc::kInvalidArgument,
                "conversation_id is an address: that is no group's, but names a conversation with one peer");
  }
  Destination out{head.conversation_id, std::nullopt};
  if (event.in_session || kind == ObjectKind::kSessionInfo || kind == ObjectKind::kGroupState)
    out.session = head.contribution_id;
  return out;
}

/// By what an event is known when it comes again, besides its direction (spec note 1.5).
struct Identity {
  IdKind id = IdKind::kImdnMessage;
  std::string value;
  std::optional<ObjectKind> kind;           ///< the id is not the object's alone
  bool same_date = false;                   ///< nor is it with the kind
  std::optional<std::string> conversation;  ///< in that alone
};

Result<Identity> IdentityOf(const Event& event, const Destination& destination) {
  const auto& head = event.head;
  const ObjectKind kind = KindOf(event);
  // Two elements of the network that saw the session start make an IMDN-Message-ID each.
  if (kind == ObjectKind::kSessionInfo)
    return Identity{.id = IdKind::kContribution, .value = head.contribution_id, .kind = kind};
  if (!head.imdn_message_id.empty()) return Identity{.value = head.imdn_message_id};
  if (const auto* sms = std::get_if<cpm::SmsMessage>(&event.what)) {
    // The correlator is the text: "OK" comes more than once.
    Identity out{.id = IdKind::kCorrelator,
                 .value = head.correlator.empty() ? cpm::CorrelatorOf(sms->text) : head.correlator,
                 .same_date = true,
                 .conversation = destination.conversation};
    if (!IsIndexable(out.value)) {
      return Fail(
          Errc::kInvalidArgument,
          "imdn_message_id is missing: the SMS cannot be known by its text, which is empty or too long");
    }
    return out;
  }
  if (kind == ObjectKind::kMms)
    return Identity{.id = IdKind::kCorrelator, .value = head.correlator, .kind = kind};
  return Identity{.id = IdKind::kContribution,
                  .value = head.contribution_id,
                  .kind = kind,
                  .same_date = kind == ObjectKind::kGroupState};
}

/// Looks for an event that was recorded, or brought by a client, before.
class Search {
 public:
  Search(const AccountTxn& txn, const Event& event, const Identity& identity)
      : txn_(txn), event_(event), identity_(identity) {}

  Result<std::optional<Recorded>> Run() const {
    ASSIGN_OR_RETURN(const auto found, FindById(txn_, identity_.id, identity_.value));
    std::optional<Recorded> elsewhere;
    for (const FoundMessage& message : found) {
      ASSIGN_OR_RETURN(const auto folder, txn_.Folder(message.folder));
      if (identity_.conversation && folder.conversation_id != *identity_.conversation) continue;
      ASSIGN_OR_RETURN(const auto object, ObjectIfSame(message));
      if (!object) continue;
      Recorded there{.folder = {txn_.account(), message.folder},
                     .path = folder.path,
                     .uid_validity = folder.uid_validity,
                     .uid = message.uid,
                     .object = *object,
                     .created = false};
      const auto kind = static_cast<FolderKind>(folder.kind);
      if (kind == FolderKind::kConversation || kind == FolderKind::kSession) return std::optional(there);
      if (!elsewhere) elsewhere = std::move(there);  // a copy, in a user folder
    }
    return elsewhere;
  }

 private:
  /// There is hardly ever one to look at, so its header is read for the direction.
  Result<std::optional<ObjectId>> ObjectIfSame(const FoundMessage& message) const {
    ASSIGN_OR_RETURN(
        const auto encoded,
        txn_.Get(Table::kMessages, schema::MessageKey{txn_.account(), message.folder, message.uid}.Encode()));
    if (!encoded) return Fail(Errc::kCorruption, "a message has no row");
    ASSIGN_OR_RETURN(const auto row, schema::StoredMessage::Decode(*encoded));
    if (identity_.kind && row.object_kind != *identity_.kind) return std::optional<ObjectId>{};
    if (identity_.same_date && (!row.sent || row.sent->unix_seconds != event_.head.date->unix_seconds))
      return std::optional<ObjectId>{};
    ASSIGN_OR_RETURN(const auto octets,
                     txn_.Get(Table::kBodies, schema::ChunkKey{txn_.account(), row.object, 0}.Encode()));
    if (!octets || cpm::ReadObjectHead(*octets).direction != event_.head.direction)
      return std::optional<ObjectId>{};
    return std::optional(row.object);
  }

  const AccountTxn& txn_;
  const Event& event_;
  const Identity& identity_;
};

/// One Record() inside its transaction.
class Recording {
 public:
  Recording(AccountTxn& txn, const StoreOptions& options, Actor actor)
      : txn_(txn), tree_(txn, options, actor), actor_(actor) {}

  Result<Recorded> Run(const Destination& destination, const Delivery& delivery) {
    ASSIGN_OR_RETURN(const FolderId conversation, tree_.CreateConversation(destination.conversation));
    FolderId folder = conversation;
    if (destination.session) {
      ASSIGN_OR_RETURN(folder, tree_.CreateSession(conversation, *destination.session));
    }
    ASSIGN_OR_RETURN(const auto placed, delivery.Place(txn_, tree_, folder, actor_));
    ASSIGN_OR_RETURN(const auto row, txn_.Folder(folder));
    return Recorded{.folder = placed.folder,
                    .path = row.path,
                    .uid_validity = placed.uid_validity,
                    .uid = placed.uids.ranges().front().first};
  }

 private:
  AccountTxn& txn_;
  FolderTree tree_;
  const Actor actor_;
};

}  // namespace

Result<Recorded> MailStore::Record(AccountId account, Event event, Actor actor) {
  RETURN_IF_ERROR(CheckEvent(event));
  ASSIGN_OR_RETURN(const Destination destination, DestinationOf(event));
  ASSIGN_OR_RETURN(const Identity identity, IdentityOf(event, destination));
  std::vector<NewMessage> messages;
  ASSIGN_OR_RETURN(auto written, WriteEvent(*this, *core_, account, event));
  const ObjectId object = written.body.object();
  messages.push_back(std::move(written));
  ASSIGN_OR_RETURN(auto delivery, Delivery::Prepare(*core_, std::move(messages), actor));

  Recorded out;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());  // before its folders: it may be gone
    ASSIGN_OR_RETURN(auto before, Search(txn, event, identity).Run());
    if (before) {
      out = *std::move(before);
      return {};
    }
    ASSIGN_OR_RETURN(out, Recording(txn, core_->options, actor).Run(destination, delivery));
    out.object = object;
    return {};
  }));
  if (out.created) delivery.Done();
  return out;
}

}  // namespace storage
