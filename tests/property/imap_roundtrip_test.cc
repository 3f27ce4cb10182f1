#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/imap/command_reader.h"
#include "protocol/imap/object_id.h"
#include "protocol/imap/parse/append.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/imap/parse/parser.h"
#include "protocol/imap/write/fetch.h"
#include "protocol/imap/write/flags.h"
#include "protocol/imap/write/string.h"
#include "protocol/model/mailbox_name.h"
#include "protocol/text/base64.h"
#include "protocol/text/modified_utf7.h"

/// What the writers write, the parser reads back: names, strings, flags, sets, dates, sections.
namespace protocol {
namespace {

using protocol::FlagSet;

/// Parses all of `wire` with one production.
template <class F>
auto ParseAll(const std::string& wire, F&& production) {
  const std::string line = wire + "\r\n";
  Cursor in(line);
  auto value = production(in);
  in.EndOfLine();
  RC_ASSERT(!in.failed());
  return value;
}

std::string Utf8(char32_t c) {
  std::string out;
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
  return out;
}

rc::Gen<std::string> AnyUtf8() {
  const auto range = [](std::uint32_t from, std::uint32_t to) {
    return rc::gen::inRange<std::uint32_t>(from, to);
  };
  const auto code_point =
      rc::gen::oneOf(range(1, 0x80), rc::gen::just(std::uint32_t{'&'}), range(0x80, 0x800),
                     range(0x800, 0xd800), range(0xe000, 0x10000), range(0x10000, 0x110000));
  return rc::gen::map(rc::gen::container<std::vector<std::uint32_t>>(code_point), [](const auto& points) {
    std::string out;
    for (const auto c : points) out += Utf8(c);
    return out;
  });
}

rc::Gen<std::string> OctetsWithoutNul() {
  return rc::gen::container<std::string>(
      rc::gen::map(rc::gen::inRange(1, 256), [](int c) { return static_cast<char>(c); }));
}

rc::Gen<std::string> AnyOctets() {
  return rc::gen::container<std::string>(
      rc::gen::map(rc::gen::inRange(0, 256), [](int c) { return static_cast<char>(c); }));
}

rc::Gen<std::string> Keyword() {
  const auto atom_char = rc::gen::elementOf(std::string("abcXYZ019$-_.[+&/!"));
  return rc::gen::map(rc::gen::pair(rc::gen::arbitrary<bool>(),
                                    rc::gen::nonEmpty(rc::gen::container<std::string>(atom_char))),
                      [](const auto& p) { return (p.first ? "\\" : "") + p.second; });
}

rc::Gen<SequenceSet> AnySequenceSet() {
  const auto number = rc::gen::weightedOneOf<std::uint32_t>(
      {{1, rc::gen::just(SequenceRange::kLargest)},
       {3, rc::gen::inRange<std::uint32_t>(1, 20)},
       {1,
        rc::gen::map(rc::gen::arbitrary<std::uint32_t>(), [](std::uint32_t n) { return n == 0 ? 1 : n; })}});
  const auto range = rc::gen::construct<SequenceRange>(number, number);
  const auto ranges = rc::gen::nonEmpty(rc::gen::container<std::vector<SequenceRange>>(range));
  return rc::gen::map(ranges,
                      [](std::vector<SequenceRange> r) { return SequenceSet{.ranges = std::move(r)}; });
}

RC_GTEST_PROP(ModifiedUtf7Property, EveryNameComesBackFromPrintableAscii, ()) {
  const std::string name = *AnyUtf8();
  const std::string wire = text::ToModifiedUtf7(name);
  for (const char c : wire) RC_ASSERT(c >= 0x20 && c <= 0x7e);
  RC_ASSERT(text::FromModifiedUtf7(wire) == name);
}

RC_GTEST_PROP(ModifiedUtf7Property, WhatIsAcceptedIsTheOnlySpelling, ()) {
  const auto c = rc::gen::elementOf(std::string("&&&-AB0wPU,+a /"));
  const std::string wire = *rc::gen::container<std::string>(c);
  if (const auto name = text::FromModifiedUtf7(wire)) RC_ASSERT(text::ToModifiedUtf7(*name) == wire);
}

RC_GTEST_PROP(Base64Property, EveryStringComesBack, ()) {
  const std::string octets = *AnyOctets();
  RC_ASSERT(text::DecodeBase64(text::EncodeBase64(octets)) == octets);
}

RC_GTEST_PROP(WriteParseProperty, Strings, ()) {
  const std::string octets = *OctetsWithoutNul();
  std::string string, astring;
  write::String(string, octets);
  write::AString(astring, octets);
  RC_ASSERT(ParseAll(string, [](Cursor& in) { return grammar::ParseString(in, 10'000); }) == octets);
  RC_ASSERT(ParseAll(astring, [](Cursor& in) { return grammar::ParseAstring(in, 10'000); }) == octets);
}

RC_GTEST_PROP(WriteParseProperty, MailboxNames, ()) {
  const std::string name = *AnyUtf8();
  std::string wire;
  write::Mailbox(wire, name);
  RC_PRE(wire.size() < 4000);
  RC_ASSERT(ParseAll(wire, grammar::ParseMailbox) == CanonicalMailboxName(name));
}

RC_GTEST_PROP(WriteParseProperty, Flags, ()) {
  FlagSet flags;
  for (const auto& keyword : *rc::gen::container<std::vector<std::string>>(Keyword())) {
    if (keyword.size() < 200 && keyword != "\\Recent") flags.Insert(keyword);
  }
  for (int i = 0; i < kSystemFlagCount; ++i) {
    if (*rc::gen::arbitrary<bool>()) flags.Insert(static_cast<SystemFlag>(i));
  }
  std::string wire;
  write::FlagList(wire, flags);
  RC_ASSERT(ParseAll(wire, grammar::ParseFlagList) == flags);
}

RC_GTEST_PROP(WriteParseProperty, SequenceSets, ()) {
  const SequenceSet set = *AnySequenceSet();
  RC_ASSERT(ParseAll(set.ToString(), grammar::ParseSequenceSet) == set);
}

RC_GTEST_PROP(WriteParseProperty, ResolvedSetsHoldWhatTheClientNamed, ()) {
  const SequenceSet set = *AnySequenceSet();
  const auto largest = *rc::gen::inRange<std::uint32_t>(1, 25);
  const auto resolved = set.Resolve(largest);
  for (std::size_t i = 1; i < resolved.size(); ++i) {
    RC_ASSERT(std::uint64_t{resolved[i - 1].last} + 1 < resolved[i].first);
  }
  for (std::uint32_t n = 1; n < 30; ++n) {
    const auto end = [&](std::uint32_t x) { return x == SequenceRange::kLargest ? largest : x; };
    const bool named = std::any_of(set.ranges.begin(), set.ranges.end(), [&](const SequenceRange& r) {
      return std::min(end(r.first), end(r.last)) <= n && n <= std::max(end(r.first), end(r.last));
    });
    const bool held = std::any_of(resolved.begin(), resolved.end(),
                                  [&](const NumberRange& r) { return r.first <= n && n <= r.last; });
    RC_ASSERT(named == held);
  }
}

RC_GTEST_PROP(WriteParseProperty, Dates, ()) {
  const InternalDate date{*rc::gen::inRange<std::int64_t>(-62'000'000'000, 253'000'000'000),
                          *rc::gen::inRange<std::int16_t>(-1439, 1440)};
  RC_ASSERT(ParseAll('"' + FormatDateTime(date) + '"', grammar::ParseDateTime) == date);
}

RC_GTEST_PROP(WriteParseProperty, FetchItems, ()) {
  FetchItem item;
  item.kind =
      static_cast<FetchItem::Kind>(*rc::gen::inRange(0, static_cast<int>(FetchItem::Kind::kModSeq) + 1));
  const bool section = item.kind == FetchItem::Kind::kSection;
  const bool binary = item.kind == FetchItem::Kind::kBinary;
  if (section || binary || item.kind == FetchItem::Kind::kBinarySize) {
    const auto number = rc::gen::inRange<std::uint32_t>(1, 1000);
    item.section.part = *rc::gen::resize(8, rc::gen::container<std::vector<std::uint32_t>>(number));
  }
  if (section) {
    item.section.kind = static_cast<Section::Kind>(*rc::gen::inRange(0, 6));
    if (item.section.kind == Section::Kind::kMime && item.section.part.empty()) item.section.part = {1};
    const bool fields = item.section.kind == Section::Kind::kHeaderFields ||
                        item.section.kind == Section::Kind::kHeaderFieldsNot;
    if (fields)
      item.section.fields =
          *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(OctetsWithoutNul()));
    RC_PRE(item.section.fields.size() < 200);
  }
  std::string name;
  write::FetchItemName(name, item);
  if ((section || binary) &&
      *rc::gen::arbitrary<bool>()) {  // the answer has no count, so the question is made here
    item.partial = Partial{*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::inRange<std::uint32_t>(1, 1000)};
    name += '<' + std::to_string(item.partial->offset) + '.' + std::to_string(item.partial->count) + '>';
  }
  const auto parsed = ParseCommand("a FETCH 1 (" + name + ")\r\n");
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(std::get<command::Fetch>(parsed->command).items == std::vector{item});
}

RC_GTEST_PROP(WriteParseProperty, EmailIds, ()) {
  const ObjectId id{*rc::gen::arbitrary<std::uint64_t>()};
  std::string wire;
  AppendEmailId(wire, id);
  RC_ASSERT(ParseEmailId(wire) == id);
}

RC_GTEST_PROP(CommandReaderProperty, ChunksDoNotMatter, ()) {
  // Words that make up commands, right and wrong, with literals of every kind.
  const auto word = rc::gen::elementOf(std::vector<std::string>{"a",
                                                                " ",
                                                                "\r\n",
                                                                "\n",
                                                                "NOOP",
                                                                "LOGIN",
                                                                "APPEND x",
                                                                "{3}\r\n",
                                                                "{3+}\r\n",
                                                                "~{2+}\r\n",
                                                                "{0}\r\n",
                                                                "abc",
                                                                "(\\Seen)",
                                                                "\"q\"",
                                                                "FETCH 1 FLAGS",
                                                                "SELECT",
                                                                "a NOOP\r\n",
                                                                "a APPEND x {3+}\r\nabc",
                                                                "\r",
                                                                "{99999999999999999999+}\r\n"});
  std::string wire;
  for (const auto& w : *rc::gen::container<std::vector<std::string>>(word)) wire += w;

  const auto run = [&](std::size_t chunk) {
    CommandReader reader;
    reader.SetAuthenticated();
    std::string out, octets;
    for (std::size_t i = 0; i < wire.size(); i += chunk) {
      const std::size_t n = std::min(chunk, wire.size() - i);
      reader.Feed({wire.data() + i, n});
      for (Step step = reader.Next(); !std::holds_alternative<NeedBytes>(step); step = reader.Next()) {
        if (const auto* part = std::get_if<AppendOctets>(&step)) {
          octets.append(part->octets.data(), part->octets.size());
          continue;
        }
        out += std::exchange(octets, {}) + '|' + std::to_string(step.index());
        if (const auto* bad = std::get_if<BadCommand>(&step)) WriteTagged(out, bad->tag, bad->reply);
        if (const auto* command = std::get_if<TaggedCommand>(&step)) out += command->tag;
        if (std::holds_alternative<command::AppendMessage>(step)) reader.Accept();
      }
    }
    return out + octets;
  };
  const std::string whole = run(wire.size() + 1);
  RC_ASSERT(run(1) == whole);
  RC_ASSERT(run(*rc::gen::inRange<std::size_t>(2, 9)) == whole);
}

}  // namespace
}  // namespace protocol
