#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace tests {

/// The operations that FaultFs counts.
enum class Op {
  kWrite,  ///< appending to a file, creating, renaming or deleting one
  kSync,   ///< syncing a file or a folder
  kAny,    ///< both
};

enum class Fault {
  kIoError,
  kNoSpace,
  kTornWrite,  ///< a write leaves half of its octets, then an I/O error; a sync: an I/O error
  kPowerLoss,  ///< from here on nothing reaches the disk, whatever it is; ends with DropUnsynced, not with
               ///< Heal
};

/// A file system over a real folder that fails on command and can lose its power.
///
///   FaultFs fs;
///   options.file_system = fs.file_system();
///   fs.FailAfter(Op::kSync, 3, Fault::kNoSpace);   // three syncs succeed, all later ones fail
///   ...
///   fs.Heal();                                     // all succeed again
///
/// For each file it knows what is synced. After the engine is destroyed, DropUnsynced() makes the folder what
/// a power loss would have left of it on a strict file system: unsynced octets are gone, and so are files
/// created or renamed in a folder that was not synced since (a name that was replaced has its old content
/// back). A deletion is final at once.
///
/// Thread: all members may be called from any thread, DropUnsynced only when nothing uses the folder.
class FaultFs {
 public:
  FaultFs();
  ~FaultFs();
  FaultFs(const FaultFs&) = delete;
  FaultFs& operator=(const FaultFs&) = delete;

  /// For RocksEngineOptions::file_system. May outlive this object.
  std::shared_ptr<rocksdb::FileSystem> file_system() const;

  /// Lets `successes` operations of this kind on paths that end in `suffix` pass; those after them fail until
  /// Heal(). Replaces an earlier fault.
  void FailAfter(Op op, std::size_t successes, Fault fault, std::string suffix = {});
  /// The same, but only one operation fails.
  void FailOnce(Op op, std::size_t successes, Fault fault, std::string suffix = {});
  void Heal();

  /// From here on the disk pretends: all operations succeed and DropUnsynced() will undo them. What a caller
  /// was told before power_is_off() must be there afterwards, what it is told later nobody hears.
  /// (Pretending, since RocksDB sleeps for a second after a failed flush.)
  void CutPower();
  bool power_is_off() const;

  /// Operations of this kind that were tried so far, failed ones included.
  std::size_t Count(Op op) const;
  /// Operations that a fault refused so far.
  std::size_t failures() const;

  /// The power is back, and only what was synced is there. `torn_seed` not zero: each file keeps a random
  /// part, from the front, of its unsynced octets.
  void DropUnsynced(std::uint64_t torn_seed = 0);

 private:
  class Disk;
  std::shared_ptr<Disk> disk_;
};

}  // namespace tests
