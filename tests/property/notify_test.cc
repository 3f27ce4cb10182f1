// NOTIFY (RFC 5465) against a naive model: sessions of the real server, and others without one, change an
// account at random. After every step the model compares the account before and after, and says in lines what
// each session must have been told of mailboxes that it has not selected: these and no others. What it is
// told of its selected mailbox must leave it with the mailbox as it is. Sessions idle, are held within half a
// command, lose their connection, and come back with QRESYNC and NOTIFY SET STATUS.
//
// CMS_SEED and CMS_ROUNDS repeat a run, CMS_TRACE prints its dialogs.
#include <algorithm>
#include <map>
#include <set>

#include "tests/property/notify_model.h"
#include "tests/property/notify_watcher.h"
#include "tests/support/random_rounds.h"
#include "tests/support/store_access.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using namespace tests;  // the model is written in its words
using protocol::Uid;
using protocol::UidSet;

constexpr std::uint32_t kRounds = 200;
constexpr int kSteps = 60;
constexpr std::size_t kSessions = 3;

class NotifyProperty : public ImapTest {
 protected:
  NotifyProperty() {
    options_.bad_commands = 100000;
    for (const auto* path : {"Sent", "Trash"}) Must(store_->DeleteFolder(account_, path));
  }

  World Look() {
    World world;
    for (const auto& entry : Must(store_->ListFolders(account_))) {
      world.names.insert(entry.path);
      if (entry.id.value == 0) continue;
      const storage::FolderRef ref{account_, entry.id};
      Box& box = world.boxes[entry.id.value];
      box.path = entry.path;
      box.status = Must(store_->GetFolder(ref));
      box.messages = tests::FlagsOf(*store_, ref);
      box.entries = Entries(entry.path);
    }
    const auto subscribed = Must(store_->ListSubscriptions(account_));
    world.subscribed.insert(subscribed.begin(), subscribed.end());
    world.server = Entries("");
    return world;
  }
  std::map<std::string, std::string> Entries(const std::string& path) {
    const storage::AnnotationQuery query{.entries = {"/shared/comment", "/private/comment"}, .max_size = {}};
    std::map<std::string, std::string> out;
    for (const auto& found : Must(store_->GetAnnotations(account_, path, query, account_)).found) {
      if (found.value) out[found.entry] = *found.value;
    }
    return out;
  }

  static Wish SomeWish(Random& random) {
    static const std::set<std::string> kAll{
        "MessageNew",         "MessageExpunge",        "FlagChange",          "MailboxName",
        "SubscriptionChange", "MailboxMetadataChange", "ServerMetadataChange"};
    static const std::set<std::string> kArrive{"MessageNew", "MessageExpunge"};
    Wish wish;
    wish.selected = std::array{Wish::Selected::kNothing, Wish::Selected::kCounts,
                               Wish::Selected::kEverything}[Below(random, 3)];
    wish.delayed = Chance(random, 40);
    wish.items = Chance(random, 50);
    switch (Below(random, 6)) {
      case 0: wish.groups = {{"personal", {}, kAll}}; break;
      case 1:
        wish.groups = {{"subtree", {"a"}, {"MessageNew", "MessageExpunge", "MailboxName"}},
                       {"mailboxes", {"d", "e"}, {"MessageNew", "MessageExpunge", "FlagChange"}}};
        break;
      case 2:
        wish.groups = {
            {"subscribed", {}, {"MessageNew", "MessageExpunge", "SubscriptionChange", "MailboxName"}},
            {"inboxes", {}, {"MailboxMetadataChange"}}};
        break;
      case 3:
        wish.groups = {{"mailboxes", {"a/b", "d"}, {}},
                       {"personal", {}, {"MessageNew", "MessageExpunge", "FlagChange", "MailboxName"}}};
        break;
      case 4:
        wish.groups = {{"subscribed", {}, {}},
                       {"personal", {}, kArrive},
                       {"subtree", {"e", "a/b"}, {"MailboxName", "ServerMetadataChange"}}};
        break;
      default: break;
    }
    return wish;
  }

