#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Text from messages on a terminal: harmless, and as wide as the terminal will draw it.
namespace admin {

/// What could steer a terminal or turn a line around is written out: controls (C0, DEL, C1) as \x1b, line and
/// paragraph separators, bidi embeddings, overrides and isolates, and characters that show nothing (save the
/// joiners and marks that scripts and emoji need) as \u202e. LF stays, a tab becomes a space, what is not
/// UTF-8 becomes U+FFFD.
std::string Visible(std::string_view text);
/// The same on one line: LF becomes a space.
std::string VisibleLine(std::string_view text);

/// JSON in which what Visible() writes out is escaped within its strings: it means what it did.
std::string VisibleJson(std::string_view json);

/// Columns of a terminal: two for wide characters (UAX #11) and emoji, none for marks; a grapheme cluster (a
/// family of emoji, a flag, an Indic syllable's marks) counts as what is seen. `utf8` is Visible().
std::size_t Width(std::string_view utf8);

/// At most `columns` wide: a longer one is cut at a grapheme and ends in "…".
std::string Shorten(std::string_view utf8, std::size_t columns);
/// Shorten(), with spaces up to `columns`.
std::string Fit(std::string_view utf8, std::size_t columns);

/// Lines of at most `columns`, broken where UAX #14 lets lines break, and within longer words where need be.
/// An empty line stays one.
std::vector<std::string> Wrap(std::string_view utf8, std::size_t columns);

}  // namespace admin
