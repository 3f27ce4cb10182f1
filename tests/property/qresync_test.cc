// Devices that come and go (RFC 7162): sessions of the real server work on one folder at random, lose their
// connection at any moment, and come back with SELECT (QRESYNC). What a device then believes, from nothing
// but what it was told, must be what the store holds.
//
// CMS_SEED and CMS_ROUNDS repeat a run, CMS_TRACE prints its dialogs.
#include <map>
#include <set>

#include "tests/property/told_text.h"
#include "tests/support/random_rounds.h"
#include "tests/support/store_access.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using protocol::Uid;
using protocol::UidSet;
using tests::Below;
using tests::Chance;
using tests::FlagWords;
using tests::kTrace;
using tests::Must;
using tests::NumberAfter;
using tests::NumberAt;
using tests::ParseFlags;
using tests::ParseSet;
using tests::Random;

constexpr std::string_view kFolder = "Box";
constexpr std::uint32_t kRounds = 100;
constexpr int kSteps = 60;
constexpr std::size_t kDevices = 3;

/// A client as RFC 7162 §6 describes it.
class Device {
 public:
  bool connected() const { return client_.has_value(); }
  const std::map<std::uint32_t, FlagWords>& cache() const { return cache_; }
  const std::vector<std::uint32_t>& numbers() const { return numbers_; }

  /// What was announced but not asked for is not known, and all above it must be asked for again.
  void HangUp() {
    const auto unknown = std::ranges::find(numbers_, 0U);
    if (unknown != numbers_.end()) {
      const std::uint32_t last = unknown == numbers_.begin() ? 0 : *(unknown - 1);
      cache_.erase(cache_.upper_bound(last), cache_.end());
    }
    client_.reset();
    numbers_.clear();
  }
  /// Asks, and is gone before the answer comes.
  void AskAndHangUp(const std::string& command) {
    client_->Send("a " + command + "\r\n");
    HangUp();
  }

  /// Connects, catches up, and learns of new messages. `match`: with sequence match data.
  void Return(Client client, bool known, bool match) {
    client_.emplace(std::move(client));
    Run("ENABLE QRESYNC");
    const std::uint32_t old_validity = uid_validity_;
    const std::uint32_t first_unknown = cache_.empty() ? 1 : cache_.rbegin()->first + 1;
    std::string parameters;
    if (uid_validity_ != 0) {
      parameters = fmt::format(" (QRESYNC ({} {}{}{}))", uid_validity_, modseq_,
                               known && !cache_.empty() ? " " + Known() : "",
                               match && !cache_.empty() ? " " + Match() : "");
    }
    // What another incarnation of the folder was called is of no use (§6, 1a). It is known from UIDVALIDITY,
    // which stands before what the resynchronisation tells.
    Run(fmt::format("SELECT {}{}", kFolder, parameters));
    if (old_validity != uid_validity_) {
      cache_.clear();
      Run("FETCH 1:* (UID FLAGS MODSEQ)");
    } else {
      Run(fmt::format("UID FETCH {}:* (FLAGS MODSEQ)", first_unknown));
      if (!numbers_.empty()) Run("FETCH 1:* (UID)");
    }
  }

  /// Runs a command and believes what it is told.
  std::string Run(const std::string& command) {
    shown_ = 0;
    told_.reset();
    if (kTrace) fmt::print("  {:x}> {}\n", reinterpret_cast<std::uintptr_t>(this) % 4096, command);
    client_->Send("a " + command + "\r\n");
    std::string line;
    do {
      line = client_->Line();
      if (kTrace) fmt::print("  {:x}< {}\n", reinterpret_cast<std::uintptr_t>(this) % 4096, line);
      if (line == "(closed)") {
        ADD_FAILURE() << command << ": closed";
        return line;
      }
      Take(line);
    } while (!line.starts_with("a "));
    EXPECT_FALSE(line.starts_with("a BAD")) << command << ": " << line;
    // §6: the code counts, if there is one, else the highest of what was shown.
    if (told_) {
      modseq_ = *told_;
    } else {
      modseq_ = std::max(modseq_, shown_);
    }
    return line;
  }

