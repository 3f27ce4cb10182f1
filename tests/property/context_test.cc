// Searches with updates (RFC 5267): two sessions and somebody without one change a folder at random, and a
// client that keeps its results from nothing but ADDTO, REMOVEFROM, EXPUNGE and EXISTS must have what the
// same search finds anew, after every step.
//
// CMS_SEED and CMS_ROUNDS repeat a run, CMS_TRACE prints its dialogs.
#include <algorithm>
#include <array>

#include "tests/property/told_text.h"
#include "tests/support/random_rounds.h"
#include "tests/support/store_access.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using tests::Below;
using tests::Chance;
using tests::kTrace;
using tests::Must;
using tests::NumberAt;
using tests::ParseSet;
using tests::Random;
using Numbers = std::vector<std::uint32_t>;

constexpr std::uint32_t kRounds = 60;
constexpr int kSteps = 40;

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// A result as its client keeps it.
struct Kept {
  std::string tag;
  bool uid = false;
  bool sorted = false;
  std::string program;  ///< "(SUBJECT) UTF-8 SEEN" or "SEEN"
  Numbers result;

  std::string Command(std::string_view options) const {
    return fmt::format("{}{} RETURN ({}) {}", uid ? "UID " : "", sorted ? "SORT" : "SEARCH", options,
                       program);
  }

  /// RFC 5267 §4.3.3.
  void Add(std::uint32_t position, const Numbers& more, std::uint32_t exists) {
    for (const auto number : more) {
      EXPECT_EQ(std::ranges::count(result, number), 0) << number << " is there already";
      if (!uid) EXPECT_LE(number, exists) << "EXISTS comes first";
    }
    if (position == 0) {
      EXPECT_FALSE(sorted);
      result.insert(result.end(), more.begin(), more.end());
      std::ranges::sort(result);
      return;
    }
    ASSERT_LE(position, result.size() + 1);
    result.insert(result.begin() + (position - 1), more.begin(), more.end());
  }
  /// RFC 5267 §4.3.4.
  void Remove(std::uint32_t position, const Numbers& less) {
    if (position > 0) {
      ASSERT_LE(position - 1 + less.size(), result.size());
      EXPECT_TRUE(std::equal(less.begin(), less.end(), result.begin() + (position - 1)))
          << "other messages are at " << position;
    }
    for (const auto number : less) {
      EXPECT_EQ(std::ranges::count(result, number), 1) << number << " is not there";
      std::erase(result, number);
    }
  }
  void Expunge(std::uint32_t gone) {
    if (uid) return;
    EXPECT_EQ(std::ranges::count(result, gone), 0) << "REMOVEFROM comes before EXPUNGE " << gone;
    for (auto& number : result) number -= number > gone ? 1 : 0;
  }
};

class Watcher {
 public:
  explicit Watcher(Client client) : client_(std::move(client)) { Run("SELECT Box"); }

  std::uint32_t exists() const { return exists_; }
  std::size_t searches() const { return kept_.size(); }

