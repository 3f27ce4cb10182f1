#include <optional>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/fetch_items.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/model/ascii.h"

namespace protocol::parse {
namespace {

using Refusal = command::Notify::Refusal;

constexpr std::string_view kFilter =
    "SELECTED, SELECTED-DELAYED, INBOXES, PERSONAL, SUBSCRIBED, SUBTREE or MAILBOXES";

constexpr std::array<std::pair<std::string_view, NotifyFilter>, 7> kFilters{{
    {"SELECTED", NotifyFilter::kSelected},
    {"SELECTED-DELAYED", NotifyFilter::kSelectedDelayed},
    {"INBOXES", NotifyFilter::kInboxes},
    {"PERSONAL", NotifyFilter::kPersonal},
    {"SUBSCRIBED", NotifyFilter::kSubscribed},
    {"SUBTREE", NotifyFilter::kSubtree},
    {"MAILBOXES", NotifyFilter::kMailboxes},
}};

bool IsSelected(NotifyFilter filter) {
  return filter == NotifyFilter::kSelected || filter == NotifyFilter::kSelectedDelayed;
}

/// One NOTIFY SET on its way.
class Reading {
 public:
  Reading(Cursor& in, command::Notify& cmd) : in_(in), cmd_(cmd) {}

  // event-group      = "(" filter-mailboxes SP events ")"             ; RFC 5465 §8
  // filter-mailboxes = filter-mailboxes-selected / filter-mailboxes-other
  void Group() {
    in_.Expect('(', "\"(\"");
    NotifyGroup group;
    Filter(group);
    in_.Space();
    const std::size_t start = in_.offset();
    if (!in_.AcceptWord("NONE")) Events(group);
    CheckEvents(group, start);
    in_.Expect(')', "\")\"");
    if (cmd_.groups.size() == limits::kNotifyGroups) return in_.Fail("fewer event groups");
    cmd_.groups.push_back(std::move(group));
  }

 private:
  // filter-mailboxes-selected = "selected" / "selected-delayed"
  // filter-mailboxes-other    = "inboxes" / "personal" / "subscribed" /
  //                             ( "subtree" SP one-or-more-mailbox ) / ( "mailboxes" SP one-or-more-mailbox )
  void Filter(NotifyGroup& group) {
    const std::size_t start = in_.offset();
    const std::string_view name = grammar::ParseAtom(in_, limits::kFlagName, kFilter);
    const auto* row = kFilters.begin();
    while (row != kFilters.end() && !ascii::EqualNoCase(row->first, name)) ++row;
    if (row == kFilters.end()) return in_.FailAt(start, kFilter);
    group.filter = row->second;
    if (IsSelected(group.filter)) {
      if (selected_) return in_.FailAt(start, "SELECTED or SELECTED-DELAYED once in a NOTIFY");
      selected_ = true;
    }
    if (group.filter == NotifyFilter::kSubtree || group.filter == NotifyFilter::kMailboxes) Mailboxes(group);
  }

  // one-or-more-mailbox = mailbox / many-mailboxes
  // many-mailboxes      = "(" mailbox *(SP mailbox) ")"
  void Mailboxes(NotifyGroup& group) {
    in_.Space();
    if (!in_.Accept('(')) return Mailbox(group);
    do Mailbox(group);
    while (in_.Accept(' '));
    in_.Expect(')', "\")\"");
  }

  void Mailbox(NotifyGroup& group) {
    std::string name = grammar::ParseMailbox(in_);
    octets_ += name.size();
    if (++mailboxes_ > limits::kNotifyMailboxes || octets_ > limits::kNotifyOctets) {
      cmd_.refusal = Refusal::kTooManyMailboxes;  // read to the end, and forgotten
      return;
    }
    group.mailboxes.push_back(std::move(name));
  }

  // events = "(" event *(SP event) ")" / "NONE"
  void Events(NotifyGroup& group) {
    in_.Expect('(', "\"(\" or NONE");
    std::size_t events = 0;
    do {
      if (++events > limits::kNotifyEvents) in_.Fail("fewer events");
      Event(group);
    } while (in_.Accept(' '));
    in_.Expect(')', "\")\"");
  }

  // event         = message-event / mailbox-event / user-event / event-ext
  // message-event = ( "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")" ] ) / "MessageExpunge" /
  // "FlagChange" /
  //                 "AnnotationChange"
  // event-ext     = atom
  void Event(NotifyGroup& group) {
    const std::string_view name = grammar::ParseAtom(in_, limits::kFlagName, "event");
    for (std::size_t i = 0; i < kNotifyEventNames.size(); ++i) {
      if (!ascii::EqualNoCase(kNotifyEventNames[i], name)) continue;
      const auto event = static_cast<NotifyEvent>(i);
      group.events.Add(event);
      if (event == NotifyEvent::kMessageNew) Items(group);
      return;
    }
    if (in_.failed()) return;
    if (cmd_.refusal == Refusal::kNone) cmd_.refusal = Refusal::kUnsupportedEvent;
  }

  void Items(const NotifyGroup& group) {
    if (!in_.AcceptWord(" (")) return;
    if (!IsSelected(group.filter)) return in_.Fail("fetch attributes with SELECTED or SELECTED-DELAYED only");
    cmd_.new_message_items = ParseFetchItems(in_);
  }

  /// RFC 5465 §5, §6.1. An event that is not supported is told first (§3.1: NO, not BAD).
  void CheckEvents(const NotifyGroup& group, std::size_t start) {
    if (cmd_.refusal == Refusal::kUnsupportedEvent) return;
    const bool arrive = group.events.Has(NotifyEvent::kMessageNew);
    if (arrive != group.events.Has(NotifyEvent::kMessageExpunge))
      in_.FailAt(start, "MessageNew and MessageExpunge together");
    if (!arrive && group.events.Has(NotifyEvent::kFlagChange))
      in_.FailAt(start, "MessageNew and MessageExpunge beside FlagChange");
    if (IsSelected(group.filter) && (group.events & kMessageEvents) != group.events)
      in_.FailAt(start, "MessageNew, MessageExpunge and FlagChange only, with SELECTED");
  }

  Cursor& in_;
  command::Notify& cmd_;
  bool selected_ = false;
  std::size_t mailboxes_ = 0;
  std::size_t octets_ = 0;
};

}  // namespace

// notify           = "NOTIFY" SP (notify-set / notify-none)          ; RFC 5465 §8
// notify-set       = "SET" [status-indicator] SP event-groups
// notify-none      = "NONE"
// status-indicator = SP "STATUS"
// event-groups     = event-group *(SP event-group)
Parsed<command::Notify> ParseNotify(Cursor& in) {
  command::Notify cmd;
  in.Space();
  if (in.AcceptWord("NONE")) return in.Finish(std::move(cmd));
  if (!in.AcceptWord("SET")) in.Fail("SET or NONE");
  cmd.set = true;
  cmd.status = in.AcceptWord(" STATUS");
  Reading reading(in, cmd);
  do {
    in.Space();
    reading.Group();
  } while (!in.failed() && in.Peek(' '));
  if (cmd.refusal != Refusal::kNone) {
    cmd.groups.clear();
    cmd.new_message_items.clear();
  }
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
