#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/imap/command/fetch.h"
#include "protocol/model/internal_date.h"
#include "protocol/model/partial_range.h"
#include "protocol/model/sequence_set.h"

namespace protocol {

/// One node of a SEARCH program (RFC 3501 §6.4.4). Which members mean something depends on `op`.
struct SearchKey {
  enum class Op : std::uint8_t {
    kAll,
    kAnd,          ///< children, at least one: the whole program, and each parenthesised list
    kOr,           ///< two children
    kNot,          ///< one child
    kSequenceSet,  ///< set: message numbers, or "$" (RFC 5182)
    kUidSet,       ///< set: UID key
    kFlag,         ///< text: flag name, "\Seen" or a keyword: ANSWERED, DELETED, ..., KEYWORD x
    kUnflag,       ///< text: likewise: UNSEEN, UNKEYWORD x
    kRecent,
    kOld,  ///< not recent
    kNew,  ///< recent and unseen
    kBcc,
    kCc,
    kFrom,
    kSubject,
    kTo,
    kBody,
    kText,
    kHeader,  ///< field, text; an empty text asks for the field's presence
    kBefore,  ///< day; internal date, as the next two
    kOn,
    kSince,
    kSentBefore,  ///< day; Date: header, as the next two
    kSentOn,
    kSentSince,
    kSavedBefore,  ///< day; save date (RFC 8514 §4.3), as the next two
    kSavedOn,
    kSavedSince,
    kSaveDateSupported,  ///< RFC 8514 §4.3
    kLarger,             ///< number: octets
    kSmaller,            ///< number: octets
    kOlder,              ///< number: seconds (RFC 5032 §3), at least 1
    kYounger,            ///< number: seconds
    kEmailId,            ///< text (RFC 8474 §6)
    kThreadId,           ///< text
    kModSeq,             ///< number (RFC 7162 §3.1.5); what metadata item was named is of no matter here
  };

  Op op = Op::kAll;
  std::string field;  ///< header field name as sent
  std::string text;   ///< octets in the command's charset
  Day day;
  std::uint64_t number = 0;
  SequenceSet set;
  std::vector<SearchKey> children;

  friend bool operator==(const SearchKey&, const SearchKey&) = default;
};

/// RETURN (...) of ESEARCH (RFC 4731 §3.1), SEARCHRES (RFC 5182 §2), PARTIAL (RFC 9394 §3.1)
/// and contexts (RFC 5267 §4).
struct SearchReturn {
  bool min = false;
  bool max = false;
  bool all = false;  ///< also set by "RETURN ()"
  bool count = false;
  bool save = false;
  std::optional<PartialRange> partial;  ///< then not `all`
  bool context = false;                 ///< a hint that more will be asked of the same criteria
  bool update = false;                  ///< tell how the result changes, until CANCELUPDATE
  std::vector<FetchItem> update_items;  ///< with `update`: of new messages that are in it (RFC 5465 §7)
  friend bool operator==(const SearchReturn&, const SearchReturn&) = default;
};

}  // namespace protocol

namespace protocol::command {

/// SEARCH and UID SEARCH, RFC 3501 §6.4.4.
struct Search {
  NumberKind numbers = NumberKind::kSequence;
  std::optional<SearchReturn> returns;  ///< present: the answer is ESEARCH
  std::string charset;                  ///< upper case; empty when none was named (US-ASCII); not checked
  SearchKey key;                        ///< kAnd at the top, even for one key
  bool modseq = false;                  ///< a kModSeq is somewhere in it: the answer tells a mod-sequence

  friend bool operator==(const Search&, const Search&) = default;
};

}  // namespace protocol::command
