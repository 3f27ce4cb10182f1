#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cpm/fault.h"
#include "protocol/cpm/layout.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"

namespace protocol::cpm {

inline constexpr std::string_view kSessionInfoType = "application/x-cpm-session";

/// What is known of a session (spec note 2.6).
struct SessionInfo {
  struct Media {
    std::string cid;                  ///< without "cid:" and brackets
    std::string sdp;                  ///< lines end in LF, none after the last
    std::optional<std::size_t> part;  ///< index in mime::Parts of the part with that Content-ID

    friend bool operator==(const Media&, const Media&) = default;
  };

  std::string type;                       ///< as spelled: "1-1", "Ad-Hoc", "Pre-Defined", "Group"
  std::vector<std::string> participants;  ///< as spelled
  std::string sdp;                        ///< of the session, 2.x only; empty: absent
  std::vector<Media> media;

  friend bool operator==(const SessionInfo&, const SessionInfo&) = default;
};

/// Reads an object of either layout: multipart/related with a part of kSessionInfoType, or that alone.
/// Faults: no such part, XML not well-formed, no session-type, no invited-participants, a media-object
/// without cid.
tl::expected<SessionInfo, Fault> ReadSessionInfo(const mime::Parts& parts, mime::Source& source);

/// The XML alone: a fragment (kV20, where `sdp` has no place and is left out) or a document with root
/// "session".
tl::expected<SessionInfo, Fault> ReadSessionXml(std::string_view xml);
tl::expected<std::string, Fault> WriteSessionXml(const SessionInfo& info, Layout layout);

}  // namespace protocol::cpm
