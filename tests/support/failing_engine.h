#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/kv/engine.h"

namespace tests {

/// A view of a disk that does not answer.
class UnreadableView final : public storage::kv::View {
 public:
  using Value = std::optional<std::string>;
  storage::Result<Value> Get(storage::kv::Table, std::string_view) const override {
    return storage::Fail(storage::Errc::kUnavailable, "I/O error");
  }
  storage::Result<std::vector<Value>> MultiGet(storage::kv::Table,
                                               std::span<const std::string>) const override {
    return storage::Fail(storage::Errc::kUnavailable, "I/O error");
  }
  storage::Result<> Scan(storage::kv::Table, std::string_view, std::string_view,
                         const Visitor&) const override {
    return storage::Fail(storage::Errc::kUnavailable, "I/O error");
  }
};

/// Another engine behind a disk that fails on command.
class FailingEngine final : public storage::kv::Engine {
 public:
  using Value = std::optional<std::string>;

  explicit FailingEngine(Engine& behind) : behind_(behind) {}

  std::unique_ptr<storage::kv::View> OpenView() override {
    if (reads_fail) return std::make_unique<UnreadableView>();
    return behind_.OpenView();
  }
  storage::Result<Value> Get(storage::kv::Table table, std::string_view key) override {
    if (reads_fail) return storage::Fail(storage::Errc::kUnavailable, "I/O error");
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
  std::atomic<bool> writes_fail = false;

 private:
  Engine& behind_;
};

}  // namespace tests
