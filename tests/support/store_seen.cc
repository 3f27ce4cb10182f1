#include <functional>

#include "tests/support/store_model.h"

namespace tests {
namespace {

using storage::FolderEntry;
using storage::FolderRef;
using storage::MailStore;
using storage::MessageRow;
using storage::MessageState;
using storage::Uid;

void Agree(bool condition, std::string_view what, const std::string& path) {
  if (!condition) throw std::runtime_error(fmt::format("reads disagree about {} of \"{}\"", what, path));
}

FolderSeen SeeFolder(MailStore& store, storage::AccountId account, const FolderEntry& entry) {
  const auto& path = entry.path;
  const auto status = Must(
      store.GetFolder(account, path, {}, protocol::Right::kRead, {.recent = true, .deleted_octets = true}));
  const auto opened = Must(store.OpenFolder(status.ref, /*claim_recent=*/false));
  const auto reader = Must(store.Read(status.ref));
  Agree(status.ref == FolderRef{account, entry.id}, "id", path);
  Agree(status.path == path && status.use == entry.use && status.kind == entry.kind, "name", path);

  FolderSeen out;
  out.kind = status.kind;
  out.use = status.use;
  out.uid_validity = status.uid_validity.value;
  out.uid_next = status.uid_next.value;
  out.highest_modseq = status.highest_modseq.value;
  out.recent = status.recent;
  out.keywords = *reader.keywords();
  const storage::AnnotationQuery all{{"/private", "/shared"}, protocol::MetadataDepth::kInfinity, {}};
  for (const auto& found : Must(store.GetAnnotations(account, path, all, account)).found) {
    if (!found.kept) out.annotations[protocol::ascii::Lower(found.entry)] = found.value.value();
  }

  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;
  std::optional<Uid> first_unseen;
  Must(reader.States(UidRange(1, 0xffffffff), [&](const MessageState& state) {
    auto& message = out.messages[state.uid.value];
    message.flags = FlagNames(state.flags, out.keywords);
    message.modseq = state.modseq.value;
    const bool seen = state.flags.Has(protocol::SystemFlag::kSeen);
    unseen += seen ? 0 : 1;
    deleted += state.flags.Has(protocol::SystemFlag::kDeleted) ? 1 : 0;
    if (!seen && !first_unseen) first_unseen = state.uid;
  }));
  std::uint64_t octets = 0;
  Must(reader.Rows(UidRange(1, 0xffffffff), [&](Uid uid, const MessageRow& row) {
    auto& message = out.messages[uid.value];
    message.internal_date = row.internal_date.unix_seconds;
    message.save_date = row.save_date;
    message.size = row.size;
    std::string body;
    if (row.size != 0) body = Must(reader.Octets(row.object, 0, row.size));
    Agree(body.size() == row.size, "octets", path);
    message.hash = std::hash<std::string>{}(body);
    octets += row.size;
    return true;
  }));
  storage::UidSet uids;
  for (const auto& [uid, message] : out.messages) uids.Add(Uid{uid});
  Agree(Must(reader.Uids()) == uids && opened.uids == uids, "UIDs", path);
  Agree(status.messages == out.messages.size(), "messages", path);
  Agree(status.unseen == unseen && status.deleted == deleted, "counts", path);
  Agree(status.octets == octets, "octets", path);
  std::uint64_t deleted_octets = 0;
  for (const auto& [uid, message] : out.messages)
    deleted_octets += message.flags.contains("\\deleted") ? message.size : 0;
  Agree(status.deleted_octets == deleted_octets, "octets with \\Deleted", path);
  Agree(opened.first_unseen == first_unseen, "first unseen", path);
  Agree(opened.status.recent == status.recent, "recent", path);
  Agree(*opened.keywords == out.keywords, "keywords", path);
  return out;
}

std::string InWords(const MessageSeen& m) {
  return fmt::format("flags ({}) modseq {} date {} saved {} size {} hash {:x}", fmt::join(m.flags, " "),
                     m.modseq, m.internal_date, m.save_date, m.size, m.hash);
}

template <class T>
std::string Keys(const std::map<std::string, T>& map) {
  std::string out;
  for (const auto& [key, value] : map) out += "\"" + key + "\" ";
  return out;
}

std::string FolderDifference(const FolderSeen& a, const FolderSeen& b, bool exact) {
  if (a.selectable != b.selectable) return b.selectable ? "can be selected" : "cannot be selected";
  if (a.kind != b.kind)
    return fmt::format("kind {}, not {}", static_cast<int>(b.kind), static_cast<int>(a.kind));
  if (a.use != b.use) return "special use";
  if (exact ? a.uid_validity != b.uid_validity : a.uid_validity > b.uid_validity)
    return fmt::format("UIDVALIDITY {}, not {}", b.uid_validity, a.uid_validity);
  if (exact ? a.uid_next != b.uid_next : a.uid_next > b.uid_next)
    return fmt::format("UIDNEXT {}, not {}", b.uid_next, a.uid_next);
  if (exact && a.highest_modseq != b.highest_modseq)
    return fmt::format("HIGHESTMODSEQ {}, not {}", b.highest_modseq, a.highest_modseq);
  if (exact && a.recent != b.recent) return fmt::format("{} recent, not {}", b.recent, a.recent);
  if (a.keywords != b.keywords)
    return fmt::format("keywords {}, not {}", fmt::join(b.keywords, " "), fmt::join(a.keywords, " "));
  if (a.annotations != b.annotations)
    return fmt::format("annotations {}, not {}", Keys(b.annotations), Keys(a.annotations));
  // After a fault UIDs and modseqs may be others, but the messages are the same, in the same order.
  if (a.messages.size() != b.messages.size())
    return fmt::format("{} messages, not {}", b.messages.size(), a.messages.size());
  for (auto x = a.messages.begin(), y = b.messages.begin(); x != a.messages.end(); ++x, ++y) {
    if (exact && x->first != y->first) return fmt::format("UID {}, not {}", y->first, x->first);
    MessageSeen expected = x->second;
    if (!exact) expected.modseq = y->second.modseq;
    if (expected != y->second)
      return fmt::format("UID {}: {}; not {}", y->first, InWords(y->second), InWords(expected));
  }
  return {};
}

}  // namespace

AccountSeen See(MailStore& store, storage::AccountId account) {
  AccountSeen out;
  const auto info = Must(store.GetAccount(account));
  out.used_octets = info.used_octets;
  out.used_messages = info.used_messages;
  const auto quota = Must(store.GetQuota(account));
  Agree(quota.use.octets == info.used_octets && quota.use.messages == info.used_messages &&
            quota.use.folders == info.folders,
        "use", "the quota");
  out.used_annotation_octets = quota.use.annotation_octets;
  out.modseq = info.modseq.value;
  for (auto& path : Must(store.ListSubscriptions(account))) out.subscriptions.insert(std::move(path));
  std::uint32_t selectable = 0;
  for (const auto& entry : Must(store.ListFolders(account))) {
    auto& folder = out.folders[entry.path];
    folder.selectable = entry.id.value != 0;
    if (!folder.selectable) continue;
    ++selectable;
    folder = SeeFolder(store, account, entry);
  }
  Agree(info.folders == selectable, "folder count", "the account");
  return out;
}

std::string Difference(const AccountSeen& a, const AccountSeen& b, Precision precision) {
  const bool exact = precision == Precision::kExact;
  if (Keys(a.folders) != Keys(b.folders))
    return fmt::format("folders {}, not {}", Keys(b.folders), Keys(a.folders));
  if (a.subscriptions != b.subscriptions)
    return fmt::format("subscriptions {}, not {}", fmt::join(b.subscriptions, " "),
                       fmt::join(a.subscriptions, " "));
  for (const auto& [path, folder] : a.folders) {
    const auto difference = FolderDifference(folder, b.folders.at(path), exact);
    if (!difference.empty()) return fmt::format("folder \"{}\": {}", path, difference);
  }
  if (a.used_annotation_octets != b.used_annotation_octets)
    return fmt::format("{} octets of annotations, not {}", b.used_annotation_octets,
                       a.used_annotation_octets);
  if (a.used_octets != b.used_octets || a.used_messages != b.used_messages)
    return fmt::format("use {} in {}, not {} in {}", b.used_octets, b.used_messages, a.used_octets,
                       a.used_messages);
  if (exact ? a.modseq != b.modseq : a.modseq > b.modseq)
    return fmt::format("modseq {}, not {}", b.modseq, a.modseq);
  return {};
}

}  // namespace tests
