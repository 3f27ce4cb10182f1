#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mime/fields.h"
#include "protocol/mime/parts.h"

namespace protocol::mime {

/// Gathers what BODY and BODYSTRUCTURE say of each part (RFC 3501 §7.4.2), and writes them when all sizes are
/// known.
class StructureWriter {
 public:
  /// Of part `index`, which is the next one or, if a part inside message/cpim stood there, takes its place.
  /// `kind` is what the part was found to be; a container found to be a leaf becomes
  /// application/octet-stream. `envelope`: of a message/rfc822, set once the message inside is known.
  void Add(std::size_t index, const MimeFields& fields, const StructuredValue& type, PartKind kind);
  void SetEnvelope(std::size_t index, std::string_view envelope);

  /// Octets that BODYSTRUCTURE will take, within a few dozen a part.
  std::size_t size() const { return arena_.size() + entries_.size() * 16; }

  std::string Body(const Parts& parts) const { return Write(parts, /*extended=*/false); }
  std::string BodyStructure(const Parts& parts) const { return Write(parts, /*extended=*/true); }

 private:
  struct Slice {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  struct Entry {
    Slice head;       ///< leaf: type to encoding; multipart: subtype
    Slice extension;  ///< leaf: md5 to location; multipart: parameters to location
    Slice envelope;
    bool text = false;
  };

  std::string Write(const Parts& parts, bool extended) const;
  void WritePart(const Parts& parts, std::size_t index, bool extended, std::string& out) const;
  std::string_view At(Slice slice) const {
    return std::string_view(arena_).substr(slice.begin, slice.end - slice.begin);
  }

  std::string arena_;
  std::vector<Entry> entries_;
};

}  // namespace protocol::mime
