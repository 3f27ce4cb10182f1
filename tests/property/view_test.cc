// Several sessions' views of one folder against a naive model of RFC 3501's rules for untagged data.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "server/imap/view/mailbox_view.h"

namespace server::imap {
namespace {

using storage::Change;
using storage::KeywordTable;
using storage::MessageState;
using storage::ModSeq;

constexpr storage::FolderRef kFolder{{1}, {7}};

/// The folder, without any cleverness.
struct Folder {
  std::map<std::uint32_t, MessageState> messages;
  std::uint32_t uid_next = 1;
  std::uint64_t modseq = 1;
  std::map<std::uint32_t, std::uint64_t> vanished;  ///< modseq by UID
  std::shared_ptr<const KeywordTable> keywords = std::make_shared<KeywordTable>();
  std::vector<ChangeInbox*> listeners;

  UidSet Uids() const {
    UidSet uids;
    for (const auto& [uid, state] : messages) uids.Add(Uid{uid});
    return uids;
  }
  template <class What>
  void Publish(storage::Origin origin, What what) {
    const auto change =
        std::make_shared<const Change>(Change{kFolder.account, ModSeq{modseq}, origin, std::move(what)});
    for (ChangeInbox* inbox : listeners) inbox->OnChange(change);
  }
  void Append(std::uint32_t count) {
    ++modseq;
    UidSet uids;
    for (std::uint32_t i = 0; i < count; ++i) {
      messages[uid_next] = {Uid{uid_next}, {}, ModSeq{modseq}};
      uids.Add(Uid{uid_next++});
    }
    Publish({}, storage::MessagesAdded{kFolder.folder, uids});
  }
  void Expunge(const UidSet& uids, storage::Origin origin) {
    UidSet gone;
    uids.ForEach([&](Uid uid) {
      if (messages.erase(uid.value) > 0) gone.Add(uid);
    });
    if (gone.empty()) return;
    ++modseq;
    gone.ForEach([&](Uid uid) { vanished[uid.value] = modseq; });
    Publish(origin, storage::MessagesExpunged{kFolder.folder, gone});
  }
  std::vector<MessageState> Flag(const UidSet& uids, std::uint32_t bit, bool add, storage::Origin origin) {
    std::vector<MessageState> changed;
    uids.ForEach([&](Uid uid) {
      const auto at = messages.find(uid.value);
      if (at == messages.end()) return;
      const std::uint32_t flags = add ? at->second.flags.system | bit : at->second.flags.system & ~bit;
      if (flags == at->second.flags.system) return;
      at->second.flags.system = flags;
      at->second.modseq = ModSeq{modseq + 1};
      changed.push_back(at->second);
    });
    if (changed.empty()) return changed;
    ++modseq;
    Publish(origin, storage::FlagsChanged{kFolder.folder, changed, keywords});
    return changed;
  }
  FolderPicture Picture(ModSeq since) const {
    FolderPicture picture;
    picture.modseq = ModSeq{modseq};
    picture.uids = Uids();
    picture.keywords = keywords;
    for (const auto& [uid, state] : messages) {
      if (state.modseq > since) picture.changed.push_back(state);
    }
    return picture;
  }
};

/// What a client knows from nothing but the answers: messages by position.
class Client final : public ViewReports {
 public:
  struct Message {
    Uid uid;
    std::uint32_t flags;
  };

  Client(const Folder& folder, const std::unique_ptr<MailboxView>& view) : folder_(folder), view_(view) {}

  void Keywords(const KeywordTable&) override {}
  void Exists(std::uint32_t messages) override {
    RC_ASSERT(messages >= known.size());
    // As clients do, it asks for UID and FLAGS of what is new. What is gone by now has no flags to tell.
    for (auto seq = static_cast<std::uint32_t>(known.size()) + 1; seq <= messages; ++seq) {
      const Uid uid = view_->map().UidOf(SeqNum{seq});
      const auto at = folder_.messages.find(uid.value);
      known.push_back({uid, at == folder_.messages.end() ? 0 : at->second.flags.system});
    }
    ++written;
  }
  void Recent(std::uint32_t) override { ++written; }
  void Expunge(SeqNum seq) override {
    RC_ASSERT(expunge_allowed);
    RC_ASSERT(seq.value >= 1 && seq.value <= known.size());
    known.erase(known.begin() + (seq.value - 1));
    ++written;
  }
  void Vanished(const UidSet& uids) override {
    RC_ASSERT(expunge_allowed);
    // Only what was announced, and each once (RFC 7162 §3.2.10.2).
    const auto told =
        std::erase_if(known, [&](const Message& message) { return uids.Contains(message.uid); });
    RC_ASSERT(told == uids.size());
    ++written;
  }
  bool expunges_by_uid() const override { return by_uid; }
  void FetchFlags(SeqNum seq, const MessageState& state, bool) override {
    RC_ASSERT(seq.value >= 1 && seq.value <= known.size());
    RC_ASSERT(known[seq.value - 1].uid == state.uid);
    known[seq.value - 1].flags = state.flags.system;
    ++written;
  }
  bool Full() const override { return written >= room; }