  /// What a silent STORE does to the cache, if the server does not say otherwise.
  void Apply(const std::vector<std::uint32_t>& uids, char sign, const std::string& flag) {
    for (const auto uid : uids) {
      const auto at = cache_.find(uid);
      if (at == cache_.end()) continue;
      if (sign == '+') {
        at->second.insert(flag);
      } else {
        at->second.erase(flag);
      }
    }
  }

  /// Fetches what arrived while it was connected.
  void LearnNew() {
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      if (numbers_[i] != 0) continue;
      Run(fmt::format("FETCH {}:* (UID FLAGS MODSEQ)", i + 1));
      return;
    }
  }

  std::uint64_t modseq() const { return modseq_; }
  void Forget() { *this = Device(); }

 private:
  std::string Known() const { return fmt::format("1:{}", cache_.rbegin()->first); }
  /// Every third message of the cache, as it was numbered.
  std::string Match() const {
    std::string numbers;
    std::string uids;
    std::uint32_t number = 0;
    for (const auto& [uid, flags] : cache_) {
      if (++number % 3 != 1) continue;
      numbers += fmt::format("{}{}", numbers.empty() ? "" : ",", number);
      uids += fmt::format("{}{}", uids.empty() ? "" : ",", uid);
    }
    return fmt::format("({} {})", numbers, uids);
  }

  void Take(std::string_view line) {
    if (const auto value = NumberAfter(line, "[HIGHESTMODSEQ ")) told_ = *value;
    if (const auto value = NumberAfter(line, "[UIDVALIDITY "))
      TakeValidity(static_cast<std::uint32_t>(*value));
    if (line.starts_with("* OK [CLOSED]")) numbers_.clear();
    if (line.starts_with("* VANISHED (EARLIER) ")) return TakeEarlier(ParseSet(line.substr(21)));
    if (line.starts_with("* VANISHED ")) return TakeVanished(ParseSet(line.substr(11)));
    if (!line.starts_with("* ")) return;
    const std::uint64_t number = NumberAt(line.substr(2));
    if (line.ends_with(" EXISTS")) return TakeExists(number);
    EXPECT_FALSE(line.ends_with(" EXPUNGE")) << line;
    if (line.find(" FETCH (") != std::string_view::npos) TakeFetch(number, line);
  }
  void TakeValidity(std::uint32_t value) {
    if (value != uid_validity_) cache_.clear();
    uid_validity_ = value;
  }
  void TakeExists(std::uint64_t count) {
    EXPECT_GE(count, numbers_.size());
    numbers_.resize(count, 0);
  }
  void TakeEarlier(const std::vector<std::uint32_t>& uids) {
    for (const auto uid : uids) {
      EXPECT_EQ(std::ranges::count(numbers_, uid), 0) << uid << " has a number";
      cache_.erase(uid);
    }
  }
  /// Each must be one that was announced, and the number of messages falls by one for each.
  void TakeVanished(const std::vector<std::uint32_t>& uids) {
    for (const auto uid : uids) {
      cache_.erase(uid);
      auto at = std::ranges::find(numbers_, uid);
      if (at == numbers_.end()) at = Unasked(uid);
      if (at == numbers_.end()) {
        ADD_FAILURE() << "VANISHED " << uid << " was never announced";
        return;
      }
      numbers_.erase(at);
    }
  }
  /// A message that was announced, but whose UID was not asked for yet: between those with a lower and those
  /// with a higher UID.
  std::vector<std::uint32_t>::iterator Unasked(std::uint32_t uid) {
    auto found = numbers_.end();
    for (auto at = numbers_.begin(); at != numbers_.end() && *at < uid; ++at) {
      if (*at == 0) {
        found = at;
      } else {
        found = numbers_.end();
      }
    }
    return found;
  }
  void TakeFetch(std::uint64_t number, std::string_view line) {
    if (number < 1 || number > numbers_.size()) {
      ADD_FAILURE() << numbers_.size() << " messages, but " << line;
      return;
    }
    std::uint32_t& uid = numbers_[number - 1];
    if (const auto value = NumberAfter(line, "UID ")) {
      EXPECT_TRUE(uid == 0 || uid == *value) << line << ", but it was " << uid;
      uid = static_cast<std::uint32_t>(*value);
    }
    EXPECT_NE(uid, 0U) << line << " of a message whose UID is not known";
    if (const auto value = NumberAfter(line, "MODSEQ (")) shown_ = std::max(shown_, *value);
    const auto flags = line.find("FLAGS (");
    if (flags == std::string_view::npos) return;
    const std::string_view list = line.substr(flags + 7);
    cache_[uid] = ParseFlags(list.substr(0, list.find(')')));
  }

  std::optional<Client> client_;
  // What it keeps while it is away.
  std::uint32_t uid_validity_ = 0;
  std::uint64_t modseq_ = 0;
  std::map<std::uint32_t, FlagWords> cache_;
  // While it is connected.
  std::vector<std::uint32_t> numbers_;  ///< UIDs by number; 0: not asked for yet
  std::uint64_t shown_ = 0;             ///< the highest MODSEQ of this answer
  std::optional<std::uint64_t> told_;   ///< its HIGHESTMODSEQ
};

