#include "protocol/mime/parts.h"

#include <optional>

namespace protocol::mime {
namespace {

constexpr char kVersion = 1;
constexpr char kServedVersion = 2;
constexpr char kNoNulVersion = 3;

void PutVarint(std::uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7FU) | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

/// The first failure sticks: later reads give 0.
class RowReader {
 public:
  explicit RowReader(std::string_view row) : rest_(row) {}

  std::uint8_t Octet() {
    if (rest_.empty()) {
      failed_ = true;
      return 0;
    }
    const auto octet = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return octet;
  }

  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {  // 63 bits: sums of a few never wrap unseen
      const std::uint8_t octet = Octet();
      value |= static_cast<std::uint64_t>(octet & 0x7FU) << shift;
      if (octet < 0x80) return failed_ ? 0 : value;
    }
    failed_ = true;
    return 0;
  }

  /// The next `length` octets; none when there are fewer.
  std::string_view Octets(std::uint64_t length) {
    if (length > rest_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }

  bool failed() const { return failed_; }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

/// A container whose children are being read.
struct OpenPart {
  std::size_t index;
  std::uint64_t children_left;
  std::uint64_t next_begin;  ///< the end of the preceding child
};

bool Add(std::uint64_t& sum, std::uint64_t term, std::uint64_t most) {
  if (term > most || sum > most - term) return false;
  sum += term;
  return true;
}

class PartsDecoder {
 public:
  explicit PartsDecoder(std::string_view row) : in_(row) {}

  tl::expected<Parts, BadParts> Decode() {
    const std::uint8_t version = in_.Octet();
    if (version != kVersion && version != kNoNulVersion) return Bad("unknown version");
    const std::uint64_t count = in_.Varint();
    constexpr std::size_t kLeastPart = 7;
    if (count == 0 || count > in_.left() / kLeastPart) return Bad("part count");
    parts_.reserve(count);
    while (parts_.size() < count) {
      if (!parts_.empty() && open_.empty()) return Bad("two roots");
      if (!One()) return Bad("part");
    }
    if (!open_.empty() || in_.left() != 0) return Bad("length");
    return std::move(parts_);
  }

 private:
  static tl::unexpected<BadParts> Bad(const char* what) { return tl::unexpected<BadParts>(BadParts{what}); }

  bool One() {
    const std::uint8_t shape = in_.Octet();
    Part part{.kind = static_cast<PartKind>(shape & 3U),
              .encoding = static_cast<Encoding>((shape >> 2U) & 7U),
              .media = static_cast<Media>(shape >> 5U)};
    if (part.kind > PartKind::kMessage || part.encoding > Encoding::kUnknown || part.media > Media::kCpim)
      return false;
    const std::uint64_t children = in_.Varint();
    const bool fits = part.kind == PartKind::kLeaf      ? children == 0
                      : part.kind == PartKind::kMessage ? children == 1
                                                        : children >= 1;
    if (!fits) return false;

    const std::uint64_t most = open_.empty() ? INT64_MAX : parts_[open_.back().index].body_end;
    std::uint64_t at = open_.empty() ? 0 : open_.back().next_begin;
    if (!Add(at, in_.Varint(), most)) return false;
    part.header_begin = at;
    if (!Add(at, in_.Varint(), most)) return false;
    part.body_begin = at;
    if (!Add(at, in_.Varint(), most)) return false;
    part.body_end = at;
    part.header_lines = in_.Varint();
    part.body_lines = in_.Varint();
    if (in_.failed() || part.header_lines > part.body_begin - part.header_begin ||
        part.body_lines > part.body_end - part.body_begin) {
      return false;
    }
    Attach(part, children);
    return true;
  }

  void Attach(const Part& part, std::uint64_t children) {
    if (!open_.empty()) {
      --open_.back().children_left;
      open_.back().next_begin = part.body_end;
    }
    parts_.push_back(part);
    if (children > 0) open_.push_back({parts_.size() - 1, children, part.body_begin});
    while (!open_.empty() && open_.back().children_left == 0) {
      Part& done = parts_[open_.back().index];
      done.subtree = static_cast<std::uint32_t>(parts_.size() - open_.back().index);
      open_.pop_back();
    }
  }

  RowReader in_;
  Parts parts_;
  std::vector<OpenPart> open_;
};

std::uint64_t ChildCount(const Parts& parts, std::size_t index) {
  std::uint64_t count = 0;
  for (std::size_t i = index + 1; i < index + parts[index].subtree; i += parts[i].subtree) ++count;
  return count;
}

/// A row of the longer kind, its trees not yet read.
struct ServedRow {
  Served head;
  std::string_view appended;
  std::string_view served;
};

tl::expected<ServedRow, BadParts> ReadServed(std::string_view row) {
  constexpr std::size_t kLeastReplacement = 3;
  RowReader in(row.substr(1));
  ServedRow out;
  out.head.size = in.Varint();
  const std::uint64_t count = in.Varint();
  if (count > in.left() / kLeastReplacement) return tl::unexpected<BadParts>(BadParts{"replacement count"});
  out.head.replacements.reserve(count);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Replacement replacement;
    bool fits = Add(at, in.Varint(), INT64_MAX);
    replacement.begin = at;
    replacement.length = in.Varint();
    fits = fits && Add(at, replacement.length, INT64_MAX);
    const std::uint8_t kind = in.Octet();
    replacement.body = kind == 1;
    if (!fits || kind > 1) return tl::unexpected<BadParts>(BadParts{"replacement"});
    out.head.replacements.push_back(replacement);
  }
  out.appended = in.Octets(in.Varint());
  out.served = in.Octets(in.left());
  if (in.failed()) return tl::unexpected<BadParts>(BadParts{"length"});
  return out;
}

struct Ancestor {
  std::size_t end;           ///< index past its subtree
  std::uint64_t next_begin;  ///< where a gap is counted from
};

}  // namespace

std::string EncodeParts(const Parts& parts, Nul nul) {
  std::string out;
  out.reserve(parts.size() * 9 + 4);
  out += nul == Nul::kNone ? kNoNulVersion : kVersion;
  PutVarint(parts.size(), out);
  std::vector<Ancestor> open;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    while (!open.empty() && open.back().end <= i) open.pop_back();
    out += static_cast<char>(static_cast<unsigned>(part.media) << 5U |
                             static_cast<unsigned>(part.encoding) << 2U | static_cast<unsigned>(part.kind));
    PutVarint(ChildCount(parts, i), out);
    PutVarint(part.header_begin - (open.empty() ? 0 : open.back().next_begin), out);
    PutVarint(part.body_begin - part.header_begin, out);
    PutVarint(part.body_end - part.body_begin, out);
    PutVarint(part.header_lines, out);
    PutVarint(part.body_lines, out);
    if (!open.empty()) open.back().next_begin = part.body_end;
    if (part.subtree > 1) open.push_back({i + part.subtree, part.body_begin});
  }
  return out;
}

