#include "tools/cms-admin/text_width.h"

#include <algorithm>
#include <functional>
#include <memory>

#include <fmt/format.h>
#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

namespace admin {
namespace {

constexpr UChar32 kVariationEmoji = 0xFE0F;
constexpr UChar32 kKeycap = 0x20E3;

bool ShowsNothing(UChar32 c) {
  if (c == 0x200C || c == 0x200D || c == 0x200E || c == 0x200F || c == 0x061C)
    return false;                                  // joiners, marks
  if (c >= 0xE0020 && c <= 0xE007F) return false;  // the tags of flags
  const auto type = u_charType(c);
  return type == U_CONTROL_CHAR || type == U_FORMAT_CHAR || type == U_LINE_SEPARATOR ||
         type == U_PARAGRAPH_SEPARATOR || type == U_SURROGATE;
}

std::string Escaped(UChar32 c) {
  if (c < 0x80) return fmt::format("\\x{:02x}", static_cast<unsigned>(c));
  return c > 0xFFFF ? fmt::format("\\U{:08x}", static_cast<unsigned>(c))
                    : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
}

icu::UnicodeString FromUtf8(std::string_view utf8) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int32_t>(utf8.size())));
}

std::string ToUtf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

std::size_t WidthOf(UChar32 c) {
  switch (u_charType(c)) {
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_FORMAT_CHAR:
    case U_CONTROL_CHAR: return 0;
    default: break;
  }
  const auto width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

/// Of one grapheme cluster. Spacing marks (Indic vowel signs) take a column of their own on most terminals.
std::size_t ClusterWidth(const icu::UnicodeString& text, int32_t begin, int32_t end) {
  std::size_t width = 0;
  bool first = true;
  for (int32_t i = begin; i < end; i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    if (first) {
      width = u_hasBinaryProperty(c, UCHAR_REGIONAL_INDICATOR) ? 2 : WidthOf(c);
    } else if (c == kVariationEmoji || c == kKeycap) {
      width = 2;
    } else if (u_charType(c) == U_COMBINING_SPACING_MARK) {
      width += 1;
    }
    first = false;
  }
  return width;
}

/// Visits grapheme clusters, or the pieces between which lines may break; false ends it.
void ForEachPiece(const icu::UnicodeString& text, bool lines,
                  const std::function<bool(int32_t begin, int32_t end)>& visit) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> pieces(
      lines ? icu::BreakIterator::createLineInstance(icu::Locale::getRoot(), error)
            : icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error));
  if (U_FAILURE(error)) {  // ICU without its data: as one piece
    visit(0, text.length());
    return;
  }
  pieces->setText(text);
  int32_t begin = pieces->first();
  for (int32_t end = pieces->next(); end != icu::BreakIterator::DONE; begin = end, end = pieces->next())
    if (!visit(begin, end)) return;
}

std::size_t Width(const icu::UnicodeString& text) {
  std::size_t width = 0;
  ForEachPiece(text, false, [&](int32_t begin, int32_t end) {
    width += ClusterWidth(text, begin, end);
    return true;
  });
  return width;
}

/// How many code units of `text` fit.
int32_t Fitting(const icu::UnicodeString& text, std::size_t columns) {
  std::size_t width = 0;
  int32_t fits = 0;
  ForEachPiece(text, false, [&](int32_t begin, int32_t end) {
    width += ClusterWidth(text, begin, end);
    if (width > columns) return false;
    fits = end;
    return true;
  });
  return fits;
}

/// One paragraph, which has no LF.
void WrapParagraph(const icu::UnicodeString& text, std::size_t columns, std::vector<std::string>& out) {
  icu::UnicodeString line;
  std::size_t used = 0;
  const auto end_line = [&] {
    line.trim();  // the space at which it was broken
    out.push_back(ToUtf8(line));
    line.remove();
    used = 0;
  };
  ForEachPiece(text, true, [&](int32_t begin, int32_t end) {
    icu::UnicodeString piece(text, begin, end - begin);
    icu::UnicodeString bare(piece);
    std::size_t width = Width(bare.trim());
    if (used > 0 && used + width > columns) end_line();
    while (width > columns) {
      const int32_t fits = std::max(Fitting(piece, columns), piece.moveIndex32(0, 1));
      line = icu::UnicodeString(piece, 0, fits);
      end_line();
      piece.remove(0, fits);
      width = Width(piece);
    }
    line += piece;
    used += Width(piece);
    return true;
  });
  end_line();
}

}  // namespace

std::string Visible(std::string_view text) {
  const auto in = FromUtf8(text);
  icu::UnicodeString out;
  for (int32_t i = 0; i < in.length(); i = in.moveIndex32(i, 1)) {
    const UChar32 c = in.char32At(i);
    if (c == '\n') {
      out += c;
    } else if (c == '\t') {
      out += UChar32{' '};
    } else if (ShowsNothing(c)) {
      out += FromUtf8(Escaped(c));
    } else {
      out += c;
    }
  }
  return ToUtf8(out);
}

std::string VisibleJson(std::string_view json) {
  std::string out;
  const auto size = static_cast<int32_t>(json.size());
  for (int32_t at = 0; at < size;) {
    const int32_t begin = at;
    UChar32 c = 0;
    U8_NEXT(json.data(), at, size, c);
    if (c < 0x7F || !ShowsNothing(c)) {  // the controls of ASCII are escaped already
      out += json.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin));
    } else if (c <= 0xFFFF) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += fmt::format("\\u{:04x}\\u{:04x}", static_cast<unsigned>(U16_LEAD(c)),
                         static_cast<unsigned>(U16_TRAIL(c)));
    }
  }
  return out;
}

std::string VisibleLine(std::string_view text) {
  auto out = Visible(text);
  std::ranges::replace(out, '\n', ' ');
  return out;
}

std::size_t Width(std::string_view utf8) { return Width(FromUtf8(utf8)); }

std::string Shorten(std::string_view utf8, std::size_t columns) {
  const auto text = FromUtf8(utf8);
  if (Width(text) <= columns) return std::string(utf8);
  if (columns == 0) return {};
  return ToUtf8(icu::UnicodeString(text, 0, Fitting(text, columns - 1))) + "…";
}

std::string Fit(std::string_view utf8, std::size_t columns) {
  auto out = Shorten(utf8, columns);
  const auto width = Width(out);
  if (width < columns) out.append(columns - width, ' ');
  return out;
}

std::vector<std::string> Wrap(std::string_view utf8, std::size_t columns) {
  std::vector<std::string> out;
  columns = std::max<std::size_t>(columns, 2);  // the widest grapheme
  for (;;) {
    const auto end = utf8.find('\n');
    WrapParagraph(FromUtf8(utf8.substr(0, end)), columns, out);
    if (end == std::string_view::npos) return out;
    utf8.remove_prefix(end + 1);
  }
}

}  // namespace admin
