#include "server/imap/search/program.h"

#include <algorithm>
#include <cstring>

#include "protocol/mime/parts.h"

namespace server::imap::search {
namespace {

constexpr Truth Certain(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

bool Contains(std::string_view text, std::string_view needle) {
  return needle.empty() || ::memmem(text.data(), text.size(), needle.data(), needle.size()) != nullptr;
}

/// `header` is of lines "name: value\n", `field` is "name:".
bool HeaderMatches(std::string_view header, std::string_view field, std::string_view needle) {
  while (!header.empty()) {
    const std::size_t end = header.find('\n');
    const std::string_view line = header.substr(0, end);
    if (line.starts_with(field) && Contains(line.substr(field.size()), needle)) return true;
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
  }
  return false;
}

protocol::Day UtcDay(std::int64_t unix_seconds) { return protocol::DayOf({unix_seconds, 0}); }

}  // namespace

Truth Program::EvaluateAll(const Node& node, const Known& known) {
  Truth result = Truth::kTrue;
  for (const Node& child : node.children) {
    const Truth truth = Evaluate(child, known);
    if (truth == Truth::kFalse) return Truth::kFalse;
    if (truth == Truth::kUnknown) result = Truth::kUnknown;
  }
  return result;
}

Truth Program::EvaluateAny(const Node& node, const Known& known) {
  Truth result = Truth::kFalse;
  for (const Node& child : node.children) {
    const Truth truth = Evaluate(child, known);
    if (truth == Truth::kTrue) return Truth::kTrue;
    if (truth == Truth::kUnknown) result = Truth::kUnknown;
  }
  return result;
}

Truth Program::Evaluate(const Node& node, const Known& known) {
  switch (node.op) {
    case Op::kTrue: return Truth::kTrue;
    case Op::kFalse: return Truth::kFalse;
    case Op::kAnd: return EvaluateAll(node, known);
    case Op::kOr: return EvaluateAny(node, known);
    case Op::kNot: {
      const Truth truth = Evaluate(node.children.front(), known);
      if (truth == Truth::kUnknown) return truth;
      return Certain(truth == Truth::kFalse);
    }
    case Op::kUids: return Certain(node.uids.Contains(known.uid));
    case Op::kId: return Truth::kUnknown;
    case Op::kRecent: return Certain(known.uid.value >= static_cast<std::uint64_t>(node.number));
    case Op::kModSeq:
      if (known.state == nullptr) return Truth::kUnknown;
      return Certain(known.state->modseq.value >= static_cast<std::uint64_t>(node.number));
    case Op::kFlags:
      if (known.state == nullptr) return Truth::kUnknown;
      return Certain((known.state->flags.system & node.flags.system) == node.flags.system &&
                     (known.state->flags.keywords & node.flags.keywords) == node.flags.keywords);
    case Op::kDate:
    case Op::kLarger:
    case Op::kSmaller:
    case Op::kOlder:
    case Op::kYounger:
    case Op::kObject:
      if (known.row == nullptr) return Truth::kUnknown;
      return Certain(MatchesRow(node, *known.row));
    case Op::kHeader:
    case Op::kBody:
    case Op::kText:
      if (known.text == nullptr) return Truth::kUnknown;
      if (MatchesText(node, *known.text)) return Truth::kTrue;
      return known.text->truncated ? Truth::kUnknown : Truth::kFalse;
  }
  return Truth::kFalse;
}

bool Program::MatchesRow(const Node& node, const storage::MessageRow& row) {
  switch (node.op) {
    case Op::kDate: return MatchesDate(node, row);
    case Op::kLarger:
      return protocol::mime::ServedSize(row.parts, row.size) > static_cast<std::uint64_t>(node.number);
    case Op::kSmaller:
      return protocol::mime::ServedSize(row.parts, row.size) < static_cast<std::uint64_t>(node.number);
    case Op::kOlder: return row.internal_date.unix_seconds <= node.number;
    case Op::kYounger: return row.internal_date.unix_seconds >= node.number;
    case Op::kObject: return row.object == node.object;
    default: return false;  // no row decides it
  }
}

bool Program::MatchesDate(const Node& node, const storage::MessageRow& row) {
  protocol::Day day;
  switch (node.date) {
    case Date::kInternal: day = protocol::DayOf(row.internal_date); break;
    case Date::kSaved: day = UtcDay(row.save_date); break;
    case Date::kSent:
      if (!row.sent) return false;
      day = protocol::DayOf(*row.sent);
      break;
  }
  switch (node.compare) {
    case Compare::kBefore: return day < node.day;
    case Compare::kOn: return day == node.day;
    case Compare::kSince: return day >= node.day;
  }
  return false;
}

bool Program::MatchesText(const Node& node, const storage::MessageText& text) {
  switch (node.op) {
    case Op::kHeader: return HeaderMatches(text.header, node.field, node.text);
    case Op::kBody: return Contains(text.body, node.text);
    case Op::kText: return Contains(text.body, node.text) || Contains(text.header, node.text);
    default: return false;  // no text decides it
  }
}

storage::Result<> Program::LookUp(Node& node, const storage::FolderReader& reader) {
  if (node.op == Op::kId) {
    auto found = reader.FindById(node.id, node.text);
    if (!found) return tl::unexpected(std::move(found).error());
    node.op = Op::kUids;
    node.uids = *std::move(found);
  }
  for (Node& child : node.children) {
    auto done = LookUp(child, reader);
    if (!done) return done;
  }
  return {};
}

UidSet Program::Narrow(const Node& node, UidSet candidates) {
  switch (node.op) {
    case Op::kFalse: return {};
    case Op::kUids: return candidates.Intersect(node.uids);
    case Op::kAnd:
      for (const Node& child : node.children) candidates = Narrow(child, std::move(candidates));
      return candidates;
    case Op::kOr: {
      UidSet any;
      for (const Node& child : node.children) {
        const UidSet narrowed = Narrow(child, candidates);
        for (const auto& range : narrowed.ranges()) any.Add(range.first, range.last);
      }
      return any;
    }
    default: return candidates;
  }
}

storage::ModSeq Program::ChangedSince(const Node& node) {
  storage::ModSeq since;
  if (node.op == Op::kModSeq && node.number > 0) since.value = static_cast<std::uint64_t>(node.number) - 1;
  if (node.op == Op::kAnd) {
    for (const Node& child : node.children) since = std::max(since, ChangedSince(child));
  }
  return since;
}

}  // namespace server::imap::search
