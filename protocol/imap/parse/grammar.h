#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/imap/parse/cursor.h"
#include "protocol/model/flags.h"
#include "protocol/model/ids.h"
#include "protocol/model/internal_date.h"
#include "protocol/model/partial_range.h"
#include "protocol/model/section.h"
#include "protocol/model/sequence_set.h"

/// Productions that several commands share (RFC 3501 §9). Each reads from the cursor; after a failure each
/// returns an empty value. `limit` counts octets of the value.
namespace protocol::grammar {

constexpr bool IsAtomChar(char c) {
  const auto u = static_cast<unsigned char>(c);
  if (u <= 0x20 || u >= 0x7f) return false;
  return c != '(' && c != ')' && c != '{' && c != '%' && c != '*' && c != '"' && c != '\\' && c != ']';
}
constexpr bool IsAstringChar(char c) { return IsAtomChar(c) || c == ']'; }
constexpr bool IsListChar(char c) { return IsAstringChar(c) || c == '%' || c == '*'; }

std::string_view ParseTag(Cursor& in);
std::string_view ParseAtom(Cursor& in, std::size_t limit, std::string_view expected = "atom");

std::uint32_t ParseNumber(Cursor& in);
std::uint32_t ParseNzNumber(Cursor& in);
std::uint64_t ParseNumber64(Cursor& in);
ModSeq ParseModSeq(Cursor& in);        ///< at least 1
ModSeq ParseModSeqOrZero(Cursor& in);  ///< mod-sequence-valzer

/// A literal's announcement, without its octets.
struct LiteralHead {
  std::uint64_t size = 0;
  bool synchronizing = true;
};
LiteralHead ParseLiteralHead(Cursor& in);

std::string ParseString(Cursor& in, std::size_t limit);  ///< quoted or literal
std::string ParseAstring(Cursor& in, std::size_t limit);
std::optional<std::string> ParseNstring(Cursor& in, std::size_t limit);
std::optional<std::string> ParseNstring8(Cursor& in, std::size_t limit);  ///< or literal8: may hold NUL

std::string ParseMailbox(Cursor& in);        ///< UTF-8, canonical
std::string ParseListReference(Cursor& in);  ///< UTF-8
std::string ParseListMailbox(Cursor& in);    ///< UTF-8, with wildcards

SequenceSet ParseSequenceSet(Cursor& in);
std::string_view ParseFlag(Cursor& in);
FlagSet ParseFlagList(Cursor& in);
Day ParseDate(Cursor& in);
InternalDate ParseDateTime(Cursor& in);

/// "[...]" of BODY.
Section ParseSection(Cursor& in);
/// "[1.2]" of BINARY.
Section ParseSectionBinary(Cursor& in);
std::optional<Partial> ParsePartial(Cursor& in);

PartialRange ParsePartialRange(Cursor& in);

}  // namespace protocol::grammar