  std::vector<Message> known;
  bool expunge_allowed = false;
  bool by_uid = false;
  std::size_t written = 0;
  std::size_t room = 1000;

 private:
  const Folder& folder_;
  const std::unique_ptr<MailboxView>& view_;
};

struct Session {
  Session(Folder& in, std::uint64_t id, ChangeInbox::Limits limits)
      : folder(in), own{id}, inbox(kFolder.folder, [] {}, limits), client(in, view) {
    folder.listeners.push_back(&inbox);
    storage::OpenedFolder opened;
    opened.status.ref = kFolder;
    opened.status.highest_modseq = ModSeq{folder.modseq};
    opened.keywords = folder.keywords;
    opened.uids = folder.Uids();
    opened.recent_from = Uid{folder.uid_next};
    view = std::make_unique<MailboxView>(opened, false, own, inbox);
    client.Exists(view->messages());
    client.by_uid = id % 2 == 0;
  }
  ~Session() { std::erase(folder.listeners, &inbox); }

  void Sync(ExpungePolicy policy, std::size_t room) {
    if (view->Absorb()) view->Adopt(folder.Picture(view->modseq()));
    client.expunge_allowed = policy == ExpungePolicy::kAllowed;
    client.room = room;
    do client.written = 0;
    while (!view->Report(policy, client));
  }
  void Store(const UidSet& uids, std::uint32_t bit, bool add, bool silent) {
    const auto changed = folder.Flag(uids, bit, add, own);
    for (auto& message : client.known) {
      // The client computes a silent result itself; otherwise it is told.
      if (!uids.Contains(message.uid)) continue;
      if (silent) message.flags = add ? message.flags | bit : message.flags & ~bit;
    }
    if (silent) return;
    for (const auto& state : changed) {
      for (auto& message : client.known) {
        if (message.uid == state.uid) message.flags = state.flags.system;
      }
    }
    // No-ops are told as they are.
    for (auto& message : client.known) {
      const auto at = folder.messages.find(message.uid.value);
      if (uids.Contains(message.uid) && at != folder.messages.end()) message.flags = at->second.flags.system;
    }
    view->NoteTold(changed);
  }