  static std::string Flag(Random& random) {
    static constexpr std::array kFlags{"\\Seen", "\\Flagged", "\\Deleted", "$One"};
    return kFlags[Below(random, kFlags.size())];
  }
  static std::string Path(Random& random) { return Paths()[Below(random, Paths().size())]; }

  UidSet SomeUids(Random& random, const Box& box) {
    UidSet uids;
    for (const auto& [uid, flags] : box.messages) {
      if (Chance(random, 40)) uids.Add(Uid{uid});
    }
    return uids;
  }

  /// Somebody without a session. What the store refuses does not matter. Returns what was renamed.
  Renamed ActElsewhere(Random& random) {
    const std::string path = Path(random);
    const std::string other = Path(random);
    const Box* box = now_.Find(path);
    switch (Below(random, 12)) {
      case 0:
      case 1:
      case 2:
        if (box != nullptr) Fill(static_cast<int>(Below(random, 3)) + 1, path);
        return {};
      case 3:
      case 4:
        if (box == nullptr) break;
        Must(store_->UpdateFlags(
            box->status.ref, SomeUids(random, *box),
            {Chance(random, 60) ? protocol::FlagChange::Op::kAdd : protocol::FlagChange::Op::kRemove,
             tests::Flags({Flag(random)})}));
        return {};
      case 5:
        if (box != nullptr) Must(store_->Expunge(box->status.ref, std::nullopt));
        return {};
      case 6:
        if (box != nullptr && now_.Find(other) != nullptr)
          Must(store_->Move(box->status.ref, SomeUids(random, *box), other));
        return {};
      case 7: {
        const auto value =
            Chance(random, 30) ? std::nullopt : std::optional(std::to_string(Below(random, 3)));
        const auto* entry = Chance(random, 50) ? "/shared/comment" : "/private/comment";
        static_cast<void>(
            store_->SetAnnotations(account_, Chance(random, 30) ? "" : path, {{entry, value}}, account_));
        return {};
      }
      case 8: static_cast<void>(store_->DeleteFolder(account_, path)); return {};
      case 9:
        if (!store_->RenameFolder(account_, path, other) || path == "INBOX") return {};
        return std::pair(path, other);
      case 10:
        if (Chance(random, 50)) {
          Must(store_->Subscribe(account_, path));
        } else {
          Must(store_->Unsubscribe(account_, path));
        }
        return {};
      default: break;
    }
    static_cast<void>(store_->CreateFolder(account_, path, protocol::SpecialUse::kNone));
    return {};
  }

  /// The same by a session.
  Renamed Act(Random& random, Watcher& watcher) {
    const std::string path = Path(random);
    const std::string other = Path(random);
    const bool some = !watcher.selected().empty() && !watcher.numbers().empty();
    switch (Below(random, 13)) {
      case 0: watcher.Append(path, "Subject: x\r\n\r\nText\r\n"); return {};
      case 1: watcher.Run("CREATE " + path); return {};
      case 2: watcher.Run("DELETE " + path); return {};
      case 3: {
        // That makes a folder and fills it in one commit, whose news may be told apart: ActElsewhere() does
        // it.
        if (path == "INBOX") return {};
        const std::string answer = watcher.Run(fmt::format("RENAME {} {}", path, other));
        if (!answer.starts_with("a OK")) return {};
        return std::pair(path, other);
      }
      case 4: watcher.Run((Chance(random, 50) ? "SUBSCRIBE " : "UNSUBSCRIBE ") + path); return {};
      case 5:
        watcher.Run(fmt::format("SETMETADATA {} (/shared/comment \"{}\")", Chance(random, 30) ? "\"\"" : path,
                                Below(random, 3)));
        return {};
      case 6:
      case 7:
        if (some)
          watcher.Run(
              fmt::format("UID STORE 1:* {}FLAGS ({})", Chance(random, 60) ? '+' : '-', Flag(random)));
        return {};
      case 8:
        if (some) watcher.Run("EXPUNGE");
        return {};
      case 9:
        if (some) watcher.Run("UID COPY 1:* " + path);
        return {};
      case 10:
        if (some) watcher.Run("UID MOVE 1:3 " + path);
        return {};
      case 11:
        if (!watcher.selected().empty()) watcher.Unselect(Chance(random, 50) ? "CLOSE" : "UNSELECT");
        return {};
      default: watcher.Run("NOOP"); return {};
    }
  }

