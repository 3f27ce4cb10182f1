// Any octets: part extents nest and tile, sections put the message together again, rows survive the codec.
// And where the message is well-formed, GMime's parser finds the same octets.

#include <memory>
#include <string>
#include <vector>

#include <gmime/gmime.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "protocol/mime/gmime.h"
#include "protocol/mime/inspect.h"
#include "protocol/mime/section.h"

namespace protocol::mime {
namespace {

/// Pieces that mail is made of, thrown together: most of what comes out is broken.
rc::Gen<std::string> Wreck() {
  const auto piece = rc::gen::element<std::string>(
      "\r\n", "\n", "\r", "--a", "--a--", "--b", "--b--", "--c", " ", ":", "x", std::string("\0", 1), "\xff",
      "Content-Type: multipart/mixed; boundary=a\r\n", "Content-Type: multipart/digest; boundary=b\n",
      "Content-Type: multipart/mixed; boundary=c\r\n\r\n", "Content-Type: message/rfc822\r\n",
      "Content-Type: message/cpim\r\n", "Content-Type: text/html\r\n",
      "Content-Transfer-Encoding: base64\r\n", "Subject: =?utf-8?q?=C3=A9?=\r\n",
      "From: A <a@b>, tel:+1, T: x;\r\n", "\r\n\r\n", "\r\n--a\r\n", "\r\n--b\r\n", "\r\n--a--\r\n",
      "text\r\n");
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                      [](const std::vector<std::string>& pieces) {
                        std::string out;
                        for (const auto& p : pieces) out += p;
                        return out;
                      });
}

void CheckTree(const Parts& parts, std::string_view octets) {
  RC_ASSERT(!parts.empty());
  RC_ASSERT(parts[0].header_begin == 0U);
  RC_ASSERT(parts[0].body_end == octets.size());
  RC_ASSERT(parts[0].subtree == parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    RC_ASSERT(part.header_begin <= part.body_begin);
    RC_ASSERT(part.body_begin <= part.body_end);
    const auto count = [&](std::uint64_t begin, std::uint64_t end) {
      return static_cast<std::uint64_t>(std::count(octets.begin() + static_cast<std::ptrdiff_t>(begin),
                                                   octets.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    };
    RC_ASSERT(part.header_lines == count(part.header_begin, part.body_begin));
    RC_ASSERT(part.body_lines == count(part.body_begin, part.body_end));
    std::size_t children = 0;
    std::uint64_t at = part.body_begin;
    for (std::size_t child = i + 1; child < i + part.subtree; child += parts[child].subtree, ++children) {
      RC_ASSERT(parts[child].header_begin >= at);
      RC_ASSERT(parts[child].body_end <= part.body_end);
      at = parts[child].body_end;
    }
    if (part.kind == PartKind::kLeaf) RC_ASSERT(children == 0U);
    if (part.kind == PartKind::kMultipart) RC_ASSERT(children >= 1U);
    if (part.kind == PartKind::kMessage) {
      RC_ASSERT(children == 1U);
      RC_ASSERT(parts[i + 1].header_begin == part.body_begin);
      RC_ASSERT(parts[i + 1].body_end == part.body_end);
    }
  }
}

/// Every section that exists lies in its parent, and HEADER and TEXT of a message are the message.
void CheckSections(const Parts& parts, std::string_view octets, std::vector<std::uint32_t> path,
                   Extent within) {
  for (std::uint32_t n = 1; n < 100; ++n) {
    path.push_back(n);
    const auto content = Locate(parts, {path, Section::Kind::kAll});
    if (!content) {
      RC_ASSERT(n > 1U || path.size() > 1);
      RC_ASSERT(!Locate(parts, {path, Section::Kind::kMime}));
      return;
    }
    RC_ASSERT(content->offset >= within.offset);
    RC_ASSERT(content->offset + content->length <= within.offset + within.length);
    const auto header = Locate(parts, {path, Section::Kind::kHeader});
    const auto text = Locate(parts, {path, Section::Kind::kText});
    RC_ASSERT(header.has_value() == text.has_value());
    if (header) {
      RC_ASSERT(header->offset == content->offset);
      RC_ASSERT(header->offset + header->length == text->offset);
      RC_ASSERT(text->offset + text->length == content->offset + content->length);
    }
    CheckSections(parts, octets, path, *content);
    path.pop_back();
  }
}

bool BalancedOutsideStrings(std::string_view wire) {
  int depth = 0;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    if (wire[i] == '"') {
      for (++i; i < wire.size() && wire[i] != '"'; ++i) i += wire[i] == '\\' ? 1 : 0;
      if (i >= wire.size()) return false;
    } else if (wire[i] == '{') {
      const std::size_t end = wire.find("}\r\n", i);
      if (end == std::string_view::npos) return false;
      i = end + 2 + std::stoul(std::string(wire.substr(i + 1, end - i - 1)));
    } else if (wire[i] == '(') {
      ++depth;
    } else if (wire[i] == ')' && --depth == 0) {
      return i + 1 == wire.size();
    }
  }
  return false;
}

TEST(MimePropertyTest, AnyOctetsHaveASoundTree) {
  EXPECT_TRUE(rc::check([] {
    const std::string octets = *Wreck();
    MemorySource source(octets);
    const InspectLimits limits{.max_depth = *rc::gen::inRange(1U, 8U),
                               .max_parts = *rc::gen::inRange(1U, 20U)};
    const auto found = Inspect(source, limits);
    RC_ASSERT(found.has_value());
    CheckTree(found->parts, octets);
    CheckSections(found->parts, octets, {}, {0, octets.size()});
    const auto decoded = DecodeParts(EncodeParts(found->parts));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == found->parts);
    RC_ASSERT(BalancedOutsideStrings(found->envelope));
    RC_ASSERT(BalancedOutsideStrings(found->body));
    RC_ASSERT(BalancedOutsideStrings(found->body_structure));
    RC_ASSERT(found->has_nul == (octets.find('\0') != std::string::npos));
    RC_ASSERT(found->envelope.find('\0') == std::string::npos);
    RC_ASSERT(found->body_structure.find('\0') == std::string::npos);
  }));
}

TEST(MimePropertyTest, DecodePartsNeverAcceptsAnUnsoundTree) {
  EXPECT_TRUE(rc::check([] {
    std::string row =
        EncodeParts({{.body_end = 500, .body_lines = 5, .subtree = 2, .kind = PartKind::kMultipart},
                     {.header_begin = 5, .body_begin = 20, .body_end = 30}});
    const auto at = *rc::gen::inRange<std::size_t>(1, row.size());
    row[at] = static_cast<char>(*rc::gen::inRange(0, 256));
    const auto parts = DecodeParts(row);
    if (!parts) return;
    RC_ASSERT(parts->front().subtree == parts->size());
    for (std::size_t i = 1; i < parts->size(); ++i) {
      RC_ASSERT((*parts)[i].header_begin >= parts->front().body_begin);
      RC_ASSERT((*parts)[i].body_end <= parts->front().body_end);
    }
  }));
}

/// A well-formed entity, nested to `depth`; every boundary is its own.
std::string WellFormed(int depth, int& boundaries) {
  const int kind = depth == 0 ? 0 : *rc::gen::inRange(0, 4);
  if (kind == 1)
    return "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n" + WellFormed(depth - 1, boundaries);
  if (kind >= 2) {
    const std::string boundary = "=_" + std::to_string(++boundaries) + "_";
    std::string out = "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n";
    if (*rc::gen::arbitrary<bool>()) out += "preamble\r\n";
    const int children = *rc::gen::inRange(1, 4);
    for (int i = 0; i < children; ++i)
      out += "--" + boundary + "\r\n" + WellFormed(depth - 1, boundaries) + "\r\n";
    out += "--" + boundary + "--\r\n";
    if (*rc::gen::arbitrary<bool>()) out += "epilogue\r\n";
    return out;
  }
  return "Content-Type: text/plain\r\n\r\n" +
         *rc::gen::element<std::string>("", "text", "two\r\nlines", "ends\r\n", "--\r\n-");
}

struct Offsets {
  std::int64_t content_begin;
  std::int64_t content_end;
};

/// Contents of the leaves in order, as GMime's parser sees them.
std::vector<Offsets> GMimeLeaves(std::string& octets) {
  InitGMime();
  GMimeStream* stream = g_mime_stream_mem_new_with_buffer(octets.data(), octets.size());
  GMimeParser* parser = g_mime_parser_new_with_stream(stream);
  g_mime_parser_set_persist_stream(parser, TRUE);
  GMimeMessage* message = g_mime_parser_construct_message(parser, nullptr);
  std::vector<Offsets> out;
  GMimePartIter* iter = g_mime_part_iter_new(g_mime_message_get_mime_part(message));
  if (g_mime_part_iter_is_valid(iter)) {
    do {
      GMimeObject* part = g_mime_part_iter_get_current(iter);
      if (!GMIME_IS_PART(part)) continue;
      GMimeDataWrapper* content = g_mime_part_get_content(GMIME_PART(part));
      if (content == nullptr) continue;
      GMimeStream* bounds = g_mime_data_wrapper_get_stream(content);
      out.push_back({bounds->bound_start, bounds->bound_end});
    } while (g_mime_part_iter_next(iter));
  }
  g_mime_part_iter_free(iter);
  g_object_unref(message);
  g_object_unref(parser);
  g_object_unref(stream);
  return out;
}

TEST(MimePropertyTest, GMimeFindsTheSameLeaves) {
  EXPECT_TRUE(rc::check([] {
    int boundaries = 0;
    std::string octets = "Subject: top\r\nMIME-Version: 1.0\r\n" + WellFormed(4, boundaries);
    MemorySource source(octets);
    const auto found = Inspect(source);
    std::vector<Offsets> ours;
    for (const Part& part : found->parts) {
      if (part.kind != PartKind::kLeaf) continue;
      ours.push_back({static_cast<std::int64_t>(part.body_begin), static_cast<std::int64_t>(part.body_end)});
    }
    const auto theirs = GMimeLeaves(octets);
    RC_LOG() << octets;
    RC_ASSERT(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      RC_ASSERT(ours[i].content_begin == theirs[i].content_begin);
      if (theirs[i].content_end != -1) RC_ASSERT(ours[i].content_end == theirs[i].content_end);
    }
  }));
}

}  // namespace
}  // namespace protocol::mime
