#include "protocol/imap/parse/metadata.h"

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {
namespace {

void AddEntry(Cursor& in, MetadataNameUse use, std::vector<std::string>& entries) {
  if (entries.size() == limits::kMetadataEntries) return in.Fail("fewer entries");
  entries.push_back(ParseMetadataEntry(in, use));
}

/// What has been said already: each option once.
struct Options {
  bool depth = false;
  bool max_size = false;
};

// getmetadata-option = maxsize-opt / scope-opt
// maxsize-opt        = "MAXSIZE" SP number
// scope-opt          = "DEPTH" SP ("0" / "1" / "infinity")
void ParseOption(Cursor& in, Options& seen, command::GetMetadata& cmd) {
  if (!seen.max_size && in.AcceptWord("MAXSIZE ")) {
    seen.max_size = true;
    cmd.max_size = grammar::ParseNumber(in);
  } else if (!seen.depth && in.AcceptWord("DEPTH ")) {
    seen.depth = true;
    if (in.Accept('0')) {
      cmd.depth = MetadataDepth::kEntry;
    } else if (in.Accept('1')) {
      cmd.depth = MetadataDepth::kChildren;
    } else if (in.AcceptWord("infinity")) {
      cmd.depth = MetadataDepth::kInfinity;
    } else {
      in.Fail("0, 1 or infinity");
    }
  } else {
    in.Fail("MAXSIZE or DEPTH, each once");
  }
}

// getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
void ParseOptions(Cursor& in, Options& seen, command::GetMetadata& cmd) {
  in.Expect('(', "\"(\"");
  do {
    ParseOption(in, seen, cmd);
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
  in.Space();
}

bool OptionsFollow(const Cursor& in) { return in.PeekWord("(MAXSIZE") || in.PeekWord("(DEPTH"); }

}  // namespace

// entry = astring                                                    ; RFC 5464 §5
std::string ParseMetadataEntry(Cursor& in, MetadataNameUse use) {
  const std::size_t start = in.offset();
  std::string name = grammar::ParseAstring(in, limits::kMetadataName);
  if (in.failed()) return {};
  const auto fault = MetadataNameFault(name, use);
  if (!fault.empty()) in.FailAt(start, fault);
  return name;
}

std::vector<std::string> ParseMetadataEntries(Cursor& in, MetadataNameUse use) {
  std::vector<std::string> entries;
  in.Expect('(', "\"(\"");
  do {
    AddEntry(in, use, entries);
  } while (!in.failed() && in.Accept(' '));
  in.Expect(')', "\")\"");
  return entries;
}

// getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries
// entries     = entry / "(" entry *(SP entry) ")"
// Deviates: the examples of RFC 5464 §4.2 have the options after the mailbox, those of §4.4.1 several entries
// without parentheses, and clients do as the examples do: both are read.
Parsed<command::GetMetadata> ParseGetMetadata(Cursor& in) {
  command::GetMetadata cmd;
  Options seen;
  in.Space();
  if (in.Peek('(')) ParseOptions(in, seen, cmd);
  cmd.mailbox = grammar::ParseMailbox(in);
  in.Space();
  if (OptionsFollow(in)) ParseOptions(in, seen, cmd);
  const auto use = cmd.depth == MetadataDepth::kEntry ? MetadataNameUse::kEntry : MetadataNameUse::kRoot;
  if (in.Peek('(')) {
    cmd.entries = ParseMetadataEntries(in, use);
  } else {
    do {
      AddEntry(in, use, cmd.entries);
    } while (!in.failed() && in.Accept(' '));
  }
  return in.Finish(std::move(cmd));
}

// setmetadata  = "SETMETADATA" SP mailbox SP entry-values
// entry-values = "(" entry-value *(SP entry-value) ")"
// entry-value  = entry SP value
// value        = nstring / literal8
Parsed<command::SetMetadata> ParseSetMetadata(Cursor& in) {
  command::SetMetadata cmd;
  bool value_failed = false;
  in.Space();
  cmd.mailbox = grammar::ParseMailbox(in);
  in.Space();
  in.Expect('(', "\"(\"");
  do {
    if (cmd.entries.size() == limits::kMetadataEntries) {
      in.Fail("fewer entries");
      break;
    }
    std::string name = ParseMetadataEntry(in, MetadataNameUse::kEntry);
    in.Space();
    if (in.failed()) break;
    cmd.entries.emplace_back(std::move(name), grammar::ParseNstring8(in, limits::kMetadataValue));
    value_failed = in.failed();
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
  auto parsed = in.Finish(std::move(cmd));
  if (!parsed) parsed.error().metadata_value = value_failed && parsed.error().too_big;
  return parsed;
}

}  // namespace protocol::parse
