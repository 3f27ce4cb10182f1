#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cpm/fault.h"

namespace protocol::cpm {

/// A file on a content server (file transfer over HTTP, application/vnd.gsma.rcs-ft-http+xml).
struct HttpFile {
  struct Info {
    std::string type;  ///< "file", "thumbnail"
    std::uint64_t size = 0;
    std::string name;  ///< empty: absent; thumbnails have none
    std::string content_type;
    std::string url;
    std::string until;  ///< RFC 3339 as spelled

    friend bool operator==(const Info&, const Info&) = default;
  };

  std::vector<Info> infos;  ///< in order; one at least is a "file"

  const Info* Find(std::string_view type) const;

  friend bool operator==(const HttpFile&, const HttpFile&) = default;
};

/// Faults: not well-formed, no file-info of type "file", one without size, content-type or data/@url.
tl::expected<HttpFile, Fault> ReadHttpFile(std::string_view xml);
tl::expected<std::string, Fault> WriteHttpFile(const HttpFile& file);

}  // namespace protocol::cpm
