#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "protocol/imap/write/fetch.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/section.h"
#include "protocol/mime/source.h"

namespace server::imap {

/// One literal of a FETCH answer on its way: announced with its size, then given piece by piece, over several
/// hops to the storage pool if it is long.
///
/// A NUL cannot stand in a literal (RFC 3501 §9). Parts that have one were re-encoded by the source;
/// elsewhere (headers, preambles) it is sent as %x80, as Dovecot does. BINARY[...] gives it as it is (RFC
/// 3516).
///
/// Lifetime   the source, the parts, the sizes and the response outlive it. Calls block.
class BodyTransfer {
 public:
  enum class Begun {
    kWhole,       ///< all is written: a short item, or NIL
    kMore,        ///< call Continue()
    kUnreadable,  ///< nothing was written: the octets cannot be had
    kUnknownCte,  ///< nothing was written: RFC 3516 §4.3
  };

  /// Of one message's parts once decoded. To know one is to decode the whole part, and a FETCH may ask for a
  /// hundred pieces of it.
  using Sizes = std::map<const protocol::mime::Part*, std::uint64_t>;

  BodyTransfer(protocol::mime::Source& source, const protocol::mime::Parts& parts, Sizes& sizes)
      : source_(source), parts_(parts), sizes_(sizes) {}

  /// Writes the item's name and its first octets.
  Begun Begin(const protocol::FetchItem& item, protocol::write::FetchResponse& response, std::string& out);

  /// Appends octets until `out` has `limit` or the literal is complete. kMore as long as there are more;
  /// kUnreadable: the literal cannot be completed, so the connection must be closed.
  Begun Continue(std::string& out, std::size_t limit);

 private:
  Begun BeginRaw(const protocol::FetchItem& item, protocol::mime::Extent extent, bool binary,
                 protocol::write::FetchResponse& response, std::string& out);
  Begun BeginFields(const protocol::FetchItem& item, protocol::mime::Extent header,
                    protocol::write::FetchResponse& response, std::string& out);
  Begun BeginBinary(const protocol::FetchItem& item, protocol::write::FetchResponse& response,
                    std::string& out);
  Begun WriteBinarySize(const protocol::FetchItem& item, protocol::write::FetchResponse& response);
  /// Appends up to `count` octets of what is left; false: they cannot be had.
  bool Take(std::string& to, std::uint64_t count);

  tl::expected<std::uint64_t, protocol::mime::DecodeError> DecodedSize(const protocol::mime::Part& part);

  protocol::mime::Source& source_;
  const protocol::mime::Parts& parts_;
  Sizes& sizes_;
  std::optional<protocol::mime::Decoder> decoder_;  ///< else raw octets from `offset_`
  std::uint64_t offset_ = 0;
  std::uint64_t left_ = 0;
  bool mask_nul_ = true;
};

}  // namespace server::imap
