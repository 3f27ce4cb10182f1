#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "storage/kv/memory_engine.h"

namespace tests {

/// An engine in memory that counts what its views read, and refuses to write when it is told to.
class CountingEngine final : public storage::kv::Engine {
 public:
  struct Reads {
    std::atomic<int> scans = 0;
    std::atomic<int> rows = 0;  ///< by whatever call; one that is not there counts as well
  };

  std::unique_ptr<storage::kv::View> OpenView() override {
    return std::make_unique<Counted>(inner_->OpenView(), reads_);
  }
  storage::Result<std::optional<std::string>> Get(storage::kv::Table table, std::string_view key) override {
    ++gets;
    return inner_->Get(table, key);
  }
  storage::Result<> Apply(const storage::kv::Batch& batch, storage::kv::Durability durability) override {
    if (refuses) return storage::Fail(storage::Errc::kUnavailable, "told to");
    return inner_->Apply(batch, durability);
  }
  std::uint64_t ApproximateBytes(storage::kv::Table table, std::string_view first,
                                 std::string_view end) override {
    return inner_->ApproximateBytes(table, first, end);
  }
  std::vector<storage::kv::Statistic> Stats() override { return inner_->Stats(); }

  /// By views and without one.
  int AllRows() const {
    int rows = gets;
    for (const auto& of : reads_) rows += of.rows;
    return rows;
  }
  const Reads& Of(storage::kv::Table table) const { return reads_[static_cast<std::size_t>(table)]; }

  std::atomic<bool> refuses = false;
  std::atomic<int> gets = 0;  ///< without a view

 private:
  using AllReads = std::array<Reads, 32>;

  class Counted final : public storage::kv::View {
   public:
    Counted(std::unique_ptr<storage::kv::View> inner, AllReads& reads)
        : inner_(std::move(inner)), reads_(reads) {}
    storage::Result<std::optional<std::string>> Get(storage::kv::Table table,
                                                    std::string_view key) const override {
      ++Of(table).rows;
      return inner_->Get(table, key);
    }
    storage::Result<std::vector<std::optional<std::string>>> MultiGet(
        storage::kv::Table table, std::span<const std::string> keys) const override {
      Of(table).rows += static_cast<int>(keys.size());
      return inner_->MultiGet(table, keys);
    }
    storage::Result<> Scan(storage::kv::Table table, std::string_view first, std::string_view end,
                           const Visitor& visit) const override {
      ++Of(table).scans;
      return inner_->Scan(table, first, end, [&](std::string_view key, std::string_view value) {
        ++Of(table).rows;
        return visit(key, value);
      });
    }

   private:
    Reads& Of(storage::kv::Table table) const { return reads_.at(static_cast<std::size_t>(table)); }

    std::unique_ptr<storage::kv::View> inner_;
    AllReads& reads_;
  };

  std::unique_ptr<storage::kv::Engine> inner_ = storage::kv::NewMemoryEngine();
  AllReads reads_;
};

}  // namespace tests