  void Begin(bool uid, bool sorted, const std::string& program) {
    Kept kept{
        .tag = fmt::format("t{}", ++tags_), .uid = uid, .sorted = sorted, .program = program, .result = {}};
    const std::string tag = kept.tag;
    const std::string command = kept.Command("UPDATE ALL");
    kept_.push_back(std::move(kept));
    Run(command, tag);
  }
  void Cancel(std::size_t which) {
    const std::string tag = kept_[which].tag;
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(which));
    Run(fmt::format("CANCELUPDATE \"{}\"", tag));
  }

  /// Everything that is kept is what is found anew.
  void Check() {
    Run("NOOP");
    // As told by now: what the new searches' own answers tell comes too late.
    const std::vector<Kept> told = kept_;
    for (const Kept& kept : told) {
      fresh_.clear();
      Run(kept.Command("ALL"), "fresh");
      EXPECT_EQ(kept.result, fresh_) << kept.Command("UPDATE");
    }
  }

  void Run(const std::string& command, const std::string& tag = "a") {
    if (kTrace) fmt::print("  > {} {}\n", tag, command);
    client_.Send(tag + " " + command + "\r\n");
    std::string line;
    do {
      line = client_.Line();
      if (kTrace) fmt::print("  < {}\n", line);
      if (line == "(closed)") {
        ADD_FAILURE() << command << ": closed";
        return;
      }
      Take(line);
    } while (!line.starts_with(tag + " "));
    EXPECT_FALSE(line.starts_with(tag + " BAD")) << command << ": " << line;
  }

 private:
  void Take(std::string_view line) {
    if (line.starts_with("* ESEARCH (TAG \"")) return TakeSearch(line.substr(16));
    EXPECT_FALSE(line.starts_with("* NO [NOUPDATE")) << line;
    if (!line.starts_with("* ")) return;
    const std::uint32_t number = NumberAt<std::uint32_t>(line.substr(2));
    if (line.ends_with(" EXISTS")) exists_ = number;
    if (!line.ends_with(" EXPUNGE")) return;
    --exists_;
    for (Kept& kept : kept_) kept.Expunge(number);
  }

  void TakeSearch(std::string_view line) {
    const std::string_view tag = line.substr(0, line.find('"'));
    const auto all = line.find(" ALL ");
    const Numbers found = all == std::string_view::npos ? Numbers() : ParseSet(line.substr(all + 5));
    if (tag == "fresh") {
      fresh_ = found;
      return;
    }
    const auto kept = std::ranges::find(kept_, tag, &Kept::tag);
    if (kept == kept_.end()) {
      ADD_FAILURE() << "updates of a search that has none: " << line;
      return;
    }
    EXPECT_EQ(line.find(") UID ") != std::string_view::npos || line.ends_with(") UID"), kept->uid) << line;
    if (all != std::string_view::npos) kept->result = found;
    for (const bool add : {false, true}) {
      const std::string_view item = add ? " ADDTO (" : " REMOVEFROM (";
      const auto at = line.find(item);
      if (at == std::string_view::npos) continue;
      const auto begin = at + item.size();
      const auto words = Words(line.substr(begin, line.find(')', begin) - begin));
      ASSERT_EQ(words.size() % 2, 0U) << line;
      for (std::size_t i = 0; i < words.size(); i += 2) {
        if (add) {
          kept->Add(NumberAt<std::uint32_t>(words[i]), ParseSet(words[i + 1]), exists_);
        } else {
          kept->Remove(NumberAt<std::uint32_t>(words[i]), ParseSet(words[i + 1]));
        }
      }
    }
  }

  Client client_;
  std::vector<Kept> kept_;
  std::uint32_t exists_ = 0;
  std::uint32_t tags_ = 0;
  Numbers fresh_;
};

class ContextProperty : public ImapTest {
 protected:
  ContextProperty() {
    options_.bad_commands = 1000;
    Must(store_->CreateFolder(account_, "Other", protocol::SpecialUse::kNone));
  }

  static std::string Flag(Random& random) {
    static constexpr std::array kFlags{"\\Seen", "\\Flagged", "\\Deleted", "$One", "$New"};
    return kFlags[Below(random, kFlags.size())];
  }
  static std::string Program(Random& random) {
    static constexpr std::array kPrograms{"ALL",
                                          "SEEN",
                                          "UNFLAGGED",
                                          "KEYWORD $One",
                                          "UNKEYWORD $New",
                                          "OR FLAGGED NOT SEEN",
                                          "UNDELETED",
                                          "SUBJECT b",
                                          "BODY two UNSEEN",
                                          "UID 3:20",
                                          "NOT UID 1:5 FLAGGED",
                                          "LARGER 100",
                                          "RECENT",
                                          "OLD SEEN",
                                          "SENTSINCE 5-Jan-2015",
                                          "(OR KEYWORD $New (SEEN FLAGGED)) TEXT one"};
    return kPrograms[Below(random, kPrograms.size())];
  }
  static std::string Order(Random& random) {
    static constexpr std::array kOrders{"(SUBJECT)", "(REVERSE DATE)",         "(SIZE REVERSE SUBJECT)",
                                        "(ARRIVAL)", "(REVERSE SUBJECT DATE)", "(REVERSE ARRIVAL)"};
    return kOrders[Below(random, kOrders.size())];
  }

  void Deliver(Random& random, std::uint32_t messages) {
    for (std::uint32_t i = 0; i < messages; ++i) {
      auto body = Must(store_->Stage(account_));
      Must(body.Write(fmt::format("Subject: {}{}\r\nDate: {} Jan 2015 10:00:00 +0000\r\n\r\n{}\r\n",
                                  Chance(random, 30) ? "Re: " : "", "abcd"[Below(random, 4)],
                                  Below(random, 9) + 1, Chance(random, 50) ? "one" : "two two two")));
      std::vector<storage::NewMessage> batch;
      batch.push_back({std::move(body), tests::Flags({Flag(random)}),
                       protocol::InternalDate{1'700'000'000 + Below(random, 5) * 86'400, 0}});
      Must(store_->Append(account_, "Box", std::move(batch)));
    }
  }

