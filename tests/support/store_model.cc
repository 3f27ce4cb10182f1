#include "tests/support/store_model.h"

#include <functional>
#include <ostream>
#include <tuple>

#include "protocol/model/mailbox_name.h"

namespace tests {

using Kind = StoreOp::Kind;
using protocol::FlagChange;
using protocol::SpecialUse;
using protocol::ascii::Lower;
using storage::FolderKind;

namespace {

constexpr std::uint32_t kOneCommit = 100;  // storage/store/copy.cc: more UIDs are written ahead
constexpr std::size_t kRowsPerStep = 500;  // storage/store/reap_steps.cc
constexpr auto kDeferred = "$deferred";
constexpr auto kArchived = "$archived";
const std::int64_t kMaxDeferred = storage::Profile{}.max_deferred;

bool IsSystem(const std::string& lower) {
  return lower == "\\answered" || lower == "\\flagged" || lower == "\\deleted" || lower == "\\seen" ||
         lower == "\\draft";
}

/// Of the names that the tests use.
bool IsPeer(const std::string& path) { return path.find("/tel:+") != std::string::npos; }

bool IsOwner(const StoreOp& op) { return op.role == storage::Role::kUser; }

/// The keywords of a client's flags, in the order of a FlagSet. $Deferred is the store's to set.
std::vector<std::string> KeywordsOf(const std::vector<std::string>& flags) {
  std::vector<std::string> out = Flags(flags).keywords();
  std::erase_if(out, [](const std::string& name) { return Lower(name) == kDeferred; });
  return out;
}

bool Has(const std::vector<std::string>& flags, std::string_view name) {
  return std::any_of(flags.begin(), flags.end(), [&](const auto& flag) { return Lower(flag) == name; });
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const StoreOp& op) {
  const auto uids = fmt::format("{}:{}", op.first, op.last);
  const auto flags = fmt::format("({})", fmt::join(op.flags, " "));
  switch (op.kind) {
    case Kind::kCreate: return out << "CREATE " << op.path;
    case Kind::kDelete: return out << "DELETE " << op.path;
    case Kind::kRename: return out << "RENAME " << op.path << " to " << op.other;
    case Kind::kSubscribe: return out << "SUBSCRIBE " << op.path;
    case Kind::kUnsubscribe: return out << "UNSUBSCRIBE " << op.path;
    case Kind::kAppend:
      return out << "APPEND " << op.path << " " << op.count << " times " << op.size << " octets " << flags
                 << (op.expiry == 0 ? "" : fmt::format(" for {} seconds", op.expiry));
    case Kind::kFlags:
      return out << "STORE " << op.path << " " << uids << " " << "=+-"[static_cast<int>(op.op)] << flags;
    case Kind::kExpunge: return out << "EXPUNGE " << op.path << " " << uids;
    case Kind::kCopy: return out << "COPY " << op.path << " " << uids << " to " << op.other;
    case Kind::kMove: return out << "MOVE " << op.path << " " << uids << " to " << op.other;
    case Kind::kClaimRecent: return out << "SELECT " << op.path;
    case Kind::kAccess: return out << "FETCH BODY[] " << op.path << " " << uids;
    case Kind::kAnnotate:
      return out << "SETMETADATA " << op.path << " " << op.entry << " " << op.value.value_or("NIL");
    case Kind::kSetQuota: {
      const auto limit = [](const auto& value) { return value ? std::to_string(*value) : "none"; };
      return out << "quota octets " << limit(op.limits.octets) << " messages " << limit(op.limits.messages)
                 << " folders " << limit(op.limits.folders) << " annotation octets "
                 << limit(op.limits.annotation_octets);
    }
    case Kind::kAdvance: return out << "advance " << op.count;
    case Kind::kDrain: return out << "drain";
    case Kind::kReopen: return out << "reopen";
  }
  return out;
}

StoreModel::StoreModel(std::int64_t started, std::uint64_t modseq, const std::string& default_folder)
    : now(started), next_uid_validity_(static_cast<std::uint32_t>(started)), modseq_(modseq) {
  Make("INBOX", SpecialUse::kNone);
  folders_["INBOX"].seen.kind = FolderKind::kInbox;
  if (default_folder.empty()) return;
  Make(default_folder, SpecialUse::kNone);
  folders_[default_folder].seen.kind = FolderKind::kDefault;
  subscriptions_.insert(default_folder);
}

std::optional<Errc> StoreModel::Apply(const StoreOp& op) {
  switch (op.kind) {
    case Kind::kCreate: return Create(op);
    case Kind::kDelete: return Delete(op.path);
    case Kind::kRename: return Rename(op);
    case Kind::kSubscribe: modseq_ += subscriptions_.insert(op.path).second ? 1 : 0; return {};
    case Kind::kUnsubscribe: modseq_ += subscriptions_.erase(op.path); return {};
    case Kind::kAppend: return Append(op);
    case Kind::kFlags: return ChangeFlags(op);
    case Kind::kExpunge: return Expunge(op);
    case Kind::kCopy:
    case Kind::kMove: return Copy(op);
    case Kind::kClaimRecent: return ClaimRecent(op.path);
    case Kind::kAccess: return Access(op);
    case Kind::kAnnotate: return Annotate(op);
    case Kind::kSetQuota: limits_ = op.limits; return {};
    case Kind::kAdvance:
      now += op.count;
      Reap();
      return {};
    case Kind::kDrain:
    case Kind::kReopen: return {};
  }
  return {};
}

AccountSeen StoreModel::Seen() const {
  AccountSeen out;
  out.subscriptions = subscriptions_;
  out.used_octets = used_octets_;
  out.used_messages = used_messages_;
  out.used_annotation_octets = AnnotationOctets();
  out.modseq = modseq_;
  for (const auto& [path, folder] : folders_) {
    FolderSeen seen = folder.seen;
    for (const auto& [uid, message] : seen.messages) seen.recent += uid >= folder.recent_from ? 1 : 0;
    out.folders[path] = std::move(seen);
  }
  return out;
}

StoreModel::Folder* StoreModel::Find(const std::string& path) {
  const auto at = folders_.find(path);
  return at == folders_.end() || !at->second.seen.selectable ? nullptr : &at->second;
}

bool StoreModel::HasInferiors(const std::string& path) const {
  return std::any_of(folders_.begin(), folders_.end(),
                     [&](const auto& entry) { return entry.first.starts_with(path + "/"); });
}

std::optional<FolderKind> StoreModel::KindOf(const std::string& path) const {
  if (path.empty()) return FolderKind::kUser;
  if (const auto at = folders_.find(path); at != folders_.end()) return at->second.seen.kind;
  const std::string superior(protocol::ParentName(path));
  const auto above = KindOf(superior);
  if (!above || above == FolderKind::kSession) return std::nullopt;
  if (above == FolderKind::kDefault) return FolderKind::kConversation;
  if (above != FolderKind::kConversation) return FolderKind::kUser;
  const auto at = folders_.find(superior);
  const bool peer = at == folders_.end() ? IsPeer(superior) : at->second.peer;
  return peer ? std::nullopt : std::optional(FolderKind::kSession);
}

void StoreModel::Make(const std::string& path, SpecialUse use) {
  Folder folder;
  folder.seen.kind = KindOf(path).value();
  folder.peer = folder.seen.kind == FolderKind::kConversation && IsPeer(path);
  folder.seen.use = use;
  folder.seen.uid_validity = next_uid_validity_++;
  folder.seen.highest_modseq = modseq_;
  folders_[path] = std::move(folder);
}

void StoreModel::MakeSuperiors(const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (!folders_.contains(path.substr(0, slash))) Make(path.substr(0, slash), SpecialUse::kNone);
  }
}

void StoreModel::Prune(std::string path) {
  for (path = protocol::ParentName(path); !path.empty(); path = std::string(protocol::ParentName(path))) {
    const auto at = folders_.find(path);
    if (at == folders_.end() || at->second.seen.selectable || HasInferiors(path)) break;
    folders_.erase(at);
  }
}

std::uint64_t StoreModel::AnnotationOctets() const {
  std::uint64_t octets = 0;
  for (const auto& [path, folder] : folders_) {
    for (const auto& [entry, value] : folder.seen.annotations) octets += entry.size() + value.size();
  }
  return octets;
}

bool StoreModel::OverQuota(std::uint64_t octets, std::uint64_t messages) const {
  return (limits_.octets && used_octets_ + octets > *limits_.octets) ||
         (limits_.messages && used_messages_ + messages > *limits_.messages);
}

std::optional<Errc> StoreModel::MayMake(const std::string& path, bool itself) const {
  std::uint64_t have = 0;
  for (const auto& [at, folder] : folders_) have += folder.seen.selectable ? 1 : 0;
  for (auto slash = path.find('/');; slash = path.find('/', slash + 1)) {
    const bool last = slash == std::string::npos;
    const std::string name = path.substr(0, slash);
    if (last ? itself : !folders_.contains(name)) {
      if (!KindOf(name)) return Errc::kNotAllowed;
      if (limits_.folders && ++have > *limits_.folders) return Errc::kOverQuota;
    }
    if (last) return {};
  }
}

std::optional<Errc> StoreModel::Create(const StoreOp& op) {
  if (Find(op.path)) return Errc::kFolderExists;
  if (const auto refused = MayMake(op.path, /*itself=*/true)) return refused;
  ++modseq_;
  MakeSuperiors(op.path);
  Make(op.path, op.use);
  return {};
}

std::optional<Errc> StoreModel::Delete(const std::string& path) {
  if (path == "INBOX") return Errc::kNotAllowed;
  const auto at = folders_.find(path);
  if (at == folders_.end()) return Errc::kNoSuchFolder;
  const bool inferiors = HasInferiors(path);
  if (!at->second.seen.selectable) return inferiors ? Errc::kFolderHasChildren : Errc::kNoSuchFolder;
  if (at->second.seen.kind == FolderKind::kDefault) return Errc::kNotAllowed;
  ++modseq_;
  Drop(at->second);
  if (at->second.seen.kind == FolderKind::kConversation) {
    std::erase_if(folders_, [&](const auto& entry) {
      const bool session = entry.first.starts_with(path + "/");
      if (session) Drop(entry.second);
      return session || entry.first == path;
    });
    Prune(path);
  } else if (inferiors) {
    at->second = {};
    at->second.seen = {.selectable = false};
  } else {
    folders_.erase(at);
    Prune(path);
  }
  return {};
}

void StoreModel::Drop(const Folder& folder) {
  for (const auto& [uid, message] : folder.seen.messages) {
    used_octets_ -= message.size;
    --used_messages_;
  }
}

bool StoreModel::TakesUserFolders(const std::string& superior) const {
  const auto kind = KindOf(superior);
  return kind == FolderKind::kUser || kind == FolderKind::kInbox;
}

/// Whole conversations move to user folders, where they may be renamed, and never back; their parts do not
/// move alone; names of both are the network's otherwise; all else stays out of the default folder, which
/// stays where it is.
std::optional<Errc> StoreModel::MayRename(const StoreOp& op) const {
  const std::string to_superior(protocol::ParentName(op.other));
  const bool in_place = protocol::ParentName(op.path) == to_superior;
  const auto kind = folders_.at(op.path).seen.kind;
  for (const auto& [path, folder] : folders_) {
    const bool mine = path == op.path || path.starts_with(op.path + "/");
    if (mine && folder.seen.kind == FolderKind::kDefault) return Errc::kNotAllowed;
  }
  const bool networks_name = kind == FolderKind::kSession || (kind == FolderKind::kConversation &&
                                                              KindOf(to_superior) == FolderKind::kDefault);
  if (in_place && networks_name)
    return op.role == storage::Role::kPf ? std::nullopt : std::optional(Errc::kNoPermission);
  if (kind == FolderKind::kSession || !TakesUserFolders(to_superior)) return Errc::kNotAllowed;
  return {};
}

std::optional<Errc> StoreModel::Rename(const StoreOp& op) {
  const std::string& from = op.path;
  const std::string& to = op.other;
  if (from == "INBOX") {
    if (Find(to)) return Errc::kFolderExists;
    if (const auto refused = MayMake(to, /*itself=*/false)) return refused;
    if (!TakesUserFolders(std::string(protocol::ParentName(to)))) return Errc::kNotAllowed;
    if (const auto refused = MayMake(to, /*itself=*/true)) return refused;
    std::uint64_t copied = 0;
    for (const auto& [entry, value] : folders_[from].seen.annotations) copied += entry.size() + value.size();
    if (copied != 0 && AnnotationOctets() + copied > limits_.annotation_octets.value_or(~0ULL))
      return Errc::kOverQuota;
    Create({.kind = Kind::kCreate, .path = to});
    folders_[to].seen.annotations = folders_[from].seen.annotations;
    if (Find(from)->seen.messages.empty()) return {};
    --modseq_;  // making the folder and moving the messages is one change
    return Copy({.kind = Kind::kMove, .path = from, .other = to, .role = op.role});
  }
  if (!folders_.contains(from)) return Errc::kNoSuchFolder;
  if (to.starts_with(from + "/")) return Errc::kNotAllowed;
  if (folders_.contains(to)) return Errc::kFolderExists;
  if (const auto refused = MayMake(to, /*itself=*/false)) return refused;
  if (const auto refused = MayRename(op)) return refused;
  ++modseq_;
  MakeSuperiors(to);
  std::map<std::string, Folder> moved;
  for (auto at = folders_.begin(); at != folders_.end();) {
    const bool mine = at->first == from || at->first.starts_with(from + "/");
    if (mine) moved[to + at->first.substr(from.size())] = std::move(at->second);
    at = mine ? folders_.erase(at) : std::next(at);
  }
  for (auto& [path, folder] : moved) {
    if (IsOwner(op)) Keep(folder, 1, 0xffffffff);
  }
  folders_.merge(moved);
  Prune(from);
  return {};
}

std::optional<Errc> StoreModel::Annotate(const StoreOp& op) {
  const auto at = folders_.find(op.path);
  if (at == folders_.end()) return Errc::kNoSuchFolder;
  if (!at->second.seen.selectable) return Errc::kNotAllowed;
  auto& annotations = at->second.seen.annotations;
  const auto before = annotations;
  const std::uint64_t octets = AnnotationOctets();
  if (op.value)
    annotations[Lower(op.entry)] = *op.value;
  else
    annotations.erase(Lower(op.entry));
  if (AnnotationOctets() > octets && AnnotationOctets() > limits_.annotation_octets.value_or(~0ULL)) {
    annotations = before;
    return Errc::kOverQuota;
  }
  if (annotations != before) at->second.seen.highest_modseq = ++modseq_;
  return {};
}

/// The name in lower case, with the folder's table made to hold it.
std::string StoreModel::Keyword(Folder& folder, const std::string& name) {
  const std::string lower = Lower(name);
  auto& known = folder.seen.keywords;
  if (!IsSystem(lower) &&
      std::none_of(known.begin(), known.end(), [&](const auto& k) { return Lower(k) == lower; }))
    known.push_back(name);
  return lower;
}

std::optional<Errc> StoreModel::Append(const StoreOp& op) {
  // The owner keeps what is archived.
  const bool temporary = op.expiry != 0 && !Has(op.flags, kArchived);
  if (temporary && (op.expiry < 0 || op.expiry > kMaxDeferred)) return Errc::kNotAllowed;
  Folder* folder = Find(op.path);
  if (!folder) return Errc::kNoSuchFolder;
  if (folder->seen.kind == FolderKind::kDefault) return Errc::kNotAllowed;
  std::uint64_t added = 0;
  for (std::uint32_t i = 0; i < op.count; ++i) added += MessageOctets(seed + i, op.size).size();
  if (OverQuota(added, op.count)) return Errc::kOverQuota;
  ++modseq_;
  // Keywords enter the table in the order of a FlagSet, not in that of the client.
  auto flags = Flags(KeywordsOf(op.flags));
  if (temporary) flags.Insert(std::string_view("$Deferred"));
  for (std::uint32_t i = 0; i < op.count; ++i) {
    const std::string octets = MessageOctets(seed++, op.size);
    MessageSeen message{.modseq = modseq_,
                        .internal_date = now,
                        .save_date = now,
                        .size = octets.size(),
                        .hash = std::hash<std::string>{}(octets)};
    for (const auto& name : op.flags) {
      if (IsSystem(Lower(name))) message.flags.insert(Lower(name));
    }
    for (const auto& name : flags.keywords()) message.flags.insert(Keyword(*folder, name));
    if (temporary) folder->due[folder->seen.uid_next] = now + op.expiry;
    folder->seen.messages[folder->seen.uid_next++] = std::move(message);
    used_octets_ += octets.size();
    ++used_messages_;
  }
  folder->seen.highest_modseq = modseq_;
  return {};
}

std::optional<Errc> StoreModel::ChangeFlags(const StoreOp& op) {
  Folder* folder = Find(op.path);
  if (!folder) return Errc::kNoSuchFolder;
  Folder changed = *folder;
  std::set<std::string> named;
  for (const auto& name : op.flags) {
    if (IsSystem(Lower(name))) named.insert(Lower(name));
  }
  for (const auto& name : KeywordsOf(op.flags))
    named.insert(op.op == FlagChange::Op::kRemove ? Lower(name) : Keyword(changed, name));
  bool any = false;
  for (auto& [uid, message] : changed.seen.messages) {
    if (uid < op.first || uid > op.last) continue;
    auto flags = op.op == FlagChange::Op::kReplace ? named : message.flags;
    if (op.op == FlagChange::Op::kAdd) flags.insert(named.begin(), named.end());
    if (op.op == FlagChange::Op::kRemove) std::erase_if(flags, [&](auto& f) { return named.contains(f); });
    if (message.flags.contains(kDeferred)) {
      // \Seen, \Answered and $Forwarded are the owner's access, archiving is anybody's, and so is to say it.
      const auto set = [&](const char* name) {
        return flags.contains(name) && !message.flags.contains(name);
      };
      const bool accessed = set("\\seen") || set("\\answered") || set("$forwarded");
      const bool stays = (accessed && IsOwner(op)) || set(kArchived) ||
                         (op.op == FlagChange::Op::kRemove && Has(op.flags, kDeferred));
      flags.insert(kDeferred);
      if (stays) flags.erase(kDeferred);
    }
    if (flags == message.flags) continue;
    any = true;
    message.flags = std::move(flags);
    message.modseq = modseq_ + 1;
  }
  if (!any) return {};
  changed.seen.highest_modseq = ++modseq_;
  *folder = std::move(changed);
  return {};
}

std::optional<Errc> StoreModel::Expunge(const StoreOp& op) {
  Folder* folder = Find(op.path);
  if (!folder) return Errc::kNoSuchFolder;
  bool any = false;
  auto& messages = folder->seen.messages;
  for (auto at = messages.begin(); at != messages.end();) {
    const bool gone = at->first >= op.first && at->first <= op.last && at->second.flags.contains("\\deleted");
    if (gone) {
      any = true;
      used_octets_ -= at->second.size;
      --used_messages_;
      folder->due.erase(at->first);
    }
    at = gone ? messages.erase(at) : std::next(at);
  }
  if (any) folder->seen.highest_modseq = ++modseq_;
  return {};
}

std::optional<Errc> StoreModel::Copy(const StoreOp& op) {
  Folder* source = Find(op.path);
  Folder* target = Find(op.other);
  if (!source || !target) return Errc::kNoSuchFolder;
  const bool move = op.kind == Kind::kMove;
  const auto kind = source->seen.kind;
  if (target->seen.kind == FolderKind::kDefault) return Errc::kNotAllowed;
  if (move && (kind == FolderKind::kConversation || kind == FolderKind::kSession)) return Errc::kNotAllowed;
  std::map<std::uint32_t, MessageSeen> chosen;
  std::uint64_t octets = 0;
  for (const auto& [uid, message] : source->seen.messages) {
    if (uid < op.first || uid > op.last) continue;
    chosen[uid] = message;
    octets += message.size;
  }
  if (chosen.empty()) return {};
  if (!move && OverQuota(octets, chosen.size())) {
    if (op.last - op.first >= kOneCommit) {
      // Written ahead: the UIDs and the modseq are used up.
      target->seen.uid_next += static_cast<std::uint32_t>(chosen.size());
      ++modseq_;
    }
    return Errc::kOverQuota;
  }
  ++modseq_;
  const auto names = source->seen.keywords;
  for (auto& [uid, message] : chosen) {
    if (IsOwner(op)) message.flags.erase(kDeferred);
    if (message.flags.contains(kDeferred)) target->due[target->seen.uid_next] = source->due.at(uid);
    for (const auto& name : names) {
      if (message.flags.contains(Lower(name))) Keyword(*target, name);
    }
    message.modseq = modseq_;
    message.save_date = now;
    target->seen.messages[target->seen.uid_next++] = message;
    if (move) {
      source->seen.messages.erase(uid);
      source->due.erase(uid);
    }
  }
  if (!move) {
    used_octets_ += octets;
    used_messages_ += chosen.size();
    for (const auto& [uid, message] : chosen) {
      if (IsOwner(op)) Keep(*source, uid, uid);
    }
  } else {
    source->seen.highest_modseq = modseq_;
  }
  target->seen.highest_modseq = modseq_;
  return {};
}

std::optional<Errc> StoreModel::Access(const StoreOp& op) {
  Folder* folder = Find(op.path);
  if (!folder) return Errc::kNoSuchFolder;
  if (!IsOwner(op)) return {};
  const auto& messages = folder->seen.messages;
  const bool any = std::any_of(messages.lower_bound(op.first), messages.upper_bound(op.last),
                               [](const auto& entry) { return entry.second.flags.contains(kDeferred); });
  if (!any) return {};
  ++modseq_;
  Keep(*folder, op.first, op.last);
  return {};
}

void StoreModel::Keep(Folder& folder, std::uint32_t first, std::uint32_t last) {
  for (auto& [uid, message] : folder.seen.messages) {
    if (uid < first || uid > last || message.flags.erase(kDeferred) == 0) continue;
    message.modseq = folder.seen.highest_modseq = modseq_;
  }
}

void StoreModel::Reap() {
  while (ReapSome()) {
  }
}

/// One step: what is due of the folder that has something due first, but not more rows than a step looks at.
bool StoreModel::ReapSome() {
  std::map<std::tuple<std::int64_t, std::uint32_t, std::uint32_t>, Folder*> rows;
  for (auto& [path, folder] : folders_) {
    // Ids of folders are given out in the order of UIDVALIDITYs.
    for (const auto& [uid, time] : folder.due) {
      if (time <= now) rows[{time, folder.seen.uid_validity, uid}] = &folder;
    }
  }
  if (rows.empty()) return false;
  Folder& folder = *rows.begin()->second;
  bool any = false;
  std::size_t seen = 0;
  for (const auto& [key, of] : rows) {
    if (seen++ == kRowsPerStep) break;
    if (of != &folder) continue;
    const std::uint32_t uid = std::get<2>(key);
    folder.due.erase(uid);
    const auto message = folder.seen.messages.find(uid);
    if (message == folder.seen.messages.end() || !message->second.flags.contains(kDeferred)) continue;
    used_octets_ -= message->second.size;
    --used_messages_;
    folder.seen.messages.erase(message);
    any = true;
  }
  if (any) folder.seen.highest_modseq = ++modseq_;
  return true;
}

std::optional<Errc> StoreModel::ClaimRecent(const std::string& path) {
  Folder* folder = Find(path);
  if (!folder) return Errc::kNoSuchFolder;
  folder->recent_from = folder->seen.uid_next;
  return {};
}

}  // namespace tests
