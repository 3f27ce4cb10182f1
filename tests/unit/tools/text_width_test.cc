// Text from strangers on a terminal: nothing acts, and columns line up.

#include "tools/cms-admin/text_width.h"

#include <string>

#include <gtest/gtest.h>

namespace admin {
namespace {

TEST(Visible, ControlsAreWrittenOut) {
  EXPECT_EQ(Visible("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(Visible("a\rb\bc\x07"), "a\\x0db\\x08c\\x07");
  EXPECT_EQ(Visible("\xc2\x9b"), "\\u009b") << "C1's CSI";
  EXPECT_EQ(Visible(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Visible("\x7f"), "\\x7f");
}

TEST(Visible, WhatTurnsALineAroundIsWrittenOut) {
  EXPECT_EQ(Visible("gpj\u202eexe"), "gpj\\u202eexe");
  EXPECT_EQ(Visible("\u2066x\u2069"), "\\u2066x\\u2069");
  EXPECT_EQ(Visible("a\u2028b"), "a\\u2028b");
  EXPECT_EQ(Visible("\ufeff\u200b"), "\\ufeff\\u200b");
}

TEST(Visible, TextStays) {
  for (const std::string text :
       {"plain", "line\nline", "Ελληνικά", "مرحبا\u200f", "नमस्ते क्\u200dष", "日本語", "👨\u200d👩\u200d👧",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"})
    EXPECT_EQ(Visible(text), text);
  EXPECT_EQ(Visible("a\tb"), "a b");
  EXPECT_EQ(Visible("\xff"), "\ufffd");
  EXPECT_EQ(VisibleLine("a\nb"), "a b");
}

TEST(VisibleJson, IsHarmlessAndMeansTheSame) {
  EXPECT_EQ(VisibleJson("\"a\u009b2J\u202eb\x7f\""), "\"a\\u009b2J\\u202eb\\u007f\"");
  EXPECT_EQ(VisibleJson("\"\U000e0001\""), "\"\\udb40\\udc01\"");
  const std::string text = "{\"a\":[1,\"\\u001b Ελληνικά 👨\u200d👩\"]}\n";
  EXPECT_EQ(VisibleJson(text), text);
}

TEST(Width, IsWhatATerminalDraws) {
  EXPECT_EQ(Width(""), 0U);
  EXPECT_EQ(Width("abc"), 3U);
  EXPECT_EQ(Width("日本"), 4U);
  EXPECT_EQ(Width("ｱ"), 1U) << "half-width katakana";
  EXPECT_EQ(Width("e\u0301"), 1U) << "a combining accent";
  EXPECT_EQ(Width("مرحبا"), 5U);
  EXPECT_EQ(Width("مَ"), 1U) << "a vowel mark";
  EXPECT_EQ(Width("👍"), 2U);
  EXPECT_EQ(Width("👍🏽"), 2U) << "with a skin tone";
  EXPECT_EQ(Width("👨\u200d👩\u200d👧"), 2U) << "a family is one picture";
  EXPECT_EQ(Width("🇵🇱"), 2U) << "a flag";
  EXPECT_EQ(Width("❤\ufe0f"), 2U);
  EXPECT_EQ(Width("कि"), 2U) << "a vowel sign that takes room";
  EXPECT_EQ(Width("कु"), 1U) << "one that does not";
}

TEST(Fit, CutsAtGraphemesAndFills) {
  EXPECT_EQ(Fit("abc", 5), "abc  ");
  EXPECT_EQ(Fit("abcdef", 5), "abcd…");
  EXPECT_EQ(Fit("日本語", 5), "日本…");
  EXPECT_EQ(Fit("日本語", 4), "日… ") << "a wide character is not halved";
  EXPECT_EQ(Shorten("👨\u200d👩\u200d👧👍", 3), "👨\u200d👩\u200d👧…");
  EXPECT_EQ(Shorten("abc", 0), "");
}

TEST(Wrap, BreaksWhereLinesMay) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(Wrap("one two three", 8), (Lines{"one two", "three"}));
  EXPECT_EQ(Wrap("", 8), (Lines{""}));
  EXPECT_EQ(Wrap("a\n\nb", 8), (Lines{"a", "", "b"}));
  EXPECT_EQ(Wrap("abcdefghij", 4), (Lines{"abcd", "efgh", "ij"}));
  EXPECT_EQ(Wrap("日本語です", 4), (Lines{"日本", "語で", "す"}));
}

TEST(Wrap, NoLineIsWiderAndNothingIsLost) {
  std::string text;
  for (int i = 0; i < 50; ++i)
    text += "नमस्ते 日本語 👨\u200d👩\u200d👧 https://example.net/" + std::string(30, 'x') + " مرحبا ";
  for (std::size_t columns = 2; columns < 60; ++columns) {
    std::string joined;
    for (const auto& line : Wrap(text, columns)) {
      EXPECT_LE(Width(line), columns);
      joined += line;
    }
    const auto bare = [](std::string s) {
      std::erase(s, ' ');
      return s;
    };
    EXPECT_EQ(bare(joined), bare(text));
  }
}

}  // namespace
}  // namespace admin
