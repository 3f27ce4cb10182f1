#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/imap/url.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/section.h"
#include "protocol/mime/source.h"
#include "storage/store/mail_store.h"

/// Parts within a message/cpim. IMAP has no numbers for them (RFC 3501 §7.4.2): what names one is the CPIM's
/// section with a partial that is the part's body to the octet (RFC 5092 §4).
namespace server::references {

/// What a message/cpim part holds, an entity (RFC 3862 §2), as if it were a message of its own.
struct CpimInside {
  storage::AccountId account;
  storage::ObjectId object;
  std::uint64_t cpim_begin = 0;   ///< of the CPIM's body, in the message as appended
  protocol::mime::Extent entity;  ///< likewise: behind CPIM's own headers
  protocol::mime::Parts parts;    ///< of the entity: counted from its beginning
  std::string body_structure;     ///< likewise, as it is served
  std::optional<protocol::mime::Served> served;
};
using CpimInsidePtr = std::shared_ptr<const CpimInside>;

/// Where the entity begins in a CPIM's body: behind the first empty line, or at the end.
std::size_t EntityBegin(std::string_view body);

/// Reads all of the CPIM. kNotAllowed, in words: it has a transfer encoding, so that none of its octets are
/// those of a part, or it is malformed.
storage::Result<CpimInsidePtr> LookInside(storage::AccountId account, storage::ObjectId object,
                                          protocol::mime::Source& message, const protocol::mime::Part& cpim);

/// What names the body of one of `inside.parts`. nullopt: it is empty, or further away than a URL can say.
std::optional<protocol::UrlPartial> PartialOf(const CpimInside& inside, const protocol::mime::Part& part);

/// The numbers that the part has in the entity; nullopt: nothing is named to the octet.
std::optional<std::vector<std::uint32_t>> PathOf(const CpimInside& inside,
                                                 const protocol::UrlPartial& partial);

/// Some octets of another source.
///
/// Lifetime   the other outlives it.
class WindowSource final : public protocol::mime::Source {
 public:
  WindowSource(protocol::mime::Source& whole, protocol::mime::Extent extent)
      : whole_(whole), extent_(extent) {}
  std::uint64_t size() const override { return extent_.length; }
  std::int64_t Read(std::uint64_t offset, std::span<char> out) override;
  std::int64_t Share(std::uint64_t offset, std::size_t most, protocol::mime::Octets& out) override;

 private:
  protocol::mime::Source& whole_;
  protocol::mime::Extent extent_;
};

}  // namespace server::references
