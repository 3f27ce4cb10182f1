#include "protocol/mime/fields.h"

#include <array>

#include "protocol/mime/header_block.h"
#include "protocol/model/ascii.h"

namespace protocol::mime {

MimeFields FindMimeFields(std::string_view header) {
  MimeFields out;
  struct Named {
    std::string_view name;
    std::string_view* value;
  };
  const std::array kFields{Named{"type", &out.type},
                           Named{"transfer-encoding", &out.encoding},
                           Named{"id", &out.id},
                           Named{"description", &out.description},
                           Named{"disposition", &out.disposition},
                           Named{"language", &out.language},
                           Named{"location", &out.location},
                           Named{"md5", &out.md5}};
  constexpr std::string_view kPrefix = "content-";
  HeaderReader reader(header);
  while (const auto field = reader.Next()) {
    if (!ascii::EqualNoCase(field->name.substr(0, kPrefix.size()), kPrefix)) continue;
    const std::string_view name = field->name.substr(kPrefix.size());
    for (const auto& known : kFields) {
      if (known.value->data() == nullptr && ascii::EqualNoCase(name, known.name)) *known.value = field->value;
    }
  }
  return out;
}

StructuredValue ContentType(const MimeFields& fields, bool in_digest) {
  StructuredValue type;
  if (fields.type.data() != nullptr) type = ParseStructuredValue(Unfold(fields.type));
  if (type.type.empty() || type.subtype.empty()) {
    if (in_digest && fields.type.data() == nullptr) return {.type = "message", .subtype = "rfc822"};
    type = {.type = "text", .subtype = "plain"};
  }
  if (ascii::EqualNoCase(type.type, "text") && type.Find("charset") == nullptr) {
    type.parameters.emplace_back("charset", "us-ascii");
  }
  return type;
}

Encoding TransferEncoding(std::string_view token) {
  struct Named {
    std::string_view name;
    Encoding encoding;
  };
  constexpr std::array kEncodings{
      Named{"7bit", Encoding::k7Bit}, Named{"8bit", Encoding::k8Bit}, Named{"binary", Encoding::kBinary},
      Named{"quoted-printable", Encoding::kQuotedPrintable}, Named{"base64", Encoding::kBase64}};
  for (const auto& known : kEncodings) {
    if (ascii::EqualNoCase(token, known.name)) return known.encoding;
  }
  return Encoding::kUnknown;
}

std::string EncodingToken(const MimeFields& fields) {
  if (fields.encoding.data() == nullptr) return "7bit";
  std::string token = ParseStructuredValue(Unfold(fields.encoding)).type;
  return token.empty() ? "7bit" : token;
}

}  // namespace protocol::mime
