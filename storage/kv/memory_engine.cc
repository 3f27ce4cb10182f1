#include "storage/kv/memory_engine.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>

namespace storage::kv {
namespace {

using Sequence = std::uint64_t;
constexpr Sequence kLatest = ~Sequence{0};

/// Rows a scan copies at a time, so that its visitor runs without the lock and may call the engine.
constexpr std::size_t kScanPageRows = 256;

struct Version {
  Sequence sequence;
  std::optional<std::string> value;  ///< nullopt: erased
};

/// Oldest first.
using Versions = std::vector<Version>;

const std::optional<std::string>* Visible(const Versions& versions, Sequence as_of) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->sequence <= as_of) return version->value ? &version->value : nullptr;
  }
  return nullptr;
}

class MemoryEngine final : public Engine {
 public:
  std::unique_ptr<View> OpenView() override;

  Result<std::optional<std::string>> Get(Table table, std::string_view key) override {
    return Read(table, key, kLatest);
  }

  Result<> Apply(const Batch& batch, Durability /*durability*/) override {
    RETURN_IF_ERROR(CheckLimits(batch));
    const std::unique_lock lock(mutex_);
    ++sequence_;
    for (std::size_t i = 0; i < kTableCount; ++i) {
      for (const auto& [key, write] : batch.writes(static_cast<Table>(i))) {
        tables_[i][key].push_back({sequence_, write.value});
        if (views_.empty()) {
          Prune(i, key);
        } else {
          stale_.emplace(i, key);
        }
      }
    }
    return {};
  }

  std::uint64_t ApproximateBytes(Table table, std::string_view first, std::string_view end) override {
    std::uint64_t bytes = 0;
    (void)ScanAt(table, first, end, kLatest, [&](std::string_view key, std::string_view value) {
      bytes += key.size() + value.size();
      return true;
    });
    return bytes;
  }

  std::vector<Statistic> Stats() override {
    const std::shared_lock lock(mutex_);
    std::vector<Statistic> stats{{"open_views", views_.size()}};
    for (std::size_t i = 0; i < kTableCount; ++i) {
      stats.push_back({"rows_" + std::string(Name(static_cast<Table>(i))), tables_[i].size()});
    }
    return stats;
  }

  Result<std::optional<std::string>> Read(Table table, std::string_view key, Sequence as_of) const {
    const std::shared_lock lock(mutex_);
    const auto& rows = tables_[static_cast<std::size_t>(table)];
    const auto row = rows.find(key);
    const auto* value = row == rows.end() ? nullptr : Visible(row->second, as_of);
    return value ? *value : std::nullopt;
  }

  Result<> ScanAt(Table table, std::string_view first, std::string_view end, Sequence as_of,
                  const View::Visitor& visit) const {
    std::string from(first);
    for (bool more = true; more;) {
      std::vector<Row> page;
      more = CopyPage(table, from, end, as_of, page);
      for (const auto& row : page) {
        if (!visit(row.key, row.value)) return {};
      }
    }
    return {};
  }

  void Close(Sequence view) {
    const std::unique_lock lock(mutex_);
    views_.erase(views_.find(view));
    if (!views_.empty()) return;
    for (const auto& [table, key] : stale_) Prune(table, key);
    stale_.clear();
  }

 private:
  /// Moves `from` past what was copied; false at the end of the range.
  bool CopyPage(Table table, std::string& from, std::string_view end, Sequence as_of,
                std::vector<Row>& page) const {
    const std::shared_lock lock(mutex_);
    const auto& rows = tables_[static_cast<std::size_t>(table)];
    for (auto row = rows.lower_bound(from); row != rows.end(); ++row) {
      if (!end.empty() && row->first >= end) return false;
      if (page.size() == kScanPageRows) {
        from = row->first;
        return true;
      }
      if (const auto* value = Visible(row->second, as_of)) page.push_back({row->first, **value});
    }
    return false;
  }

  /// Keeps the newest version only. REQUIRES: no open view.
  void Prune(std::size_t table, const std::string& key) {
    const auto row = tables_[table].find(key);
    if (row == tables_[table].end()) return;
    if (!row->second.back().value) {
      tables_[table].erase(row);
    } else {
      row->second.erase(row->second.begin(), std::prev(row->second.end()));
    }
  }

  mutable std::shared_mutex mutex_;
  std::array<std::map<std::string, Versions, std::less<>>, kTableCount> tables_;
  Sequence sequence_ = 0;
  std::multiset<Sequence> views_;
  std::set<std::pair<std::size_t, std::string>> stale_;  ///< rows to prune once no view is open
};

class MemoryView final : public View {
 public:
  MemoryView(MemoryEngine& engine, Sequence as_of) : engine_(engine), as_of_(as_of) {}
  ~MemoryView() override { engine_.Close(as_of_); }
  MemoryView(const MemoryView&) = delete;
  MemoryView& operator=(const MemoryView&) = delete;

  Result<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    return engine_.Read(table, key, as_of_);
  }

  Result<std::vector<std::optional<std::string>>> MultiGet(Table table,
                                                           std::span<const std::string> keys) const override {
    std::vector<std::optional<std::string>> values;
    values.reserve(keys.size());
    for (const auto& key : keys) {
      ASSIGN_OR_RETURN(auto value, engine_.Read(table, key, as_of_));
      values.push_back(std::move(value));
    }
    return values;
  }

  Result<> Scan(Table table, std::string_view first, std::string_view end,
                const Visitor& visit) const override {
    return engine_.ScanAt(table, first, end, as_of_, visit);
  }

 private:
  MemoryEngine& engine_;
  Sequence as_of_;
};

std::unique_ptr<View> MemoryEngine::OpenView() {
  const std::unique_lock lock(mutex_);
  views_.insert(sequence_);
  return std::make_unique<MemoryView>(*this, sequence_);
}

}  // namespace

std::unique_ptr<Engine> NewMemoryEngine() { return std::make_unique<MemoryEngine>(); }

}  // namespace storage::kv
