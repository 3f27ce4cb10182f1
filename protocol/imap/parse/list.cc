#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/imap/parse/metadata.h"
#include "protocol/imap/parse/status_items.h"
#include "protocol/model/ascii.h"

namespace protocol::parse {
namespace {

constexpr std::string_view kSelectOption =
    "list-select-opt: SUBSCRIBED, REMOTE, RECURSIVEMATCH or SPECIAL-USE";
constexpr std::string_view kReturnOption =
    "return-option: SUBSCRIBED, CHILDREN, SPECIAL-USE, MYRIGHTS, STATUS (...) or METADATA (...)";

/// "(" [option *(SP option)] ")"; `take` is given each option's name and where it begins. An option that
/// comes twice counts once (RFC 5258 §3).
template <class Take>
void ParseOptions(Cursor& in, std::string_view expected, Take&& take) {
  in.Expect('(', "\"(\"");
  if (in.Accept(')')) return;
  std::size_t options = 0;
  do {
    if (++options > limits::kListOptions) in.Fail("fewer options");
    const std::size_t start = in.offset();
    const std::string_view name = grammar::ParseAtom(in, limits::kFlagName, expected);
    if (!in.failed() && !take(name)) in.FailAt(start, expected);
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
}

// list-select-opts = "(" [
//                      (*(list-select-opt SP) list-select-base-opt *(SP list-select-opt))
//                    / (list-select-independent-opt *(SP list-select-independent-opt))
//                    ] ")"                                            ; RFC 5258 §6
// list-select-base-opt        = "SUBSCRIBED" / option-extension
// list-select-independent-opt = "REMOTE" / "SPECIAL-USE" / option-extension    ; RFC 6154 §6
// list-select-mod-opt         = "RECURSIVEMATCH" / option-extension
ListSelection ParseSelection(Cursor& in) {
  ListSelection select;
  const std::size_t start = in.offset();
  ParseOptions(in, kSelectOption, [&](std::string_view name) {
    if (ascii::EqualNoCase(name, "SUBSCRIBED")) {
      select.subscribed = true;
    } else if (ascii::EqualNoCase(name, "REMOTE")) {
      select.remote = true;
    } else if (ascii::EqualNoCase(name, "RECURSIVEMATCH")) {
      select.recursive_match = true;
    } else if (ascii::EqualNoCase(name, "SPECIAL-USE")) {
      select.special_use = true;
    } else {
      return false;
    }
    return true;
  });
  if (select.recursive_match && !select.subscribed) in.FailAt(start, "SUBSCRIBED beside RECURSIVEMATCH");
  return select;
}

// list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"   ; RFC 5258 §6
// return-option    = "SUBSCRIBED" / "CHILDREN" / "SPECIAL-USE" / status-option / option-extension
// return-option   =/ "MYRIGHTS"                                                ; RFC 8440 §5
// return-option   =/ "METADATA" SP "(" entry *(SP entry) ")"                   ; RFC 9590 §4
// status-option    = "STATUS" SP "(" status-att *(SP status-att) ")"           ; RFC 5819 §4
ListReturn ParseReturn(Cursor& in) {
  ListReturn returns;
  ParseOptions(in, kReturnOption, [&](std::string_view name) {
    if (ascii::EqualNoCase(name, "SUBSCRIBED")) {
      returns.subscribed = true;
    } else if (ascii::EqualNoCase(name, "CHILDREN")) {
      returns.children = true;
    } else if (ascii::EqualNoCase(name, "SPECIAL-USE")) {
      returns.special_use = true;
    } else if (ascii::EqualNoCase(name, "MYRIGHTS")) {
      returns.my_rights = true;
    } else if (ascii::EqualNoCase(name, "STATUS")) {
      in.Space();
      returns.status = ParseStatusItems(in);
    } else if (ascii::EqualNoCase(name, "METADATA")) {
      in.Space();
      returns.metadata = ParseMetadataEntries(in, MetadataNameUse::kEntry);
    } else {
      return false;
    }
    return true;
  });
  return returns;
}

// mbox-or-pat = list-mailbox / patterns                              ; RFC 5258 §6
// patterns    = "(" list-mailbox *(SP list-mailbox) ")"
std::vector<std::string> ParsePatterns(Cursor& in) {
  std::vector<std::string> patterns;
  if (!in.Accept('(')) {
    patterns.push_back(grammar::ParseListMailbox(in));
    return patterns;
  }
  do {
    if (patterns.size() == limits::kListPatterns) in.Fail("fewer patterns");
    patterns.push_back(grammar::ParseListMailbox(in));
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
  return patterns;
}

}  // namespace

// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]  ; RFC 5258 §6
Parsed<command::List> ParseList(Cursor& in) {
  command::List cmd;
  in.Space();
  if (in.Peek('(')) {
    cmd.extended = true;
    cmd.select = ParseSelection(in);
    in.Space();
  }
  cmd.reference = grammar::ParseListReference(in);
  in.Space();
  if (in.Peek('(')) cmd.extended = true;
  cmd.patterns = ParsePatterns(in);
  if (in.Accept(' ')) {
    cmd.extended = true;
    in.Word("RETURN");
    in.Space();
    cmd.returns = ParseReturn(in);
  }
  return in.Finish(std::move(cmd));
}

// lsub = "LSUB" SP mailbox SP list-mailbox
Parsed<command::Lsub> ParseLsub(Cursor& in) {
  command::Lsub cmd;
  in.Space();
  cmd.reference = grammar::ParseListReference(in);
  in.Space();
  cmd.pattern = grammar::ParseListMailbox(in);
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
