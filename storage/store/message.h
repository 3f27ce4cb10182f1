#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mime/source.h"
#include "protocol/model/flags.h"
#include "protocol/model/internal_date.h"
#include "protocol/model/object_kind.h"
#include "storage/error.h"
#include "storage/store/folder.h"

namespace storage {

class MailStore;

/// What never changes about a message. The views live as long as the row they were read from: in a visitor,
/// for the call.
struct MessageRow {
  protocol::InternalDate internal_date;
  std::int64_t save_date = 0;  ///< Unix seconds; set anew by COPY and MOVE (RFC 8514 §2)
  std::uint64_t size = 0;      ///< octets
  ObjectId object;
  protocol::ObjectKind object_kind = protocol::ObjectKind::kUnclassified;
  bool malformed = false;   ///< it cannot be read as what it claims to be
  std::int64_t expiry = 0;  ///< Unix seconds; 0: none. Of a temporary message ($Deferred), else history
  std::optional<protocol::InternalDate> sent;  ///< the Date header, if it can be read
  std::string_view envelope;  ///< ENVELOPE, BODY, BODYSTRUCTURE as they stand in a FETCH answer
  std::string_view body;
  std::string_view body_structure;
  std::string_view parts;  ///< protocol/mime: DecodeParts()
  std::string_view ids;    ///< storage/store/id_lookup.h: IdIn()
};

/// Octets on their way into the store. Up to one chunk stays in memory; what is longer is written chunk by
/// chunk under an object id that is listed as staged, and is swept at the next start if no message comes to
/// refer to it.
///
/// Lifetime: ends in MailStore::Append, which takes it, or in the destructor, which gives the octets up (the
/// janitor frees them; the destructor does not block). Thread: one at a time; Write blocks, so it runs on the
/// storage pool.
class StagedBody {
 public:
  static constexpr std::size_t kChunk = 256 * 1024;

  StagedBody(StagedBody&&) noexcept;
  StagedBody& operator=(StagedBody&&) noexcept;
  ~StagedBody();

  /// kUnavailable ends this body: nothing more can be written to it, and Append refuses it.
  Result<> Write(std::string_view octets);

  /// True if the next `n` octets fit in memory, so that Write(n octets) will not block and may run on any
  /// thread.
  bool FitsInMemory(std::size_t n) const;

  /// Nothing more will be written: what is in memory goes to the store. Blocks.
  Result<> Seal();

  std::size_t in_memory() const { return tail_.size(); }  ///< octets

  std::uint64_t size() const { return size_; }
  ObjectId object() const { return object_; }

 private:
  friend class MailStore;
  friend class StagedSource;
  friend class Delivery;
  StagedBody(MailStore* store, AccountId account, ObjectId object)
      : store_(store), account_(account), object_(object) {}
  Result<> FlushChunk();

  MailStore* store_ = nullptr;
  AccountId account_;
  ObjectId object_;
  std::uint64_t size_ = 0;
  std::uint32_t chunks_written_ = 0;
  std::string tail_;     ///< octets after the last chunk written
  bool failed_ = false;  ///< octets are missing
};

struct NewMessage {
  StagedBody body;
  protocol::FlagSet flags;
  std::optional<protocol::InternalDate> internal_date;  ///< default: now
  std::int64_t expiry = 0;  ///< Unix seconds; temporary until then or accessed. 0: see MailStore::Append
};

struct AppendResult {
  FolderRef folder;
  UidValidity uid_validity;
  UidSet uids;
  bool created = true;  ///< false: it was there before (AppendOnce)
};

struct CopyResult {
  UidValidity uid_validity;  ///< of the target
  UidSet source;             ///< in ascending order, one to one with `target`
  UidSet target;
};

struct StoreResult {
  std::vector<MessageState> changed;  ///< only those that did change, as they are now
  /// Of a conditional change only, as they are: those that it applied to but had the flags already, and those
  /// that it left alone because they had changed.
  std::vector<MessageState> unchanged;
  std::vector<MessageState> modified;
  std::shared_ptr<const KeywordTable> keywords;
};

}  // namespace storage