  /// Changes what a session is, not the account.
  void Turn(Random& random, Watcher& watcher) {
    switch (Below(random, 6)) {
      case 0:
        watcher.HangUp();
        selected_[&watcher] = 0;
        while (reactor_.stream_count() > Connected())
          reactor_.context().run_one_for(std::chrono::seconds(20));
        return;
      case 1: return watcher.Idle();
      case 2: return watcher.Hold();
      case 3:
        if (Chance(random, 15)) return watcher.NotifyNone();
        return SetWish(SomeWish(random), watcher, Chance(random, 50));
      default: {
        const std::string path = Path(random);
        if (now_.Find(path) == nullptr) return;
        watcher.Select(path, /*known=*/false);
        selected_[&watcher] = now_.IdOf(path);
        return;
      }
    }
  }
  std::size_t Connected() const {
    return static_cast<std::size_t>(std::ranges::count_if(watchers_, &Watcher::connected));
  }

  void SetWish(const Wish& wish, Watcher& watcher, bool status) {
    static_cast<void>(watcher.Told());
    watcher.Notify(wish, status);
    Lines expected;
    const std::uint64_t selected = SelectedId(watcher);
    for (const auto& [id, box] : now_.boxes) {
      if (status && id != selected && wish.Snapshots(now_, box.path))
        expected.insert(StatusLine(box, wish.EventsOf(now_, box.path), watcher.condstore()));
    }
    EXPECT_EQ(watcher.Told(), expected) << wish.Command(status);
  }

  void Return(Random& random, Watcher& watcher) {
    const std::string path = watcher.selected();
    watcher.Connect(LoggedIn(), Chance(random, 60), connections_);
    SetWish(SomeWish(random), watcher, /*status=*/true);
    if (now_.Find(path) != nullptr) {
      watcher.Select(path, /*known=*/true);
      EXPECT_EQ(watcher.cache(), now_.Find(path)->messages) << "after a return";
    } else {
      watcher.Unselect("NOOP");
    }
    selected_[&watcher] = now_.IdOf(watcher.selected());
    static_cast<void>(watcher.TakeOfSelected());
  }

  std::uint64_t SelectedId(const Watcher& watcher) const {
    const auto at = selected_.find(&watcher);
    return at == selected_.end() ? 0 : at->second;
  }

  /// Of its selected mailbox each knows what it asked for.
  void CheckSelected(Watcher& watcher, bool acted) {
    const std::size_t told = watcher.TakeOfSelected();
    if (watcher.selected().empty()) return;
    const auto box = now_.boxes.find(SelectedId(watcher));
    if (box == now_.boxes.end()) return;
    const auto wanted = watcher.wish().selected;
    if (wanted == Wish::Selected::kNothing) {
      if (!acted) EXPECT_EQ(told, 0U) << "told of the selected mailbox";
      return;
    }
    watcher.LearnNew();
    static_cast<void>(watcher.TakeOfSelected());
    std::vector<std::uint32_t> there;
    for (const auto& [uid, flags] : box->second.messages) there.push_back(uid);
    std::vector<std::uint32_t> numbers = watcher.numbers();
    if (watcher.wish().delayed && !watcher.idling())
      std::erase_if(numbers, [&](std::uint32_t uid) { return !box->second.messages.contains(uid); });
    EXPECT_EQ(numbers, there);
    if (wanted != Wish::Selected::kEverything) return;
    for (const auto& [uid, flags] : box->second.messages) {
      const auto known = watcher.cache().find(uid);
      if (known == watcher.cache().end())
        ADD_FAILURE() << "UID " << uid << " is not known";
      else
        EXPECT_EQ(known->second, flags) << "flags of UID " << uid;
    }
  }

