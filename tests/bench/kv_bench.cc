// Figures of storage/kv: what a group commit gives, and what it costs to keep bodies. Prints a table; run it
// on the disk that matters: kv_bench FOLDER [commit|bodies|churn]

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "storage/kv/rocksdb_engine.h"

namespace {

using storage::kv::Batch;
using storage::kv::Durability;
using storage::kv::RocksEngine;
using storage::kv::Table;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Octets that compress to about half, as base64 and mail text do.
std::string Octets(std::size_t bytes, std::uint64_t seed) {
  std::string octets(bytes, ' ');
  std::uint64_t x = seed * 2654435761 + 1;
  for (auto& octet : octets) {
    x = x * 6364136223846793005 + 1442695040888963407;
    octet = static_cast<char>('a' + ((x >> 60) & 15));
  }
  return octets;
}

std::unique_ptr<RocksEngine> OpenNew(const fs::path& path) {
  fs::remove_all(path);
  auto engine = RocksEngine::Open({.path = path, .create_if_missing = true});
  if (!engine) {
    std::fprintf(stderr, "%s\n", engine.error().detail.c_str());
    std::exit(1);
  }
  return std::move(*engine);
}

void Must(const storage::Result<>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().detail.c_str());
  std::exit(1);
}

std::string Key(std::uint64_t object, std::uint64_t chunk = 0) {
  char key[40];
  std::snprintf(key, sizeof(key), "%016llx%08llx", static_cast<unsigned long long>(object),
                static_cast<unsigned long long>(chunk));
  return key;
}

std::uint64_t Stat(RocksEngine& engine, std::string_view name) {
  for (const auto& statistic : engine.Stats()) {
    if (statistic.name == name) return statistic.value;
  }
  return 0;
}

double MiB(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

std::uint64_t FolderBytes(const fs::path& path) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(path)) {
    std::error_code gone;
    const auto size = entry.file_size(gone);
    bytes += gone ? 0 : size;
  }
  return bytes;
}

/// Like an APPEND of a message of 2 KiB: body, message row, state page, folder row, in one durable batch.
void AddMessage(Batch& batch, std::uint64_t id) {
  batch.Put(Table::kBodies, Key(id), Octets(2048, id));
  batch.Put(Table::kMessages, Key(id), Octets(400, id));
  batch.Put(Table::kStates, Key(id / 512), Octets(600, id));
  batch.Put(Table::kFolders, Key(id % 64), Octets(120, id));
}

void MeasureCommit(const fs::path& folder) {
  std::printf("durable batches like an APPEND of 2 KiB\n");
  double alone = 0;
  for (const int threads : {1, 4, 16, 64}) {
    auto engine = OpenNew(folder / "commit");
    std::atomic<std::uint64_t> next = 0;
    std::atomic<std::uint64_t> done = 0;
    const auto begin = Clock::now();
    std::vector<std::thread> writers;
    for (int i = 0; i < threads; ++i) {
      writers.emplace_back([&] {
        while (SecondsSince(begin) < 4) {
          Batch batch;
          AddMessage(batch, next++);
          Must(engine->Apply(batch, Durability::kNow));
          ++done;
        }
      });
    }
    for (auto& writer : writers) writer.join();
    const double rate = static_cast<double>(done) / SecondsSince(begin);
    if (threads == 1) alone = rate;
    std::printf("  %2d threads  %8.0f per s  x %.1f\n", threads, rate, rate / alone);
  }
}

