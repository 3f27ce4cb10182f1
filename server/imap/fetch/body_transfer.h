#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "protocol/imap/write/fetch.h"
#include "protocol/mime/octet_reader.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"
#include "server/imap/wire.h"

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

  BodyTransfer(protocol::mime::Source& source, const protocol::mime::Parts& parts, protocol::mime::Nul nul,
               Sizes& sizes)
      : source_(source), parts_(parts), may_hold_nul_(nul == protocol::mime::Nul::kMaybe), sizes_(sizes) {}

  /// Writes the item's name and its first octets.
  Begun Begin(const protocol::FetchItem& item, protocol::write::FetchResponse& response, Output& out);

  /// Appends octets until `out` has a step or the literal is complete. kMore as long as there are more;
  /// kUnreadable: the literal cannot be completed, so the connection must be closed.
  Begun Continue(Output& out);

 private:
  /// `octets_` are what the item names.
  Begun BeginOctets(const protocol::FetchItem& item, bool binary, protocol::write::FetchResponse& response,
                    Output& out);
  Begun WriteFields(const protocol::FetchItem& item, protocol::mime::Extent header,
                    protocol::write::FetchResponse& response);
  Begun BeginBinary(const protocol::FetchItem& item, protocol::write::FetchResponse& response, Output& out);
  Begun WriteBinarySize(const protocol::FetchItem& item, protocol::write::FetchResponse& response);

  tl::expected<std::uint64_t, protocol::mime::DecodeError> DecodedSize(const protocol::mime::Part& part);

  protocol::mime::Source& source_;
  const protocol::mime::Parts& parts_;
  const bool may_hold_nul_;
  Sizes& sizes_;
  protocol::mime::OctetReader octets_;  ///< what is not written yet
};

}  // namespace server::imap