  storage::UidSet SomeUids(Random& random, std::uint32_t percent) {
    storage::UidSet uids;
    for (const auto& [uid, flags] : tests::FlagsOf(*store_, folder_)) {
      if (Chance(random, percent)) uids.Add(storage::Uid{uid});
    }
    return uids;
  }

  void ActElsewhere(Random& random) {
    const auto op = Chance(random, 60) ? protocol::FlagChange::Op::kAdd : protocol::FlagChange::Op::kRemove;
    switch (Below(random, 7)) {
      case 0: return Deliver(random, Below(random, 4) + 1);
      case 1:
        Must(store_->UpdateFlags(folder_, SomeUids(random, 30), {op, tests::Flags({Flag(random)})}));
        return;
      case 2:
        Must(store_->UpdateFlags(folder_, SomeUids(random, 100), {op, tests::Flags({Flag(random)})}));
        return;
      case 3: Must(store_->Expunge(folder_, SomeUids(random, 50))); return;
      case 4: Must(store_->Move(folder_, SomeUids(random, 10), Chance(random, 50) ? "Box" : "Other")); return;
      case 5: Must(store_->Copy(folder_, SomeUids(random, 10), "Box")); return;
      default:  // more news than are kept
        if (!Chance(random, 5)) return;
        for (int i = 0; i < 300; ++i)
          Must(store_->UpdateFlags(folder_, SomeUids(random, 20), {op, tests::Flags({Flag(random)})}));
        return;
    }
  }

  static std::string Command(Random& random, std::uint32_t exists) {
    const std::uint32_t number = Below(random, exists) + 1;
    switch (Below(random, 9)) {
      case 0: return "EXPUNGE";
      case 1: return fmt::format("STORE {}:* +FLAGS ({})", number, Flag(random));
      case 2: return fmt::format("STORE 1:{} -FLAGS.SILENT ({})", number, Flag(random));
      case 3: return fmt::format("UID STORE {}:* +FLAGS.SILENT ({})", number, Flag(random));
      case 4: return fmt::format("FETCH {} (FLAGS)", number);
      case 5: return fmt::format("COPY {} Box", number);
      case 6: return fmt::format("UID MOVE {} Other", number);
      case 7: return "UID SEARCH SEEN";
      default: return "NOOP";
    }
  }

  void Act(Random& random, Watcher& watcher) {
    if (watcher.searches() < 8 && Chance(random, 25)) {
      const bool sorted = Chance(random, 50);
      const std::string program = sorted ? Order(random) + " UTF-8 " + Program(random) : Program(random);
      return watcher.Begin(Chance(random, 50), sorted, program);
    }
    if (watcher.searches() > 0 && Chance(random, 5)) {
      return watcher.Cancel(Below(random, static_cast<std::uint32_t>(watcher.searches())));
    }
    watcher.Run(watcher.exists() == 0 ? "NOOP" : Command(random, watcher.exists()));
  }

  void Round(std::uint32_t seed) {
    SCOPED_TRACE(fmt::format("CMS_SEED={} CMS_ROUNDS=1", seed));
    Random random(seed);
    folder_ = Must(store_->CreateFolder(account_, "Box", protocol::SpecialUse::kNone)).ref;
    Deliver(random, Chance(random, 30) ? 60 : Below(random, 12));
    {
      Watcher watcher(LoggedIn());
      Client other = LoggedIn();
      other("SELECT Box");
      for (int step = 0; step < kSteps && !HasFailure(); ++step) {
        while (Chance(random, 50)) ActElsewhere(random);
        if (Chance(random, 30)) {
          const auto uids = Must(store_->Read(folder_)).Uids();
          const auto count = static_cast<std::uint32_t>(Must(uids).size());
          other("NOOP");
          if (count > 0) other(Command(random, count));
        }
        Act(random, watcher);
        if (Chance(random, 40)) ActElsewhere(random);
        if (Chance(random, 60)) watcher.Check();
      }
      if (!HasFailure()) watcher.Check();
    }
    while (reactor_.stream_count() > 0 && reactor_.context().run_one_for(std::chrono::seconds(20)) > 0) {
    }
    Must(store_->DeleteFolder(account_, "Box"));
  }

  storage::FolderRef folder_;
};

TEST_F(ContextProperty, UpdatedResultsAreWhatIsFoundAnew) {
  tests::PlayRounds(kRounds, [&](std::uint32_t seed) { Round(seed); });
}

}  // namespace
}  // namespace server::imap
