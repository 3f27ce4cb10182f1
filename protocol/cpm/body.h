#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/cpm/fault.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"

namespace protocol::cpm {

/// The first `most` octets of a part's body, transfer encoding undone. A fault when the encoding is unknown
/// or the source fails.
tl::expected<std::string, Fault> ReadBody(const mime::Part& part, mime::Source& source, std::size_t most);

/// All of it, or a fault when that is more than kMaxXml.
tl::expected<std::string, Fault> ReadXmlBody(const mime::Part& part, mime::Source& source);

/// `begin` to `end` of the source; nullopt when it fails.
std::optional<std::string> ReadOctets(mime::Source& source, std::uint64_t begin, std::uint64_t end);

/// "a@b" of "cid:a@b", "<a@b>", "cid:<a@b>".
std::string_view StripCid(std::string_view cid);

/// True when a Content-Type value is that type ("application/x-cpm-session"), in any case.
bool IsType(std::string_view content_type, std::string_view type);

/// Of a leaf: itself. Of a multipart: its first part of that type, among the first kMaxRelatedParts. nullopt
/// when there is none or the source fails.
std::optional<std::size_t> FindPartOfType(const mime::Parts& parts, mime::Source& source,
                                          std::string_view type);

/// The parts of the multipart parts[0] that have a Content-ID, among the first kMaxRelatedParts: index and
/// stripped id. nullopt when the source fails.
using ContentIds = std::vector<std::pair<std::size_t, std::string>>;
std::optional<ContentIds> FindContentIds(const mime::Parts& parts, mime::Source& source);

/// The part of that id, the first of several.
std::optional<std::size_t> PartOf(const ContentIds& ids, std::string_view cid);

}  // namespace protocol::cpm
