#pragma once

#include <memory>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include "storage/kv/log_check.h"
#include "storage/kv/rocksdb_engine.h"

// Inside storage/kv only: the one place that chooses RocksDB options.

namespace storage::kv {

/// Database-wide options for a store whose logs end so. `env` is not owned.
rocksdb::DBOptions DatabaseOptions(const RocksEngineOptions& options, LogTail tail, rocksdb::Env* env);

/// Options of one table; `cache` is shared with others.
rocksdb::ColumnFamilyOptions TableOptions(Table table, const RocksEngineOptions& options,
                                          const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace storage::kv