  Folder& folder;
  storage::Origin own;
  ChangeInbox inbox;
  std::unique_ptr<MailboxView> view;
  Client client;
};

UidSet Pick(const UidSet& from, std::uint32_t seed) {
  UidSet out;
  from.ForEach([&](Uid uid) {
    if (((seed >> (uid.value % 16)) & 1) != 0) out.Add(uid);
  });
  return out;
}

void CheckAgrees(const Folder& folder, const Session& session) {
  RC_ASSERT(session.view->map().Uids() == folder.Uids());
  RC_ASSERT(session.client.known.size() == folder.messages.size());
  std::size_t at = 0;
  for (const auto& [uid, state] : folder.messages) {
    RC_ASSERT(session.client.known[at].uid == Uid{uid});
    RC_ASSERT(session.client.known[at].flags == state.flags.system);
    RC_ASSERT(session.view->map().SeqOf(Uid{uid}) == SeqNum{static_cast<std::uint32_t>(at + 1)});
    ++at;
  }
}

/// RFC 7162 §6: a client that loses its connection now, and comes back with what the view says it was told,
/// is told the rest.
void CheckReturn(const Folder& folder, const Session& session) {
  const std::uint64_t told = session.view->told().value;
  for (const Client::Message& message : session.client.known) {
    const auto at = folder.messages.find(message.uid.value);
    if (at == folder.messages.end()) {
      RC_ASSERT(folder.vanished.at(message.uid.value) > told);
    } else {
      RC_ASSERT(at->second.modseq.value > told || at->second.flags.system == message.flags);
    }
  }
  // What it does not know is new to it, so it has a higher UID than all that it knows.
  for (const auto& [uid, state] : folder.messages) {
    const auto known = [&](const Client::Message& message) { return message.uid.value == uid; };
    const bool higher = session.client.known.empty() || uid > session.client.known.back().uid.value;
    RC_ASSERT(higher || std::ranges::any_of(session.client.known, known));
  }
}

struct Step {
  int what;
  int session;
  std::uint32_t seed;
};

rc::Gen<Step> ArbitraryStep() {
  return rc::gen::apply([](int what, int session, std::uint32_t seed) { return Step{what, session, seed}; },
                        rc::gen::inRange(0, 9), rc::gen::inRange(0, 3),
                        rc::gen::inRange<std::uint32_t>(0, 1U << 20));
}

void Perform(Folder& folder, Session& session, const Step& step) {
  const UidSet all = folder.Uids();
  const std::uint32_t bit = 1U << (step.seed % 3);
  const bool add = (step.seed >> 17) % 2 == 0;
  switch (step.what) {
    case 0: folder.Append(step.seed % 4 + 1); break;
    case 1: folder.Expunge(Pick(all, step.seed & step.seed >> 3), {}); break;
    case 2: folder.Expunge(Pick(session.view->map().Uids(), step.seed & step.seed >> 2), session.own); break;
    case 3: static_cast<void>(folder.Flag(Pick(all, step.seed), bit, add, {})); break;
    case 4: session.Store(Pick(session.view->map().Uids(), step.seed), bit, add, /*silent=*/true); break;
    case 5: session.Store(Pick(session.view->map().Uids(), step.seed), bit, add, /*silent=*/false); break;
    case 6: session.Sync(ExpungePolicy::kForbidden, 1000); break;
    case 7: session.Sync(ExpungePolicy::kForbidden, step.seed % 3 + 1); break;
    default: session.Sync(ExpungePolicy::kAllowed, step.seed % 3 + 1); break;
  }
}

void EverySessionAgreesInTheEnd(ChangeInbox::Limits limits) {
  Folder folder;
  folder.Append(*rc::gen::inRange<std::uint32_t>(0, 12));
  std::vector<std::unique_ptr<Session>> sessions;
  for (std::uint64_t id = 1; id <= 3; ++id) sessions.push_back(std::make_unique<Session>(folder, id, limits));
  const auto steps = *rc::gen::container<std::vector<Step>>(ArbitraryStep());
  for (const Step& step : steps) {
    Perform(folder, *sessions[static_cast<std::size_t>(step.session)], step);
    for (const auto& session : sessions) CheckReturn(folder, *session);
  }
  for (auto& session : sessions) {
    session->Sync(ExpungePolicy::kAllowed, 1000);
    CheckAgrees(folder, *session);
  }
}

RC_GTEST_PROP(MailboxViewProperty, ClientsAgreeWithTheStoreAfterNoop, ()) { EverySessionAgreesInTheEnd({}); }
RC_GTEST_PROP(MailboxViewProperty, ClientsAgreeWithTheStoreAfterLostNews, ()) {
  EverySessionAgreesInTheEnd({.changes = 3, .states = 5});
}

RC_GTEST_PROP(SequenceMapProperty, AgreesWithAPlainVector,
              (std::vector<bool> present, std::vector<bool> removed)) {
  std::vector<Uid> plain;
  UidSet uids;
  for (std::size_t i = 0; i < present.size(); ++i) {
    if (!present[i]) continue;
    plain.push_back(Uid{static_cast<std::uint32_t>(i + 1)});
    uids.Add(plain.back());
  }
  UidSet gone;
  for (std::size_t i = 0; i < removed.size(); ++i) {
    if (removed[i]) gone.Add(Uid{static_cast<std::uint32_t>(i + 1)});
  }
  SequenceMap map(uids);
  map.Remove(gone);
  std::erase_if(plain, [&](Uid uid) { return gone.Contains(uid); });

  RC_ASSERT(map.size() == plain.size());
  RC_ASSERT(map.Uids() == uids.Minus(gone));
  RC_ASSERT(map.Known(gone).empty());
  for (std::uint32_t seq = 1; seq <= plain.size(); ++seq) {
    RC_ASSERT(map.UidOf(SeqNum{seq}) == plain[seq - 1]);
    RC_ASSERT(map.SeqOf(plain[seq - 1]) == SeqNum{seq});
    RC_ASSERT(map.CountFrom(plain[seq - 1]) == plain.size() - seq + 1);
    UidSet slice;
    map.AddUids(SeqNum{1}, SeqNum{seq}, slice);
    RC_ASSERT(slice.size() == seq);
  }
  const auto ranges = map.SeqRanges(UidSet(Uid{1}, Uid{1U << 20}));
  RC_ASSERT(ranges.size() == (plain.empty() ? 0U : 1U));
  gone.ForEach([&](Uid uid) { RC_ASSERT(!map.SeqOf(uid)); });
}

}  // namespace
}  // namespace server::imap
