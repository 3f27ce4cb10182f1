#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "storage/kv/rocksdb_engine.h"
#include "storage/store/event.h"
#include "storage/store/mail_store.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_folder.h"

// What MailStore on RocksDB costs without a network: figures, not verdicts. Usage: store_bench [MESSAGES]

namespace {

using namespace tests;
using Clock = std::chrono::steady_clock;

double Seconds(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void Report(std::string_view what, double seconds, double count, std::string_view unit) {
  fmt::print("{:<58} {:>9.1f} ms {:>12.0f} {}/s\n", what, seconds * 1e3, count / seconds, unit);
  std::fflush(stdout);
}

/// `threads` threads append messages of 2 KiB, one a command, each to its own account or all to one.
void BenchAppend(storage::MailStore& store, int threads, bool one_account, int total) {
  static int address = 1000;
  std::vector<storage::AccountId> accounts;
  for (int i = 0; i < (one_account ? 1 : threads); ++i)
    accounts.push_back(CreateAccount(store, fmt::format("tel:+{}", ++address)));
  const std::string octets = MessageOctets(1, 2048);
  const double seconds = Seconds([&] {
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t) {
      running.emplace_back([&, t] {
        const auto account = accounts[static_cast<std::size_t>(t) % accounts.size()];
        for (int i = 0; i < total / threads; ++i) Must(Append(store, account, "INBOX", {octets}));
      });
    }
    for (auto& thread : running) thread.join();
  });
  Report(fmt::format("APPEND 2 KiB, {} threads, {} accounts", threads, accounts.size()), seconds, total,
         "messages");
}

storage::Event ChatEvent(int number) {
  storage::Event event;
  event.head.from = "tel:+15550100222";
  event.head.direction = protocol::cpm::Direction::kReceived;
  event.head.conversation_id = "6c2d1f40";
  event.head.contribution_id = "0b7de2c1";
  event.head.imdn_message_id = fmt::format("m{}", number);
  event.what = protocol::cpm::ChatMessage{.content = {.octets = "Lunch at noon?"}};
  return event;
}

/// 10,000 chat messages into 100 accounts, recorded, and the same octets appended: the first is to be no less
/// than half as fast.
void BenchRecord(storage::MailStore& store) {
  constexpr int kThreads = 16;
  constexpr int kAccounts = 100;
  constexpr int kMessages = 10'000;
  const auto head = ChatEvent(0).head;
  const std::string octets = *protocol::cpm::WriteObject(
      head, std::get<protocol::cpm::ChatMessage>(ChatEvent(0).what), protocol::cpm::Layout::k2x);
  static int address = 5000;
  const auto run = [&](std::string_view what, const auto& one) {
    std::vector<storage::AccountId> accounts;
    for (int i = 0; i < kAccounts; ++i)
      accounts.push_back(CreateAccount(store, fmt::format("tel:+{}", ++address)));
    std::atomic<int> next = 0;
    Report(what, Seconds([&] {
             std::vector<std::jthread> running;
             for (int t = 0; t < kThreads; ++t) {
               running.emplace_back([&] {
                 for (int i = next++; i < kMessages; i = next++)
                   one(accounts[static_cast<std::size_t>(i) % accounts.size()], i);
               });
             }
           }),
           kMessages, "messages");
  };
  run("APPEND chat message, 16 threads, 100 accounts",
      [&](auto account, int) { Must(Append(store, account, "INBOX", {octets})); });
  run("Record chat message, 16 threads, 100 accounts", [&](auto account, int i) {
    Must(store.Record(account, ChatEvent(i), storage::Actor({}, storage::Role::kPf)));
  });
}

void BenchFolder(storage::MailStore& store, std::uint32_t messages) {
  const auto account = CreateAccount(store, "tel:+1");
  for (const auto* path : {"a", "b"}) Must(store.CreateFolder(account, path, protocol::SpecialUse::kNone));
  storage::FolderRef inbox;
  Report("MULTIAPPEND of 100 small messages",
         Seconds([&] { inbox = Fill(store, account, "INBOX", messages); }), messages, "messages");
  const auto all = UidRange(1, messages);
  for (const auto* times : {"first", "again"}) {
    Report(fmt::format("OpenFolder of {} ({})", messages, times),
           Seconds([&] { Must(store.OpenFolder(inbox, /*claim_recent=*/true)); }), messages, "messages");
  }
  Report("States of all", Seconds([&] { Must(Must(store.Read(inbox)).States(all, [](const auto&) {})); }),
         messages, "messages");
  Report("Rows of all",
         Seconds([&] { Must(Must(store.Read(inbox)).Rows(all, [](auto, const auto&) { return true; })); }),
         messages, "messages");
  const std::uint32_t some = std::min<std::uint32_t>(messages / 2, 10'000);  // some stay
  const auto chosen = UidRange(1, some);
  Report("COPY of 10,000", Seconds([&] { Must(store.Copy(inbox, chosen, "a")); }), some, "messages");
  Report("MOVE of 10,000", Seconds([&] { Must(store.Move(inbox, chosen, "b")); }), some, "messages");
  const auto b = Must(store.GetFolder(account, "b")).ref;
  Report("UpdateFlags of 10,000", Seconds([&] {
           Must(store.UpdateFlags(b, chosen, {protocol::FlagChange::Op::kAdd, Flags({"\\Deleted"})}));
         }),
         some, "messages");
  Report("EXPUNGE of 10,000", Seconds([&] { Must(store.Expunge(b, std::nullopt)); }), some, "messages");
  Report("janitor after all of it", Seconds([&] { store.DrainJanitor(); }), 2 * some, "messages");
  const auto last = Must(store.OpenFolder(inbox, /*claim_recent=*/false)).uids.back();
  constexpr int kSingle = 300;
  Report("UpdateFlags of one, durable", Seconds([&] {
           for (int i = 0; i < kSingle; ++i) {
             Must(store.UpdateFlags(
                 inbox, storage::UidSet(last),
                 {i % 2 == 0 ? protocol::FlagChange::Op::kAdd : protocol::FlagChange::Op::kRemove,
                  Flags({"\\Seen"})}));
           }
         }),
         kSingle, "commands");
}

}  // namespace

int main(int argc, char** argv) {
  const auto messages = static_cast<std::uint32_t>(argc > 1 ? std::stoul(argv[1]) : 100'000);
  const TempFolder folder;
  storage::kv::RocksEngineOptions options;
  options.path = folder.path() / "store";
  options.create_if_missing = true;
  const auto engine = Must(storage::kv::RocksEngine::Open(options));
  const auto store = Must(storage::MailStore::Open(*engine, {}));
  BenchAppend(*store, 1, true, 1000);
  BenchAppend(*store, 16, true, 8000);
  BenchAppend(*store, 16, false, 8000);
  BenchRecord(*store);
  BenchFolder(*store, messages);
}