std::string EncodeParts(const Parts& parts, const Served& served) {
  std::string out;
  out += kServedVersion;
  PutVarint(served.size, out);
  PutVarint(served.replacements.size(), out);
  std::uint64_t at = 0;
  for (const Replacement& replacement : served.replacements) {
    PutVarint(replacement.begin - at, out);
    PutVarint(replacement.length, out);
    out += replacement.body ? '\x01' : '\0';
    at = replacement.begin + replacement.length;
  }
  const std::string appended = EncodeParts(parts);
  PutVarint(appended.size(), out);
  out += appended;
  out += EncodeParts(served.parts);
  return out;
}

Nul NulOf(std::string_view row) { return row.starts_with(kNoNulVersion) ? Nul::kNone : Nul::kMaybe; }

tl::expected<Parts, BadParts> DecodeParts(std::string_view row) {
  if (!row.starts_with(kServedVersion)) return PartsDecoder(row).Decode();
  const auto both = ReadServed(row);
  if (!both) return tl::unexpected<BadParts>(both.error());
  return PartsDecoder(both->appended).Decode();
}

tl::expected<std::optional<Served>, BadParts> DecodeServed(std::string_view row) {
  if (!row.starts_with(kServedVersion)) return std::nullopt;
  auto both = ReadServed(row);
  if (!both) return tl::unexpected<BadParts>(std::move(both).error());
  auto parts = PartsDecoder(both->served).Decode();
  if (!parts) return tl::unexpected<BadParts>(std::move(parts).error());
  if (parts->front().body_end != both->head.size) return tl::unexpected<BadParts>(BadParts{"served size"});
  both->head.parts = *std::move(parts);
  return std::move(both->head);
}

std::uint64_t ServedSize(std::string_view row, std::uint64_t size) {
  if (!row.starts_with(kServedVersion)) return size;
  return RowReader(row.substr(1)).Varint();
}

}  // namespace protocol::mime