  /// After a step by `actor`; nullptr: by somebody without a session.
  void Check(const Watcher* actor, const World& before, const Renamed& renamed) {
    for (Watcher& watcher : watchers_) {
      if (!watcher.connected()) continue;
      watcher.TakePushed();
      if (watcher.held()) {
        EXPECT_EQ(watcher.Told(), Lines()) << "within a command";
        NoteHeld(watcher, before);
        continue;
      }
      Lines expected;
      if (&watcher != actor && watcher.notifying())
        expected = Expected(watcher.wish(), before, now_, renamed, SelectedId(watcher), watcher.condstore());
      Lines told = watcher.Told();
      if (&watcher == actor) EraseLeft(watcher, told);
      // A session works on another thread: who is woken between the news of one commit tells them apart.
      if (actor != nullptr) told = Once(told);
      EXPECT_EQ(told, expected) << "session " << watcher.origin();
      if (!watcher.idling() && watcher.notifying()) CheckSelected(watcher, &watcher == actor);
    }
  }

  static Lines Once(const Lines& lines) {
    const std::set<std::string> once(lines.begin(), lines.end());
    return {once.begin(), once.end()};
  }
  /// What it was not told of a mailbox that it has left is told now.
  void EraseLeft(const Watcher& watcher, Lines& told) const {
    const auto box = now_.boxes.find(left_);
    if (box == now_.boxes.end()) return;
    const auto events = watcher.wish().EventsOf(now_, box->second.path);
    if (events.contains("MessageNew")) told.erase(StatusLine(box->second, events, watcher.condstore()));
  }

  // Sessions that are held within half a command.

  void NoteHeld(const Watcher& watcher, const World& before) {
    auto& due = held_[&watcher];
    for (const auto& [id, events] : MessageEvents(before, now_)) {
      if (id == SelectedId(watcher)) continue;
      const auto watched = Possible(watcher.wish(), now_.boxes.at(id).path);
      for (const auto& event : events) {
        if (watched.contains(event)) due[id].insert(event);
      }
    }
    for (const auto& [id, box] : now_.boxes) {
      const auto was = before.boxes.find(id);
      const bool is_new = was == before.boxes.end();
      const bool itself = !is_new && was->second.path != box.path && renamed_ && box.path == renamed_->second;
      if (id == SelectedId(watcher)) continue;
      const auto watched = Possible(watcher.wish(), box.path);
      if ((is_new || itself) && watched.contains("FlagChange")) due[id].insert("FlagChange");
      if (is_new && !box.messages.empty() && watched.contains("MessageNew")) due[id].insert("MessageNew");
    }
  }
  /// Whether subscribed or not.
  std::set<std::string> Possible(const Wish& wish, const std::string& path) const {
    auto out = wish.EventsOf(now_, path, true);
    out.merge(wish.EventsOf(now_, path, false));
    return out;
  }
  /// METADATA change HIGHESTMODSEQ as well, and are told otherwise.
  static std::string BeforeModSeq(const std::string& line) {
    return line.substr(0, line.find(" HIGHESTMODSEQ"));
  }
  /// One STATUS a mailbox, as it is now; the names as they are.
  void Release(Watcher& watcher) {
    watcher.Release();
    Lines expected;
    for (const auto& [id, events] : held_[&watcher]) {
      const auto box = now_.boxes.find(id);
      if (box == now_.boxes.end()) continue;
      const auto watched = watcher.wish().EventsOf(now_, box->second.path);
      if (std::ranges::any_of(events, [&](const auto& event) { return watched.contains(event); }))
        expected.insert(BeforeModSeq(StatusLine(box->second, watched, watcher.condstore())));
    }
    held_.erase(&watcher);
    Lines statuses;
    for (const auto& line : watcher.Told()) {
      if (line.starts_with("* STATUS ")) statuses.insert(BeforeModSeq(line));
      if (!line.starts_with("* LIST ") || line.find("OLDNAME") != std::string::npos) continue;
      const std::string path = line.substr(line.rfind(' ') + 1);
      EXPECT_EQ(line, ListLine(now_, path));
    }
    EXPECT_EQ(statuses, expected) << "session " << watcher.origin() << " when it was released";
    CheckSelected(watcher, /*acted=*/true);
  }

