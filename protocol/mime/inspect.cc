#include "protocol/mime/inspect.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "protocol/mime/envelope.h"
#include "protocol/mime/fields.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/scanner.h"
#include "protocol/mime/structure.h"
#include "protocol/mime/text_collector.h"
#include "protocol/mime/words.h"
#include "protocol/model/ascii.h"
#include "protocol/text/fold.h"

namespace protocol::mime {
namespace {

constexpr std::size_t kMaxBoundary = 512;  // RFC 2046 §5.1.1 says 70

std::string FieldLine(const HeaderField& field) {
  std::string line = ascii::Lower(field.name);
  line += ": ";
  line += DecodeWords(Unfold(field.value));
  return line;
}

/// Message ids of In-Reply-To or References: what stands between angle brackets, brackets included; the rest
/// is noise.
std::vector<std::string> MessageIds(std::string_view value, const InspectLimits& limits) {
  std::vector<std::string> out;
  const std::string text = Unfold(value);
  for (std::size_t begin = text.find('<'); begin != std::string::npos; begin = text.find('<', begin + 1)) {
    const std::size_t end = text.find_first_of("<>", begin + 1);
    if (end == std::string::npos || text[end] == '<' || end - begin < 2) continue;
    if (end - begin + 1 <= limits.max_id) out.push_back(text.substr(begin, end - begin + 1));
  }
  if (out.size() > limits.max_references) {
    out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(limits.max_references));
  }
  return out;
}

std::string LowerUnquoted(std::string_view value) {
  std::string text = ascii::Lower(value);
  std::erase(text, '"');
  return std::string(Trim(text));
}

/// Turns what the scanner finds into an Inspection.
class Inspector final : public ScanSink {
 public:
  explicit Inspector(const InspectLimits& limits) : limits_(limits), text_(limits.max_search_text) {}

  Shape OnHeader(const Place& place, std::string_view header) override {
    if (place.index == 0 && !place.hidden) {
      TopHeader(header);
    } else if (place.is_message) {
      AttachedHeader(place, header);
    }
    const MimeFields fields = FindMimeFields(header);
    const StructuredValue type = ContentType(fields, place.in_digest);
    Shape shape = ShapeOf(type, fields, place);
    if (!place.hidden) structure_.Add(place.index, fields, type, shape.kind);
    if (shape.kind == PartKind::kLeaf && !shape.inside_is_mime && IsSearchable(type)) {
      const std::string* charset = type.Find("charset");
      text_.Begin(shape.encoding, charset == nullptr ? std::string_view{} : *charset);
    }
    return shape;
  }

  void OnBody(std::string_view octets) override {
    if (text_.open()) text_.Feed(octets);
  }
  void OnBodyEnd() override { text_.End(); }
  bool Exhausted() const override { return structure_.size() >= limits_.max_structure; }

  /// A text part's body that is read after the scan: false when the source fails.
  bool ReadUnseen(Source& source, Scanner::Stretch stretch) {
    std::array<char, 8192> buffer;
    text_.Begin(Encoding::k7Bit, {});
    while (stretch.begin < stretch.end && !text_.full()) {
      const std::size_t most = std::min<std::uint64_t>(buffer.size(), stretch.end - stretch.begin);
      const std::int64_t got = source.Read(stretch.begin, std::span(buffer).first(most));
      if (got <= 0) return false;
      text_.Feed({buffer.data(), static_cast<std::size_t>(got)});
      stretch.begin += static_cast<std::uint64_t>(got);
    }
    if (stretch.begin < stretch.end) text_.Feed("\n");  // notes that something was left out
    text_.End();
    return true;
  }

  Inspection Finish(Parts parts) && {
    out_.body = structure_.Body(parts);
    out_.body_structure = structure_.BodyStructure(parts);
    out_.parts = std::move(parts);
    out_.search_truncated |= text_.truncated();
    out_.search_text = std::move(text_).Take();
    return std::move(out_);
  }

 private:
  static bool IsSearchable(const StructuredValue& type) {
    return ascii::EqualNoCase(type.type, "text") || ascii::EqualNoCase(type.type, "message");
  }

