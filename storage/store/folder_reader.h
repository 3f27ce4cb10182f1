#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mime/source.h"
#include "storage/kv/engine.h"
#include "storage/store/folder.h"
#include "storage/store/id_lookup.h"
#include "storage/store/message.h"

namespace storage {

class BodyCache;
class PictureCache;

/// Decoded, case-folded text of one object, for SEARCH. The views live for the visitor's call.
struct MessageText {
  std::string_view header;  ///< "name: value\n" lines, RFC 2047 words decoded
  std::string_view body;
  bool truncated = false;  ///< the body's text goes on beyond what is kept: decode the object to be sure
};

/// One folder as of one moment.
///
/// Lifetime: short, one hop on the storage pool; never held while a client is awaited. The store outlives it.
/// Thread: one at a time; calls block.
class FolderReader {
 public:
  const FolderStatus& status() const { return status_; }
  const std::shared_ptr<const KeywordTable>& keywords() const { return keywords_; }
  /// Of who reads.
  protocol::Rights rights() const { return rights_; }

  /// All UIDs present.
  Result<UidSet> Uids() const;

  /// Visits the states of the present UIDs among `uids`, in UID order; \Seen is that of who reads.
  /// `changed_since` skips older ones, whole pages at a time; of a large folder that was opened before, pages
  /// that did not change are not read.
  using StateVisitor = std::function<void(const MessageState&)>;
  Result<> States(const UidSet& uids, const StateVisitor& visit, ModSeq changed_since = {}) const;

  /// What has been expunged with a higher modseq, and perhaps more that is gone for longer; nullopt: that is
  /// forgotten (Profile::keep_vanished), so any UID that is not there may have gone since.
  Result<std::optional<UidSet>> VanishedSince(ModSeq since) const;

  /// Those of `uids` that are temporary (storage/store/deferred.h). Reads nothing in a folder that never had
  /// such a message.
  Result<UidSet> Temporary(const UidSet& uids) const;

  /// Visits the rows of the present UIDs among `uids`, in UID order, until `visit` returns false.
  using RowVisitor = std::function<bool(Uid, const MessageRow&)>;
  Result<> Rows(const UidSet& uids, const RowVisitor& visit) const;

  /// The messages here with this identifier; see storage/store/id_lookup.h.
  Result<UidSet> FindById(IdKind kind, std::string_view value) const;

  /// The octets [offset, offset + length) of an object, as far as they exist.
  Result<std::string> Octets(ObjectId object, std::uint64_t offset, std::uint64_t length) const;

  /// The octets of objects of at most one chunk, all in one go: neighbours share the work of finding and
  /// unpacking them. nullopt for one that is not there; for a longer object its first chunk.
  Result<std::vector<std::optional<std::string>>> ShortBodies(const std::vector<ObjectId>& objects) const;

  /// A source over one object of `size` octets; lives no longer than this reader.
  std::unique_ptr<protocol::mime::Source> Body(ObjectId object, std::uint64_t size) const;

  /// False if there is none (then decode the object).
  Result<bool> Text(ObjectId object, const std::function<void(const MessageText&)>& visit) const;

 private:
  friend class MailStore;
  FolderReader(std::unique_ptr<kv::View> view, FolderStatus status,
               std::shared_ptr<const KeywordTable> keywords, protocol::Rights rights,
               std::optional<AccountId> viewer, const PictureCache& pictures, BodyCache& bodies)
      : view_(std::move(view)),
        status_(std::move(status)),
        keywords_(std::move(keywords)),
        rights_(rights),
        viewer_(viewer),
        pictures_(pictures),
        bodies_(bodies) {}
  /// As far as is known without a read; nullopt: any page may have.
  std::optional<std::vector<std::uint32_t>> PagesChangedSince(ModSeq since) const;

  std::unique_ptr<kv::View> view_;
  FolderStatus status_;
  std::shared_ptr<const KeywordTable> keywords_;
  protocol::Rights rights_;
  std::optional<AccountId> viewer_;  ///< whose \Seen is read; nullopt: the owner's
  const PictureCache& pictures_;
  BodyCache& bodies_;
};

}  // namespace storage
