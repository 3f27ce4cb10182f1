#include "storage/kv/rocksdb_options.h"

#include <algorithm>
#include <limits>

#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace storage::kv {
namespace {

constexpr std::size_t kKiB = 1 << 10;
constexpr std::size_t kMiB = 1 << 20;

/// How a table is used decides how it is laid out.
enum class Shape {
  kSmallRows,  ///< point reads, short scans, rewritten often
  kScanned,    ///< written once, read in long forward scans
  kText,       ///< large compressible values, read in long scans
  kBodies,     ///< rows of up to 256 KiB, often already compressed, few of them read often
};

/// In 64ths of the write buffer. Together, with the 1/64 of RocksDB's own default table, no more than 64.
std::size_t WriteBufferShare(Table table) {
  switch (table) {
    case Table::kBodies: return 20;
    case Table::kMessages:
    case Table::kStates:
    case Table::kTexts:
    case Table::kIds: return 6;
    case Table::kFolders:
    case Table::kAccounts: return 2;
    default: return 1;
  }
}

Shape ShapeOf(Table table) {
  switch (table) {
    case Table::kMessages:
    case Table::kIds: return Shape::kScanned;
    case Table::kTexts: return Shape::kText;
    case Table::kBodies: return Shape::kBodies;
    default: return Shape::kSmallRows;
  }
}

}  // namespace

rocksdb::DBOptions DatabaseOptions(const RocksEngineOptions& options, LogTail tail, rocksdb::Env* env) {
  rocksdb::DBOptions db;
  db.env = env;
  db.create_if_missing = options.create_if_missing;
  db.create_missing_column_families = true;  // a table added since the store was made

  // Never trust a damaged file: stop, and say so.
  db.paranoid_checks = true;
  // A log that ends within a record is what a power loss leaves, and opens; any other damage of the log
  // refuses, since acknowledged batches may lie behind it. Where CheckLogs found that none do, replay stops
  // at the bad spot.
  db.wal_recovery_mode = tail == LogTail::kWhole ? rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords
                                                 : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // A reused log file could show records of its earlier life behind a torn tail.
  db.recycle_log_file_num = 0;
  // Faults are mended by RocksEngine, at the caller's pace, not by a thread of RocksDB.
  db.max_bgerror_resume_count = 0;

  // Bounded memory: each table has its share of the write buffer (TableOptions), so no common bound is
  // needed. RocksDB's own one (WriteBufferManager) would pick tables to flush behind RocksEngine's back, its
  // stall never ends on a full disk.
  db.db_write_buffer_size = 0;
  // RocksEngine bounds the log itself (SealTables), for the same reason.
  db.max_total_wal_size = std::numeric_limits<std::uint64_t>::max();
  db.max_open_files = options.max_open_files;
  db.table_cache_numshardbits = 4;  // 2^6 by default, which rounds a small max_open_files up
  db.max_file_opening_threads = 1;  // else 16 threads for each of the tables, at every start
  // What is in memory is in the log; at the next start it is in the tables.
  db.avoid_flush_during_shutdown = true;
  db.max_manifest_file_size = 16 * kMiB;

  db.max_background_jobs = std::max(2, options.background_threads);
  db.max_subcompactions = 1;
  // Closing iterators and column families leaves file deletion to the background threads.
  db.avoid_unnecessary_blocking_io = true;
  // Table files reach the disk in steady portions, not in one burst that a commit's sync must wait behind.
  db.bytes_per_sync = kMiB;
  db.compaction_readahead_size = 2 * kMiB;

  // RocksDB's own log is for its developers; ours says what an operator needs.
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.keep_log_file_num = 4;
  db.max_log_file_size = 4 * kMiB;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  return db;
}

rocksdb::ColumnFamilyOptions TableOptions(Table table, const RocksEngineOptions& options,
                                          const std::shared_ptr<rocksdb::Cache>& cache) {
  const Shape shape = ShapeOf(table);

  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  // In the cache, else their memory would grow with the store.
  blocks.cache_index_and_filter_blocks = true;
  blocks.cache_index_and_filter_blocks_with_high_priority = true;
  blocks.pin_l0_filter_and_index_blocks_in_cache = true;  // the newest files are asked first by every read
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  blocks.whole_key_filtering = true;
  blocks.block_size = shape == Shape::kSmallRows ? 4 * kKiB : 16 * kKiB;
  blocks.format_version = 5;
  blocks.checksum = rocksdb::ChecksumType::kXXH3;

  rocksdb::ColumnFamilyOptions cf;
  cf.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  cf.write_buffer_size =
      std::max<std::size_t>(options.write_buffer_bytes / 64 * WriteBufferShare(table), 256 * kKiB);
  cf.max_write_buffer_number = 3;  // one is filled while two are flushed; a writer that is faster waits
  // Rows of a table sealed with all others may be few: small files are merged at once, not one by one.
  cf.level0_file_num_compaction_trigger = 4;
  cf.level_compaction_dynamic_level_bytes = true;  // space amplification near 1.1
  cf.target_file_size_base = 32 * kMiB;
  cf.max_bytes_for_level_base = 128 * kMiB;
  cf.paranoid_file_checks =
      false;  // re-reads every file it wrote: twice the I/O, for faults that block checksums find, too
  cf.compression = rocksdb::kLZ4Compression;
  // What lies at the bottom is read rarely: texts shrink to a third with zstd against a half with LZ4.
  if (shape == Shape::kText) cf.bottommost_compression = rocksdb::kZSTD;
  return cf;
}

}  // namespace storage::kv