  static Shape ShapeOf(const StructuredValue& type, const MimeFields& fields, const Place& place) {
    Shape shape{.encoding = TransferEncoding(EncodingToken(fields))};
    const auto is = [&](std::string_view main, std::string_view sub) {
      return ascii::EqualNoCase(type.type, main) && ascii::EqualNoCase(type.subtype, sub);
    };
    const bool identity = shape.encoding <= Encoding::kBinary;
    if (ascii::EqualNoCase(type.type, "multipart")) {
      if (!place.may_have_parts) return shape;
      shape.kind = PartKind::kMultipart;
      shape.digest = ascii::EqualNoCase(type.subtype, "digest");
      const std::string* boundary = type.Find("boundary");
      if (boundary != nullptr && boundary->size() <= kMaxBoundary) {
        shape.boundary = *boundary;
        while (shape.boundary.ends_with(' ') || shape.boundary.ends_with('\t')) shape.boundary.pop_back();
      }
    } else if (is("message", "rfc822")) {
      if (place.may_have_parts) shape.kind = PartKind::kMessage;
    } else if (is("message", "cpim")) {
      shape.media = Media::kCpim;
      shape.inside_is_mime = identity && place.may_have_parts;
    } else if (ascii::EqualNoCase(type.type, "text")) {
      shape.media = ascii::EqualNoCase(type.subtype, "html") ? Media::kHtml : Media::kText;
    }
    return shape;
  }

  void TopHeader(std::string_view header) {
    out_.envelope = Envelope(header, limits_.max_envelope);
    HeaderReader reader(header);
    while (const auto field = reader.Next()) {
      if (field->name.empty()) continue;
      Index(*field);
      SearchLine(*field);
    }
  }

  void AttachedHeader(const Place& place, std::string_view header) {
    if (!place.hidden) structure_.SetEnvelope(place.index - 1, Envelope(header, limits_.max_envelope / 4));
    HeaderReader reader(header);
    while (const auto field = reader.Next()) {
      if (!field->name.empty() && !text_.full()) text_.Line(FieldLine(*field));
    }
  }

  void SearchLine(const HeaderField& field) {
    std::string& lines = out_.search_header;
    if (lines.size() >= limits_.max_search_header) {
      out_.search_truncated = true;
      return;
    }
    const std::size_t begin = lines.size();
    text::AppendFolded(FieldLine(field), lines);
    lines += '\n';
    if (lines.size() > limits_.max_search_header) {
      lines.resize(begin);  // whole fields only
      out_.search_truncated = true;
    }
  }

  void Index(const HeaderField& field) {
    struct Exact {
      std::string_view name;
      std::optional<std::string> Inspection::* value;
    };
    static constexpr std::array kExact{
        Exact{"conversation-id", &Inspection::conversation_id},
        Exact{"contribution-id", &Inspection::contribution_id},
        Exact{"inreplyto-contribution-id", &Inspection::in_reply_to_contribution_id},
        Exact{"imdn-message-id", &Inspection::imdn_message_id},
        Exact{"message-id", &Inspection::message_id},
        Exact{"message-correlator", &Inspection::message_correlator},
        Exact{"message-context", &Inspection::message_context},
        Exact{"message-direction", &Inspection::message_direction},
        Exact{"expires", &Inspection::expires},
        Exact{"content-type", &Inspection::content_type},
        Exact{"from", &Inspection::from},
        Exact{"to", &Inspection::to},
        Exact{"subject", &Inspection::subject}};
    for (const Exact& exact : kExact) {
      if (ascii::EqualNoCase(field.name, exact.name)) return KeepExact(field, exact.name, out_.*exact.value);
    }
    if (ascii::EqualNoCase(field.name, "date")) {
      if (!out_.date) out_.date = ParseHeaderDate(Unfold(field.value));
    } else if (ascii::EqualNoCase(field.name, "in-reply-to")) {
      if (out_.in_reply_to.empty()) out_.in_reply_to = MessageIds(field.value, limits_);
    } else if (ascii::EqualNoCase(field.name, "references")) {
      if (out_.references.empty()) out_.references = MessageIds(field.value, limits_);
    }
  }

  void KeepExact(const HeaderField& field, std::string_view name, std::optional<std::string>& value) const {
    if (value) return;
    std::string text = Unfold(field.value);
    if (name == "message-correlator" || name == "subject") text = DecodeWords(text);
    if (name == "message-context" || name == "message-direction") text = LowerUnquoted(text);
    if (!text.empty() && text.size() <= limits_.max_id) value = std::move(text);
  }

  const InspectLimits& limits_;
  Inspection out_;
  StructureWriter structure_;
  TextCollector text_;
};

}  // namespace

tl::expected<Inspection, SourceFailed> Inspect(Source& source, const InspectLimits& limits) {
  Inspector inspector(limits);
  Scanner scanner(
      source, {.max_depth = limits.max_depth, .max_parts = limits.max_parts, .max_header = limits.max_header},
      inspector);
  if (!scanner.Run()) return tl::unexpected<SourceFailed>(SourceFailed{});
  for (const auto& stretch : scanner.unseen()) {
    if (!inspector.ReadUnseen(source, stretch)) return tl::unexpected<SourceFailed>(SourceFailed{});
  }
  Inspection found = std::move(inspector).Finish(std::move(scanner.parts()));
  found.has_nul = scanner.has_nul();
  return found;
}

}  // namespace protocol::mime
