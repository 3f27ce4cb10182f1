#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "protocol/imap/command/search.h"
#include "protocol/imap/reply.h"
#include "server/imap/view/mailbox_view.h"
#include "storage/store/folder_reader.h"

namespace server::imap::search {

/// What has been read of one message so far; null: not yet. Whether the program needs more is
/// Truth::kUnknown.
struct Known {
  Uid uid;
  const storage::MessageState* state = nullptr;
  const storage::MessageRow* row = nullptr;  ///< only what is no view is looked at
  const storage::MessageText* text = nullptr;
};

enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown };

/// A SEARCH program (RFC 3501 §6.4.4) made ready for many messages: numbers resolved against the view, text
/// converted and folded, keywords as bits.
class Program {
 public:
  /// `now` in Unix seconds, for OLDER and YOUNGER. Refusals: [BADCHARSET], numbers that are not there.
  static tl::expected<Program, protocol::Reply> Compile(const protocol::command::Search& cmd,
                                                        const MailboxView& view, std::int64_t now);

  /// kUnknown: more must be read, in the order state, row, text. With everything there it is kUnknown only
  /// for text that was cut short.
  Truth Evaluate(const Known& known) const { return Evaluate(root_, known); }

  /// Does the exact look-ups. Before Evaluate() and Narrow(), once.
  storage::Result<> LookUp(const storage::FolderReader& reader) { return LookUp(root_, reader); }

  /// A superset of what matches, from what the program says of numbers and identifiers.
  UidSet Narrow(UidSet candidates) const { return Narrow(root_, std::move(candidates)); }
  /// What matches has changed since then, so older state pages can be passed over.
  storage::ModSeq changed_since() const { return ChangedSince(root_); }
  bool uses_states() const { return uses_states_; }
  bool uses_rows() const { return uses_rows_; }

 private:
  enum class Op : std::uint8_t {
    kTrue,
    kFalse,
    kAnd,
    kOr,
    kNot,
    kUids,
    kId,  ///< an exact look-up; kUids once it is done
    kFlags,
    kRecent,
    kModSeq,
    kDate,
    kLarger,
    kSmaller,
    kOlder,
    kYounger,
    kObject,
    kHeader,
    kBody,
    kText
  };
  enum class Date : std::uint8_t { kInternal, kSent, kSaved };
  enum class Compare : std::uint8_t { kBefore, kOn, kSince };

  struct Node {
    Op op = Op::kTrue;
    Date date = Date::kInternal;
    Compare compare = Compare::kOn;
    storage::FlagBits flags;  ///< all of them must be set
    protocol::Day day;
    std::int64_t number = 0;
    storage::ObjectId object;
    UidSet uids;
    std::string field;  ///< lower-case, with its colon
    std::string text;   ///< folded; of an identifier as it is
    storage::IdKind id = storage::IdKind::kMessage;
    std::vector<Node> children;
  };

  struct Compiler;

  static Truth Evaluate(const Node& node, const Known& known);
  static Truth EvaluateAll(const Node& node, const Known& known);
  static Truth EvaluateAny(const Node& node, const Known& known);
  static bool MatchesRow(const Node& node, const storage::MessageRow& row);
  static bool MatchesDate(const Node& node, const storage::MessageRow& row);
  static bool MatchesText(const Node& node, const storage::MessageText& text);
  static storage::Result<> LookUp(Node& node, const storage::FolderReader& reader);
  static UidSet Narrow(const Node& node, UidSet candidates);
  static storage::ModSeq ChangedSince(const Node& node);

  Node root_;
  bool uses_states_ = false;
  bool uses_rows_ = false;
};

}  // namespace server::imap::search
