#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/kv/engine.h"

namespace tests {

/// Another engine behind a disk that fails on command.
class FailingEngine final : public storage::kv::Engine {
 public:
  using Value = std::optional<std::string>;

  explicit FailingEngine(Engine& behind) : behind_(behind) {}

  std::unique_ptr<storage::kv::View> OpenView() override {
    return std::make_unique<FailingView>(*this, behind_.OpenView());
  }
  storage::Result<Value> Get(storage::kv::Table table, std::string_view key) override {
    if (Fails(table)) return storage::Fail(storage::Errc::kUnavailable, "I/O error");
    return behind_.Get(table, key);
  }
  storage::Result<> Apply(const storage::kv::Batch& batch, storage::kv::Durability durability) override {
    if (writes_fail) return storage::Fail(storage::Errc::kUnavailable, "No space left on device");
    return behind_.Apply(batch, durability);
  }
  std::uint64_t ApproximateBytes(storage::kv::Table table, std::string_view first,
                                 std::string_view end) override {
    return behind_.ApproximateBytes(table, first, end);
  }
  std::vector<storage::kv::Statistic> Stats() override { return behind_.Stats(); }

  std::atomic<bool> reads_fail = false;
  std::atomic<bool> bodies_fail = false;  ///< reads of what messages hold, as they were appended
  std::atomic<bool> writes_fail = false;

 private:
  class FailingView final : public storage::kv::View {
   public:
    FailingView(const FailingEngine& engine, std::unique_ptr<storage::kv::View> behind)
        : engine_(engine), behind_(std::move(behind)) {}
    storage::Result<Value> Get(storage::kv::Table table, std::string_view key) const override {
      if (engine_.Fails(table)) return storage::Fail(storage::Errc::kUnavailable, "I/O error");
      return behind_->Get(table, key);
    }
    storage::Result<std::vector<Value>> MultiGet(storage::kv::Table table,
                                                 std::span<const std::string> keys) const override {
      if (engine_.Fails(table)) return storage::Fail(storage::Errc::kUnavailable, "I/O error");
      return behind_->MultiGet(table, keys);
    }
    storage::Result<> Scan(storage::kv::Table table, std::string_view first, std::string_view end,
                           const Visitor& visit) const override {
      if (engine_.Fails(table)) return storage::Fail(storage::Errc::kUnavailable, "I/O error");
      return behind_->Scan(table, first, end, visit);
    }

   private:
    const FailingEngine& engine_;
    std::unique_ptr<storage::kv::View> behind_;
  };
  bool Fails(storage::kv::Table table) const {
    return reads_fail || (bodies_fail && table == storage::kv::Table::kBodies);
  }

  Engine& behind_;
};

}  // namespace tests
