#include "server/imap/fetch/plan.h"

#include <algorithm>

namespace server::imap {
namespace {

FetchPlan::Reads ReadsFor(const FetchItem& item) {
  using Kind = FetchItem::Kind;
  using Reads = FetchPlan::Reads;
  switch (item.kind) {
    case Kind::kUid:
    case Kind::kThreadId: return Reads::kNothing;
    case Kind::kFlags:
    case Kind::kModSeq: return Reads::kStates;
    case Kind::kInternalDate:
    case Kind::kRfc822Size:
    case Kind::kEnvelope:
    case Kind::kBody:
    case Kind::kBodyStructure:
    case Kind::kEmailId:
    case Kind::kSaveDate: return Reads::kRows;
    case Kind::kRfc822:
    case Kind::kRfc822Header:
    case Kind::kRfc822Text:
    case Kind::kSection:
    case Kind::kBinary:
    case Kind::kBinarySize:
    case Kind::kPreview: return Reads::kBodies;
  }
  return Reads::kBodies;
}

/// Sync clients read the headers of everything, and a size is no content. A preview is: most chat messages
/// are shorter than theirs.
bool IsContent(const FetchItem& item) {
  using Kind = FetchItem::Kind;
  using protocol::Section;
  switch (item.kind) {
    case Kind::kRfc822:
    case Kind::kRfc822Text:
    case Kind::kBinary:
    case Kind::kPreview: return true;
    case Kind::kSection:
      return item.section.kind == Section::Kind::kAll || item.section.kind == Section::Kind::kText;
    default: return false;
  }
}

bool IsStructure(const FetchItem& item) {
  using Kind = FetchItem::Kind;
  return item.kind == Kind::kEnvelope || item.kind == Kind::kBody || item.kind == Kind::kBodyStructure;
}

}  // namespace

FetchPlan::FetchPlan(const protocol::command::Fetch& cmd, bool read_only, FetchForm with_form)
    : changed_since(cmd.changed_since), form(with_form) {
  uid = cmd.numbers == protocol::NumberKind::kUid && !form.uid_only;
  for (const FetchItem& item : cmd.items) {
    if (item.kind == FetchItem::Kind::kUid) {
      uid = true;
      continue;
    }
    reads = std::max(reads, ReadsFor(item));
    flags_asked = flags_asked || item.kind == FetchItem::Kind::kFlags;
    modseq_asked = modseq_asked || item.kind == FetchItem::Kind::kModSeq;
    access = access || IsContent(item);
    structures = structures || IsStructure(item);
    marks_seen = marks_seen || (!read_only && item.SetsSeen());
    items.push_back(item);
  }
  // RFC 7162 §3.1.4.1: CHANGEDSINCE asks for it.
  if (changed_since && !modseq_asked) {
    items.push_back({.kind = FetchItem::Kind::kModSeq});
    reads = std::max(reads, Reads::kStates);
    modseq_asked = true;
  }
  states = flags_asked || modseq_asked || marks_seen;
  // An answer of flags and something from the view is still one about rows: the fast path knows one layout.
  const bool only_states = std::ranges::all_of(items, [](const FetchItem& item) {
    return item.kind == FetchItem::Kind::kFlags || item.kind == FetchItem::Kind::kModSeq;
  });
  if (reads < Reads::kRows && !only_states) reads = Reads::kRows;
}

}  // namespace server::imap
