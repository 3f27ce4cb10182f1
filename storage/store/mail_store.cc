#include "storage/store/mail_store.h"

#include <fmt/format.h>

#include "storage/schema/bytes.h"
#include "storage/store/core.h"
#include "storage/store/upgrade.h"

namespace storage {
namespace {

using kv::Table;

constexpr std::string_view kFormatKey = "format";
/// 1: before folders had kinds. 2: before `ids` had the kinds of objects. 3: now.
constexpr std::uint32_t kFormat = 3;

Result<> WriteFormat(kv::Engine& engine) {
  kv::Batch batch;
  batch.Put(Table::kMeta, kFormatKey, schema::Writer().U32(kFormat).Take());
  return engine.Apply(batch, kv::Durability::kNow);
}

/// The store's format, which this program knows.
Result<std::uint32_t> CheckFormat(kv::Engine& engine) {
  ASSIGN_OR_RETURN(const auto value, engine.Get(Table::kMeta, kFormatKey));
  if (!value) {
    const auto view = engine.OpenView();
    bool empty = true;
    RETURN_IF_ERROR(view->Scan(Table::kAccounts, {}, {}, [&](auto, auto) { return empty = false; }));
    if (!empty) {
      return Fail(Errc::kCorruption,
                  "the store has accounts but no format mark (table meta): restore it from a backup");
    }
    RETURN_IF_ERROR(WriteFormat(engine));
    return kFormat;
  }
  schema::Reader in(*value);
  const auto format = in.U32();
  if (!in.Done() || format == 0 || format > kFormat) {
    return Fail(Errc::kCorruption,
                fmt::format("the store has format {}, this program knows {}: use the program that wrote it",
                            format, kFormat));
  }
  return format;
}

}  // namespace

Result<> IdCounter::Load() {
  ASSIGN_OR_RETURN(const auto value, engine_.Get(Table::kMeta, name_));
  if (!value) return {};
  schema::Reader in(*value);
  next_ = reserved_ = in.U64();
  if (!in.Done())
    return Fail(Errc::kCorruption,
                fmt::format("counter {} (table meta) does not decode: restore it from a backup", name_));
  return {};
}

Result<std::uint64_t> IdCounter::Next() {
  const std::scoped_lock lock(mutex_);
  if (next_ == reserved_) {
    // Whatever uses the ids is written later, so the mark is on stable storage by the time they are.
    kv::Batch batch;
    batch.Put(Table::kMeta, name_, schema::Writer().U64(reserved_ + kBlock).Take());
    RETURN_IF_ERROR(engine_.Apply(batch, kv::Durability::kBeforeNext));
    reserved_ += kBlock;
  }
  return next_++;
}

MailStore::MailStore(std::unique_ptr<Core> core) : core_(std::move(core)) {}
MailStore::~MailStore() = default;

ChangeFeed& MailStore::feed() { return core_->feed; }
kv::Engine& MailStore::engine() { return core_->engine; }
void MailStore::DrainJanitor() { core_->janitor.Drain(); }
void MailStore::ReapDue() { core_->reaper.Drain(); }

Result<std::unique_ptr<MailStore>> MailStore::Open(kv::Engine& engine, StoreOptions options) {
  ASSIGN_OR_RETURN(const std::uint32_t format, CheckFormat(engine));
  auto core = std::make_unique<Core>(engine, std::move(options));
  RETURN_IF_ERROR(core->accounts.Load());
  RETURN_IF_ERROR(core->objects.Load());
  if (format < 2) {
    RETURN_IF_ERROR(GiveFoldersKinds(*core));
  }
  if (format < 3) RETURN_IF_ERROR(IndexKinds(*core));
  if (format < kFormat) RETURN_IF_ERROR(WriteFormat(engine));
  const auto view = engine.OpenView();
  Result<> bad;
  RETURN_IF_ERROR(view->Scan(Table::kIntents, {}, {}, [&](std::string_view key, std::string_view) {
    const auto intent = schema::IntentKey::Decode(key);
    if (intent) {
      if (intent->kind == schema::IntentKind::kDropAccount) core->deleted.Add(intent->account);
      core->janitor.Add(*intent);
    } else {
      bad = tl::unexpected<Error>(intent.error());
    }
    return bad.has_value();
  }));
  RETURN_IF_ERROR(bad);
  RETURN_IF_ERROR(core->reaper.Start());
  return std::unique_ptr<MailStore>(new MailStore(std::move(core)));
}

}  // namespace storage