class QresyncProperty : public ImapTest {
 protected:
  QresyncProperty() {
    options_.bad_commands = 1000;
    MakeFolder();
    Must(store_->CreateFolder(account_, "Other", protocol::SpecialUse::kNone));
  }
  void MakeFolder() {
    folder_ = Must(store_->CreateFolder(account_, kFolder, protocol::SpecialUse::kNone)).ref;
  }

  std::map<std::uint32_t, FlagWords> Truth() { return tests::FlagsOf(*store_, folder_); }
  UidSet SomeUids(Random& random, std::uint32_t percent) {
    UidSet uids;
    for (const auto& [uid, flags] : Truth()) {
      if (Chance(random, percent)) uids.Add(Uid{uid});
    }
    return uids;
  }
  static std::string Flag(Random& random) {
    static constexpr std::array kFlags{"\\Seen", "\\Flagged", "\\Deleted", "$One", "$Two"};
    return kFlags[Below(random, kFlags.size())];
  }

  void Return(Random& random, Device& device) {
    device.Return(LoggedIn(), Chance(random, 70), Chance(random, 50));
    EXPECT_EQ(device.cache(), Truth()) << "after a return";
    CheckNumbers(device);
  }
  void CheckNumbers(const Device& device) {
    std::vector<std::uint32_t> uids;
    for (const auto& [uid, flags] : Truth()) uids.push_back(uid);
    EXPECT_EQ(device.numbers(), uids);
  }
  void CatchUp(Device& device) {
    device.Run("NOOP");
    device.LearnNew();
    device.Run("NOOP");
    EXPECT_EQ(device.cache(), Truth()) << "after NOOP";
    CheckNumbers(device);
  }

  /// Somebody without a session: the network, an operator.
  void ActElsewhere(Random& random) {
    switch (Below(random, 6)) {
      case 0:
      case 1: Fill(static_cast<int>(Below(random, 3)) + 1, std::string(kFolder)); break;
      case 2:
      case 3: {
        const auto op =
            Chance(random, 50) ? protocol::FlagChange::Op::kAdd : protocol::FlagChange::Op::kRemove;
        Must(store_->UpdateFlags(folder_, SomeUids(random, 30), {op, tests::Flags({Flag(random)})}));
        break;
      }
      case 4: {
        const UidSet uids = SomeUids(random, 20);
        Must(store_->UpdateFlags(folder_, uids,
                                 {protocol::FlagChange::Op::kAdd, tests::Flags({"\\Deleted"})}));
        Must(store_->Expunge(folder_, uids));
        break;
      }
      default: Must(store_->Move(folder_, SomeUids(random, 10), "Other")); break;
    }
  }

