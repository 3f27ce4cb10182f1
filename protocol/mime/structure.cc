#include "protocol/mime/structure.h"

#include "protocol/mime/header_block.h"
#include "protocol/mime/wire.h"
#include "protocol/model/ascii.h"

namespace protocol::mime {
namespace {

constexpr std::size_t kMaxValue = 4096;       // of one string
constexpr std::size_t kMaxParameters = 8192;  // octets of one parameter list

void AppendNilOrUnfolded(std::string_view field, std::string& out) {
  if (field.data() == nullptr) {
    out += "NIL";
  } else {
    AppendString(Unfold(field), kMaxValue, out);
  }
}

// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
void AppendParameters(const Parameters& parameters, std::string& out) {
  if (parameters.empty()) {
    out += "NIL";
    return;
  }
  const std::size_t begin = out.size();
  char separator = '(';
  for (const auto& [name, value] : parameters) {
    out += separator;
    AppendString(name, kMaxValue, out);
    out += ' ';
    AppendString(value, kMaxValue, out);
    separator = ' ';
    if (out.size() - begin > kMaxParameters) break;
  }
  out += ')';
}

// body-fld-dsp = "(" string SP body-fld-param ")" / nil
void AppendDisposition(std::string_view field, std::string& out) {
  const StructuredValue value =
      field.data() == nullptr ? StructuredValue{} : ParseStructuredValue(Unfold(field));
  if (value.type.empty()) {
    out += "NIL";
    return;
  }
  out += '(';
  AppendString(value.type, kMaxValue, out);
  out += ' ';
  AppendParameters(value.parameters, out);
  out += ')';
}

// body-fld-lang = nstring / "(" string *(SP string) ")": always the list, as RFC 3501 allows and Dovecot
// does.
void AppendLanguages(std::string_view field, std::string& out) {
  std::string list;
  const std::string text = field.data() == nullptr ? std::string{} : Unfold(field);
  for (std::string_view rest = text; !rest.empty() && list.size() < kMaxValue;) {
    const std::size_t comma = rest.find(',');
    const std::string_view tag = Trim(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (tag.empty()) continue;
    if (!list.empty()) list += ' ';
    AppendString(tag, kMaxValue, list);
  }
  out += list.empty() ? "NIL" : "(" + list + ")";
}

}  // namespace

void StructureWriter::Add(std::size_t index, const MimeFields& fields, const StructuredValue& type,
                          PartKind kind) {
  const auto here = [this] { return static_cast<std::uint32_t>(arena_.size()); };
  entries_.resize(index + 1);
  Entry& entry = entries_.back();
  entry.head.begin = here();
  if (kind == PartKind::kMultipart) {
    AppendString(type.subtype, kMaxValue, arena_);
    entry.head.end = entry.extension.begin = here();
    arena_ += ' ';
    AppendParameters(type.parameters, arena_);
  } else {
    const bool multipart = ascii::EqualNoCase(type.type, "multipart");
    const bool message =
        ascii::EqualNoCase(type.type, "message") && ascii::EqualNoCase(type.subtype, "rfc822");
    if (kind == PartKind::kLeaf && (multipart || message)) {
      arena_ += R"("application" "octet-stream" NIL)";  // cut at a limit; clients would look for parts
    } else {
      AppendString(type.type, kMaxValue, arena_);
      arena_ += ' ';
      AppendString(type.subtype, kMaxValue, arena_);
      arena_ += ' ';
      AppendParameters(type.parameters, arena_);
      entry.text = ascii::EqualNoCase(type.type, "text");
    }
    arena_ += ' ';
    AppendNilOrUnfolded(fields.id, arena_);
    arena_ += ' ';
    AppendNilOrUnfolded(fields.description, arena_);
    arena_ += ' ';
    AppendString(EncodingToken(fields), kMaxValue, arena_);
    entry.head.end = entry.extension.begin = here();
    arena_ += ' ';
    AppendNilOrUnfolded(fields.md5, arena_);
  }
  arena_ += ' ';
  AppendDisposition(fields.disposition, arena_);
  arena_ += ' ';
  AppendLanguages(fields.language, arena_);
  arena_ += ' ';
  AppendNilOrUnfolded(fields.location, arena_);
  entry.extension.end = here();
}

void StructureWriter::SetEnvelope(std::size_t index, std::string_view envelope) {
  Slice& slice = entries_[index].envelope;
  slice.begin = static_cast<std::uint32_t>(arena_.size());
  arena_ += envelope;
  slice.end = static_cast<std::uint32_t>(arena_.size());
}

std::string StructureWriter::Write(const Parts& parts, bool extended) const {
  std::string out;
  out.reserve(size());
  WritePart(parts, 0, extended, out);
  return out;
}

// Recursion is as deep as InspectLimits::max_depth allows.
// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
// body-type-msg   = media-message SP body-fields SP envelope SP body SP body-fld-lines
void StructureWriter::WritePart(const Parts& parts, std::size_t index, bool extended,
                                std::string& out) const {
  const Part& part = parts[index];
  const Entry& entry = entries_[index];
  out += '(';
  if (part.kind == PartKind::kMultipart) {
    for (std::size_t child = index + 1; child < index + part.subtree; child += parts[child].subtree) {
      WritePart(parts, child, extended, out);
    }
    out += ' ';
    out += At(entry.head);
  } else {
    out += At(entry.head);
    out += ' ';
    out += std::to_string(part.body_end - part.body_begin);
    if (part.kind == PartKind::kMessage) {
      out += ' ';
      out += At(entry.envelope);
      out += ' ';
      WritePart(parts, index + 1, extended, out);
    }
    if (part.kind == PartKind::kMessage || entry.text) {
      out += ' ';
      out += std::to_string(part.body_lines);
    }
  }
  if (extended) out += At(entry.extension);
  out += ')';
}

}  // namespace protocol::mime
