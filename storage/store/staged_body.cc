#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "storage/store/core.h"

namespace storage {

using kv::Table;

StagedBody::StagedBody(StagedBody&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      account_(other.account_),
      object_(other.object_),
      size_(other.size_),
      chunks_written_(other.chunks_written_),
      tail_(std::move(other.tail_)),
      failed_(other.failed_) {}

StagedBody& StagedBody::operator=(StagedBody&& other) noexcept {
  if (this == &other) return *this;
  std::swap(store_, other.store_);
  std::swap(account_, other.account_);
  std::swap(object_, other.object_);
  std::swap(size_, other.size_);
  std::swap(chunks_written_, other.chunks_written_);
  std::swap(tail_, other.tail_);
  std::swap(failed_, other.failed_);
  return *this;
}

StagedBody::~StagedBody() {
  if (store_ == nullptr || chunks_written_ == 0) return;
  store_->core_->janitor.Add({account_, schema::IntentKind::kStagedObject, object_.value});
}

bool StagedBody::FitsInMemory(std::size_t n) const { return tail_.size() + n <= kChunk; }

Result<> StagedBody::Write(std::string_view octets) {
  if (failed_) return Fail(Errc::kUnavailable, "an earlier write to this body failed");
  const auto limit = store_->core_->options.max_message_octets;
  if (size_ + octets.size() > limit)
    return Fail(Errc::kTooBig, fmt::format("A message holds at most {} octets", limit));
  if (size_ < std::uint64_t{chunks_written_} * kChunk)
    return Fail(Errc::kInvalidArgument, "a body is sealed");
  size_ += octets.size();
  while (!octets.empty()) {
    // The last chunk stays in memory even when it is full: it goes with the message itself.
    if (tail_.size() == kChunk) RETURN_IF_ERROR(FlushChunk());
    const auto n = std::min(octets.size(), kChunk - tail_.size());
    tail_.append(octets.substr(0, n));
    octets.remove_prefix(n);
  }
  return {};
}

Result<> StagedBody::Seal() {
  if (failed_) return Fail(Errc::kUnavailable, "an earlier write to this body failed");
  if (tail_.empty()) return {};
  return FlushChunk();
}

Result<> StagedBody::FlushChunk() {
  // Chunks are written outside the account's lane: none may come after the account's rows were freed.
  const auto& deleted = store_->core_->deleted;
  const auto lock = deleted.KeepOut();
  if (deleted.ContainsLocked(account_)) {
    failed_ = true;
    return Fail(Errc::kNoSuchAccount);
  }
  kv::Batch batch;
  batch.Put(Table::kIntents,
            schema::IntentKey{account_, schema::IntentKind::kStagedObject, object_.value}.Encode(),
            schema::MarkerRow());
  batch.Put(Table::kBodies, schema::ChunkKey{account_, object_, chunks_written_}.Encode(), tail_);
  failed_ = true;
  RETURN_IF_ERROR(store_->core_->engine.Apply(batch, kv::Durability::kBeforeNext));
  failed_ = false;
  ++chunks_written_;
  tail_.clear();
  return {};
}

Result<StagedBody> MailStore::Stage(AccountId account) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  ASSIGN_OR_RETURN(const auto object, core_->objects.Next());
  return StagedBody(this, account, ObjectId{object});
}

}  // namespace storage