  void Step(Random& random) {
    Watcher& watcher = watchers_[Below(random, kSessions)];
    if (!watcher.connected()) return Return(random, watcher);
    if (watcher.held() && Chance(random, 30)) return Release(watcher);
    if (watcher.idling() && Chance(random, 40)) {
      watcher.Done();
      return CheckSelected(watcher, /*acted=*/true);
    }
    const bool free = !watcher.held() && !watcher.idling();
    if (free && Chance(random, 30)) {
      Turn(random, watcher);
      static_cast<void>(watcher.Told());
      static_cast<void>(watcher.TakeOfSelected());
      return;
    }
    const World before = now_;
    const Watcher* actor = free && Chance(random, 50) ? &watcher : nullptr;
    renamed_ = actor != nullptr ? Act(random, watcher) : ActElsewhere(random);
    Settle();
    now_ = Look();
    left_ = SelectedId(watcher);
    if (watcher.selected().empty()) selected_[&watcher] = 0;
    Check(actor, before, renamed_);
  }

  /// As it was at the beginning, so that a round can be repeated alone.
  void Empty() {
    const World world = Look();
    for (auto name = world.names.rbegin(); name != world.names.rend(); ++name) {
      if (*name != "INBOX") static_cast<void>(store_->DeleteFolder(account_, *name));
    }
    for (const auto& name : world.subscribed) Must(store_->Unsubscribe(account_, name));
    for (const auto* path : {"", "INBOX"}) {
      static_cast<void>(store_->SetAnnotations(account_, path,
                                               {{"/shared/comment", {}}, {"/private/comment", {}}}, account_,
                                               storage::Actor({}, storage::Role::kOperator)));
    }
    const auto inbox = Must(store_->GetFolder(account_, "INBOX")).ref;
    Must(store_->UpdateFlags(inbox, UidSet(Uid{1}, protocol::kMaxUid),
                             {protocol::FlagChange::Op::kAdd, tests::Flags({"\\Deleted"})}));
    Must(store_->Expunge(inbox, std::nullopt));
  }

  void Round(std::uint32_t seed) {
    SCOPED_TRACE(fmt::format("CMS_SEED={} CMS_ROUNDS=1", seed));
    Random random(seed);
    Empty();
    for (int step = 0; step < kSteps && !HasFailure(); ++step) {
      now_ = Look();
      Step(random);
      Settle();
    }
    for (Watcher& watcher : watchers_) {
      if (watcher.connected()) watcher.HangUp();
    }
    while (reactor_.stream_count() > 0 && reactor_.context().run_one_for(std::chrono::seconds(20)) > 0) {
    }
    watchers_ = std::vector<Watcher>(kSessions);
    selected_.clear();
    held_.clear();
  }

  World now_;
  Renamed renamed_;
  std::uint64_t left_ = 0;  ///< what the session that acted had selected
  std::vector<Watcher> watchers_{kSessions};
  std::map<const Watcher*, std::uint64_t> selected_;  ///< folder ids; 0: none
  std::map<const Watcher*, std::map<std::uint64_t, std::set<std::string>>> held_;
};

TEST_F(NotifyProperty, SessionsAreToldWhatTheyAskedFor) {
  tests::PlayRounds(kRounds, [&](std::uint32_t seed) { Round(seed); });
}

}  // namespace
}  // namespace server::imap
