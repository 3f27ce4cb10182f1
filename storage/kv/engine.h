#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.h"

/// The seam between the store and an engine that keeps bytes. It is narrow on purpose, so that RADOS can
/// stand behind it next (design.md 5): get some keys, scan forward in pages, apply one batch atomically and
/// durably, a view for consistent reads. There is no reverse scan, no range delete, no batch over two
/// accounts (but for the two tables without an account prefix), no empty value, no row over 1 MiB.
namespace storage::kv {

/// Column families. The names are on disk: append only.
enum class Table : std::uint8_t {
  kMeta = 0,  ///< store-wide: format version, id counters
  kAddresses,
  kAccounts,
  kFolders,
  kFolderNames,
  kStates,
  kMessages,
  kBodies,
  kBodyRefs,
  kTexts,
  kIds,
  kVanished,
  kAnnotations,
  kAcl,
  kGrants,
  kSubscriptions,
  kUrlKeys,
  kReferences,
  kExpiries,
  kIntents,  ///< restartable steps, see storage/README.md
  kSeen,
};
inline constexpr std::size_t kTableCount = 21;
static_assert(static_cast<std::size_t>(Table::kSeen) + 1 == kTableCount,
              "a new table goes last, and is counted");

/// "folder_names" etc.
std::string_view Name(Table table);

inline constexpr std::size_t kMaxRowBytes = 1 << 20;

/// An ordered set of puts and erases that takes effect as one, or not at all. The last write to a key wins.
///
/// Thread: one at a time.
class Batch {
 public:
  /// Key and value not empty, together at most kMaxRowBytes: Apply refuses the batch otherwise (CheckLimits).
  void Put(Table table, std::string_view key, std::string_view value);
  void Erase(Table table, std::string_view key);

  struct Write {
    std::optional<std::string> value;  ///< nullopt: erased
  };
  /// What this batch would make of the key; nullptr: untouched. Valid until the next change of the batch.
  const Write* Find(Table table, std::string_view key) const;

  using Writes = std::map<std::string, Write, std::less<>>;
  const Writes& writes(Table table) const { return writes_[static_cast<std::size_t>(table)]; }

  std::size_t size() const { return size_; }    ///< keys
  std::size_t bytes() const { return bytes_; }  ///< of keys and values, roughly
  bool empty() const { return size_ == 0; }
  void Clear();
  /// All of `other` after all of this.
  void Merge(Batch&& other);

 private:
  void Set(Table table, std::string_view key, Write write);

  std::array<Writes, kTableCount> writes_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

/// When a batch must be on stable storage.
enum class Durability {
  kNow,         ///< before Apply returns
  kBeforeNext,  ///< at the latest when a later kNow batch is; a crash before that loses it
};

/// `owner` keeps `octets` valid, beyond the view and the engine.
struct SharedValue {
  std::shared_ptr<const void> owner;
  std::string_view octets;
};

struct Row {
  std::string key;
  std::string value;
};

/// Consistent reads as of the moment it was opened. Short-lived: a command's worth, never held while a client
/// is awaited.
class View {
 public:
  virtual ~View() = default;

  /// nullopt if absent.
  virtual Result<std::optional<std::string>> Get(Table table, std::string_view key) const = 0;

  /// The same of a value that is long: a driver that has it somewhere shares it, and it is not copied.
  virtual Result<std::optional<SharedValue>> GetShared(Table table, std::string_view key) const;

  /// Same order as `keys`.
  virtual Result<std::vector<std::optional<std::string>>> MultiGet(
      Table table, std::span<const std::string> keys) const = 0;

  /// Visits the rows with `first` <= key < `end` in key order until `visit` returns false. The views passed
  /// to `visit` live for that call. An empty `end` is the end of the table. Does not fill the block cache
  /// with bodies.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual Result<> Scan(Table table, std::string_view first, std::string_view end,
                        const Visitor& visit) const = 0;
};

/// One figure of Engine::Stats: stable snake_case name.
struct Statistic {
  std::string name;
  std::uint64_t value;
};

/// Thread: all members may be called from any thread. All calls block.
class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::unique_ptr<View> OpenView() = 0;

  /// Point read of the latest committed state, without the cost of a view.
  virtual Result<std::optional<std::string>> Get(Table table, std::string_view key) = 0;

  /// All or nothing. On an error nothing of the batch is visible, then or after a restart, but see
  /// storage/README.md for a crash between the fault and the next success. Concurrent kNow batches share a
  /// sync. kUnavailable: disk full or I/O error; later calls may succeed once the fault is gone, without a
  /// restart.
  virtual Result<> Apply(const Batch& batch, Durability durability) = 0;

  /// Approximate octets on disk in [first, end) of a table.
  virtual std::uint64_t ApproximateBytes(Table table, std::string_view first, std::string_view end) = 0;

  virtual std::vector<Statistic> Stats() = 0;
};

/// What every driver's Apply asks first: an empty key or value is kInvalidArgument, a row over kMaxRowBytes
/// is kTooBig; within MemoryOnly (storage/memory_only.h) all is kUnavailable.
Result<> CheckLimits(const Batch& batch);

/// The smallest key above all keys with this prefix; empty if there is none.
std::string PrefixEnd(std::string_view prefix);

}  // namespace storage::kv