  std::string Command(Random& random, const Device& device) {
    const auto count = static_cast<std::uint32_t>(device.numbers().size());
    const std::uint32_t number = Below(random, count) + 1;
    const std::uint32_t uid = std::max(device.numbers()[number - 1], 1U);
    switch (Below(random, 12)) {
      case 0: return "NOOP";
      case 1: return "EXPUNGE";
      case 2: return fmt::format("UID EXPUNGE {}:*", uid);
      case 3: return fmt::format("UID MOVE {} {}", uid, Chance(random, 50) ? kFolder : "Other");
      case 4: return fmt::format("UID COPY {} {}", uid, kFolder);
      case 5: return fmt::format("STORE {}:* +FLAGS ({})", number, Flag(random));
      case 6: return fmt::format("UID STORE 1:{} -FLAGS ({})", uid, Flag(random));
      case 7:
        return fmt::format("UID STORE 1:{} (UNCHANGEDSINCE {}) +FLAGS ({})", uid, device.modseq(),
                           Flag(random));
      case 8: return fmt::format("FETCH {}:* (UID FLAGS MODSEQ)", number);
      case 9: return fmt::format("UID FETCH 1:* (FLAGS) (CHANGEDSINCE {} VANISHED)", device.modseq());
      case 10: return fmt::format("UID SEARCH {}:* MODSEQ {}", number, device.modseq());
      default: return fmt::format("SEARCH UID 1:{}", uid);
    }
  }

  void SilentStore(Random& random, Device& device) {
    std::vector<std::uint32_t> uids;
    std::string set;
    for (const auto uid : device.numbers()) {
      if (uid == 0 || !Chance(random, 40)) continue;
      uids.push_back(uid);
      set += fmt::format("{}{}", set.empty() ? "" : ",", uid);
    }
    if (uids.empty()) return;
    const std::string flag = Flag(random);
    const char sign = Chance(random, 50) ? '+' : '-';
    const std::string condition =
        Chance(random, 50) ? fmt::format(" (UNCHANGEDSINCE {})", device.modseq()) : std::string();
    device.Apply(uids, sign, protocol::ascii::Lower(flag));
    device.Run(fmt::format("UID STORE {}{} {}FLAGS.SILENT ({})", set, condition, sign, flag));
  }

  void Act(Random& random, Device& device) {
    if (!device.connected()) return Return(random, device);
    if (Chance(random, 15)) {
      device.HangUp();
      return Settle();
    }
    if (device.numbers().empty()) {
      device.Run("NOOP");
    } else if (Chance(random, 10)) {
      device.AskAndHangUp(Command(random, device));
      return Settle();
    } else if (Chance(random, 25)) {
      SilentStore(random, device);
    } else {
      device.Run(Command(random, device));
    }
    if (Chance(random, 50)) device.LearnNew();
    if (Chance(random, 20)) CatchUp(device);
  }

  /// Until the server has done what those asked for who are gone.
  void Settle() {
    const auto connected = static_cast<std::size_t>(std::ranges::count_if(devices_, &Device::connected));
    while (reactor_.stream_count() > connected &&
           reactor_.context().run_one_for(std::chrono::seconds(20)) > 0) {
    }
  }

  void NewIncarnation(std::vector<Device>& devices) {
    for (Device& device : devices) device.HangUp();
    Settle();
    Must(store_->DeleteFolder(account_, kFolder));
    MakeFolder();
  }

  void Round(std::uint32_t seed) {
    SCOPED_TRACE(fmt::format("CMS_SEED={} CMS_ROUNDS=1", seed));
    Random random(seed);
    NewIncarnation(devices_);
    Fill(static_cast<int>(Below(random, 12)), std::string(kFolder));
    for (int step = 0; step < kSteps && !HasFailure(); ++step) {
      if (Chance(random, 30)) ActElsewhere(random);
      if (Chance(random, 2)) NewIncarnation(devices_);
      // What was expunged is joined after a day and forgotten after a month.
      if (Chance(random, 4)) {
        store_.clock.Advance(std::chrono::hours(Below(random, 40 * 24)));
        store_->ReapDue();
      }
      Act(random, devices_[Below(random, kDevices)]);
    }
    for (Device& device : devices_) {
      if (HasFailure()) break;
      if (!device.connected()) Return(random, device);
      CatchUp(device);
    }
  }

  storage::FolderRef folder_;
  std::vector<Device> devices_{kDevices};
};

TEST_F(QresyncProperty, DevicesComeBackToWhatThereIs) {
  tests::PlayRounds(kRounds, [&](std::uint32_t seed) { Round(seed); });
}

}  // namespace
}  // namespace server::imap
