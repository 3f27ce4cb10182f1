#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cpm/fault.h"
#include "protocol/cpm/layout.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"

namespace protocol::cpm {

inline constexpr std::string_view kFileTransferType = "application/x-cpm-file-transfer";

/// What SDP says of a file (RFC 5547 §6). An empty string: not said.
struct FileSdp {
  std::string information;  ///< i=
  std::string direction;    ///< "sendonly", "recvonly", "sendrecv", "inactive"
  std::string name;         ///< file-selector; UTF-8, %-escapes undone
  std::string type;
  std::optional<std::uint64_t> size;
  std::string hash;         ///< "sha-1:72:24:5F:..."; the first one
  std::string disposition;  ///< file-disposition: "render", "attachment"
  std::string created;      ///< file-date, as spelled
  std::string modified;
  std::string read;

  friend bool operator==(const FileSdp&, const FileSdp&) = default;
};

/// Never fails: lines it does not know are skipped.
FileSdp ReadFileSdp(std::string_view sdp);

/// Lines end in CRLF. A fault when a value holds a control character or a quote where SDP has no escape for
/// it.
tl::expected<std::string, Fault> WriteFileSdp(const FileSdp& file);

/// A file transfer history object (spec note 2.7).
struct FileTransfer {
  struct File {
    std::string cid;  ///< without "cid:" and brackets
    FileSdp sdp;
    std::optional<std::size_t> part;  ///< index in mime::Parts of the part with that Content-ID

    friend bool operator==(const File&, const File&) = default;
  };

  std::string type;                       ///< as spelled: "1-1", "Ad-Hoc"
  std::vector<std::string> participants;  ///< as spelled
  std::vector<File> files;

  friend bool operator==(const FileTransfer&, const FileTransfer&) = default;
};

/// Reads an object of either layout: multipart/related with a part of kFileTransferType, or that alone.
/// Faults: no such part, XML not well-formed, no file-transfer-type, no invited-participants, a file-object
/// without cid.
tl::expected<FileTransfer, Fault> ReadFileTransfer(const mime::Parts& parts, mime::Source& source);

/// The XML alone: a fragment (kV20) or a document with root "file-transfer".
tl::expected<FileTransfer, Fault> ReadFileTransferXml(std::string_view xml);
tl::expected<std::string, Fault> WriteFileTransferXml(const FileTransfer& transfer, Layout layout);

}  // namespace protocol::cpm