void MeasureBodies(const fs::path& folder) {
  {
    auto engine = OpenNew(folder / "bodies");
    constexpr std::uint64_t kMessages = 60'000;
    const auto begin = Clock::now();
    for (std::uint64_t id = 0; id < kMessages; id += 100) {
      Batch batch;
      for (std::uint64_t i = id; i < id + 100; ++i) AddMessage(batch, i);
      Must(engine->Apply(batch, Durability::kBeforeNext));
    }
    Must(engine->Flush());
    const double seconds = SecondsSince(begin);
    std::printf("bodies of 2 KiB, 100 a batch: %.0f per s, on disk %.0f MiB\n", kMessages / seconds,
                MiB(FolderBytes(folder / "bodies")));
  }
  auto engine = OpenNew(folder / "bodies");
  constexpr std::uint64_t kObjects = 100;
  const auto chunk = Octets(256 << 10, 7);
  const auto begin = Clock::now();
  for (std::uint64_t object = 0; object < kObjects; ++object) {
    for (std::uint64_t i = 0; i < 40; ++i) {
      Batch batch;
      batch.Put(Table::kBodies, Key(object, i), chunk);
      Must(engine->Apply(batch, i == 39 ? Durability::kNow : Durability::kBeforeNext));
    }
  }
  std::printf("bodies of 10 MiB in chunks: %.0f MiB/s", 10 * kObjects / SecondsSince(begin));
  Must(engine->Flush());
  std::printf(" (%.0f with all flushed)", 10 * kObjects / SecondsSince(begin));
  const auto read = Clock::now();
  std::uint64_t bytes = 0;
  Must(engine->OpenView()->Scan(Table::kBodies, "", "", [&](std::string_view, std::string_view value) {
    bytes += value.size();
    return true;
  }));
  std::printf(", read %.0f MiB/s, on disk %.0f MiB\n", MiB(bytes) / SecondsSince(read),
              MiB(FolderBytes(folder / "bodies")));
  for (const char* what : {"with a log to replay", "again"}) {
    for (std::uint64_t i = 0; i < 400; ++i) {  // just under log_bytes
      Batch batch;
      batch.Put(Table::kBodies, Key(kObjects, i), chunk);
      Must(engine->Apply(batch, i == 399 ? Durability::kNow : Durability::kBeforeNext));
    }
    engine.reset();
    const auto opening = Clock::now();
    auto opened = RocksEngine::Open({.path = folder / "bodies"});
    if (!opened) std::exit(1);
    engine = std::move(*opened);
    std::printf("opened %s (%.0f MiB on disk): %.2f s\n", what, MiB(FolderBytes(folder / "bodies")),
                SecondsSince(opening));
  }
}

/// A mailbox of constant size whose messages come and go: how much more than its live rows does the store
/// take?
void MeasureChurn(const fs::path& folder) {
  auto engine = OpenNew(folder / "churn");
  constexpr std::uint64_t kLive = 10'000;  // objects of 1 to 31 KiB: 160 MiB
  std::uint64_t written = 0;
  double worst = 0;
  const auto size = [](std::uint64_t id) { return ((id * 2654435761) % 31 + 1) << 10; };
  const auto begin = Clock::now();
  for (std::uint64_t id = 0; id < kLive * 12; ++id) {
    Batch batch;
    batch.Put(Table::kBodies, Key(id), Octets(size(id), id));
    // Random age at death, as EXPUNGE has it: half die young.
    if (id >= kLive) {
      batch.Erase(Table::kBodies, Key(id % 2 ? id - kLive : id - kLive / 4));
      if (id % 2 == 0) batch.Erase(Table::kBodies, Key(id - kLive / 4 - 1));
    }
    written += size(id);
    Must(engine->Apply(batch, Durability::kBeforeNext));
    if (id % kLive != kLive - 1) continue;
    std::uint64_t live = 0;
    Must(engine->OpenView()->Scan(Table::kBodies, "", "", [&](std::string_view key, std::string_view value) {
      live += key.size() + value.size();
      return true;
    }));
    const auto disk = FolderBytes(folder / "churn");
    const double ratio = MiB(disk) / MiB(live);
    if (id > 2 * kLive) worst = std::max(worst, ratio);
    std::printf("  written %6.0f MiB  live %5.0f  disk %5.0f = %.2f x  (log %.0f, blob garbage %.0f)\n",
                MiB(written), MiB(live), MiB(disk), ratio, MiB(Stat(*engine, "wal_bytes")),
                MiB(Stat(*engine, "blob_garbage_bytes")));
  }
  std::printf("churn: %.0f MiB/s, worst %.2f x the live octets\n", MiB(written) / SecondsSince(begin), worst);
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path folder = argc > 1 ? argv[1] : fs::temp_directory_path() / "kv-bench";
  const std::string what = argc > 2 ? argv[2] : "";
  fs::create_directories(folder);
  if (what.empty() || what == "commit") MeasureCommit(folder);
  if (what.empty() || what == "bodies") MeasureBodies(folder);
  if (what.empty() || what == "churn") MeasureChurn(folder);
  fs::remove_all(folder);
}
