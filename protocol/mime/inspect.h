#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"
#include "protocol/model/internal_date.h"

namespace protocol::mime {

/// Bounds on what one message may cost. The defaults keep `envelope` + `body` + `body_structure` + encoded
/// parts, and `search_header` + `search_text`, below the store's 1 MiB a row.
struct InspectLimits {
  std::uint32_t max_depth = 100;           ///< a container nested deeper is a leaf: application/octet-stream
  std::uint32_t max_parts = 10'000;        ///< the last part then takes all that follows it
  std::size_t max_structure = 400 * 1024;  ///< octets of `body_structure`; reached, it acts as max_parts
  std::size_t max_envelope =
      64 * 1024;  ///< octets of `envelope`; longer values are cut, further addresses dropped
  std::size_t max_header =
      256 * 1024;                    ///< of one part's header; octets past it are stored but not interpreted
  std::size_t max_id = 640;          ///< a longer identifier is not given; a correlator has at most 640
  std::size_t max_references = 100;  ///< the last ones are kept: they are the nearest ancestors
  std::size_t max_search_header = 192 * 1024;
  std::size_t max_search_text = 768 * 1024;
};

/// Everything the server ever asks about a message's inside, found in one pass at delivery.
struct Inspection {
  /// Wire text of the values of RFC 3501 §7.4.2, ready to follow "ENVELOPE ", "BODY " and "BODYSTRUCTURE " in
  /// a FETCH answer. Strings are quoted; a value with octets that quoting forbids is a literal ("{n}" CRLF
  /// octets). NUL never occurs.
  std::string envelope;
  std::string body;
  std::string body_structure;

  Parts parts;

  /// Exact values of the first occurrence, unfolded and trimmed; absent when the field is absent, empty or
  /// too long.
  std::optional<std::string> conversation_id;
  std::optional<std::string> contribution_id;
  std::optional<std::string> in_reply_to_contribution_id;
  std::optional<std::string> imdn_message_id;
  std::optional<std::string> message_id;          ///< with its angle brackets
  std::optional<std::string> message_correlator;  ///< RFC 2047 words decoded: UTF-8
  std::optional<std::string> message_context;     ///< quotes removed (clients send them), lower-case
  std::optional<std::string> message_direction;   ///< lower-case
  std::optional<std::string> expires;             ///< RFC 4021 §2.1.50, as spelled
  std::optional<std::string> content_type;        ///< of the message, as spelled, with its parameters
  std::optional<std::string> from;                ///< as spelled
  std::optional<std::string> to;                  ///< as spelled
  std::optional<std::string> subject;             ///< RFC 2047 words decoded: UTF-8
  std::vector<std::string> in_reply_to;           ///< message ids with their angle brackets
  std::vector<std::string> references;            ///< likewise, oldest first
  std::optional<InternalDate> date;               ///< the Date field, when it can be made sense of

  /// The message's header, one line a field in the header's order: lower-case name, ": ", decoded and folded
  /// value, LF. A value never holds a line end. For SEARCH HEADER, FROM, TO, CC, BCC, SUBJECT, TEXT.
  std::string search_header;

  /// Decoded and folded (text/fold.h) text of every text/* and message/* leaf, and of the headers of attached
  /// messages; a line feed ends each part, CR is dropped. HTML keeps its tags: SEARCH is on the content, not
  /// on its rendering. Of message/cpim: the text within, without CPIM's own headers. For SEARCH BODY and
  /// TEXT.
  std::string search_text;

  /// A cap cut one of the two: a search that finds nothing there must read the message itself.
  bool search_truncated = false;
};

/// Never fails on any octets: what is not MIME is text. Time is linear in the octets, memory a few hundred
/// KiB beside the result. Thread-safe: nothing is shared between calls.
tl::expected<Inspection, SourceFailed> Inspect(Source& source, const InspectLimits& limits = {});

}  // namespace protocol::mime
