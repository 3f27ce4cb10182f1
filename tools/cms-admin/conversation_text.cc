#include "tools/cms-admin/conversation_text.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace cpm = protocol::cpm;
using cpm::Imdn;

constexpr std::size_t kNarrow = 40;
constexpr std::size_t kWide = 120;  ///< longer lines are hard to read

/// Select Graphic Rendition, where the terminal has colours.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  std::string Bold(std::string_view text) const { return With("1", text); }
  std::string Dim(std::string_view text) const { return With("2", text); }
  std::string Mine(std::string_view text) const { return With("1;34", text); }
  std::string Theirs(std::string_view text) const { return With("1;32", text); }
  std::string Alarm(std::string_view text) const { return With("1;31", text); }

 private:
  std::string With(const char* code, std::string_view text) const {
    if (!on_ || text.empty()) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
  }
  bool on_;
};

std::string_view Verb(Imdn::Status status) {
  switch (status) {
    case Imdn::Status::kDisplayed: return "read";
    case Imdn::Status::kDelivered: return "delivered";
    case Imdn::Status::kFailed: return "failed";
    case Imdn::Status::kForbidden: return "receipt forbidden";
    case Imdn::Status::kError: return "error";
    case Imdn::Status::kProcessed: return "processed";
    case Imdn::Status::kStored: return "stored for later";
  }
  return "unknown";
}

/// Which of two statuses says more.
int Rank(Imdn::Status status) {
  switch (status) {
    case Imdn::Status::kDisplayed: return 4;
    case Imdn::Status::kDelivered: return 3;
    case Imdn::Status::kFailed:
    case Imdn::Status::kForbidden:
    case Imdn::Status::kError: return 2;
    default: return 1;
  }
}

/// Between a status and whose it is.
std::string_view Preposition(int rank) { return rank == 4 ? " by " : rank == 2 ? " for " : " to "; }

std::string KindText(const ConversationObject& object) {
  if (object.kind == "chat" || object.kind == "file-transfer") return {};
  if (object.kind == "sms") return "SMS";
  if (object.kind == "mms") return "MMS";
  if (object.kind == "standalone") return "message";
  if (object.kind == "file-link") return "file link";
  return object.kind;
}

std::string FileText(const ConversationFile& file) {
  auto name = VisibleLine(file.name);
  if (name.empty()) name = file.thumbnail ? "thumbnail" : "file without a name";
  auto out = fmt::format("[{}] {}", name, VisibleLine(file.type));
  if (file.size) out += ", " + SizeText(*file.size);
  if (!file.stored) out += file.url.empty() ? ", not stored" : ", at " + VisibleLine(file.url);
  return out;
}

class Writer {
 public:
  Writer(const Conversation& conversation, const OutputStyle& style)
      : conversation_(conversation),
        columns_(std::clamp(style.columns, kNarrow, kWide)),
        paint_(style.colour) {}

  std::string Write() {
    Head();
    for (const auto& thread : conversation_.threads) WriteThread(thread);
    return std::move(out_);
  }

 private:
  void Line(std::string_view text) {
    out_ += text;
    out_ += '\n';
  }

  /// `text` wrapped, each line behind `indent` spaces.
  void Paragraph(std::size_t indent, std::string_view text, bool dim = false) {
    for (const auto& line : Wrap(text, columns_ - std::min(indent, columns_ / 2)))
      Line(line.empty() ? line : std::string(indent, ' ') + (dim ? paint_.Dim(line) : line));
  }

  void Head() {
    const auto& head = conversation_.head;
    for (const auto& line : Wrap(VisibleLine(head.Title()), columns_)) Line(paint_.Bold(line));
    Line(VisibleLine(head.folder));
    std::string people;
    bool named = head.group;  // the title says all of a peer without a name
    for (const auto& [address, name] : conversation_.Others()) {
      named = named || !name.empty();
      if (!people.empty()) people += ", ";
      people += VisibleLine(name.empty() ? address : fmt::format("{} <{}>", name, address));
    }
    const bool group = head.group && head.conversation;
    if (named && !people.empty()) Paragraph(0, (group ? "group with " : "with ") + people);
    const auto time = head.last_time.value_or(0);
    Line(paint_.Dim(
        fmt::format("{} objects, {} unread; times in {}", head.objects, head.unread, ZoneName(time))));
  }

  void WriteThread(const cpm::Thread& thread) {
    const auto shown =
        std::ranges::any_of(thread.items, [&](std::size_t i) { return !conversation_.IsReceipt(i); });
    if (!shown) return;
    Line("");
    indent_ = thread.depth * 2;
    bool first = true;
    for (const std::size_t i : thread.items) {
      if (conversation_.IsReceipt(i)) continue;
      WriteObject(conversation_.objects[i], first && thread.parent);
      first = false;
    }
  }

  void WriteObject(const ConversationObject& object, bool reply) {
    if (object.kind == "session-info") return WriteSession(object, reply);
    if (object.kind == "group-state") return WriteGroup(object);
    if (object.kind == "imdn") return WriteNotice(object);
    const auto sender = VisibleLine(conversation_.SenderOf(object));
    std::string right = KindText(object);
    const auto add = [&](std::string_view text) { right += (right.empty() ? "" : ", ") + std::string(text); };
    if (object.IsUnread()) add("unread");
    if (object.Has("\\Flagged")) add("flagged");
    if (object.Has("\\Deleted")) add("deleted");
    if (object.Has("$Deferred")) add("deferred");
    Title(object, reply, sender, right, object.sent ? &Paint::Mine : &Paint::Theirs);
    Body(object);
    Receipts(object);
  }

  /// "2016-03-02 10:15  Bea                                  unread", the sender shortened if need be.
  void Title(const ConversationObject& object, bool reply, std::string_view sender, const std::string& right,
             std::string (Paint::*paint)(std::string_view) const) {
    const auto left = std::string(indent_, ' ') + (reply ? "↳ " : "") + MinuteOf(object.time) + "  ";
    const auto used = Width(left) + Width(right) + (right.empty() ? 0 : 2);
    const auto room = columns_ > used + 8 ? columns_ - used : 8;
    auto name = right.empty() ? Shorten(sender, room) : Fit(sender, room);
    Line(paint_.Dim(left) + (paint_.*paint)(name) + (right.empty() ? "" : "  " + paint_.Dim(right)));
  }

  void Body(const ConversationObject& object) {
    const std::size_t indent = indent_ + 4;
    if (!object.subject.empty()) Paragraph(indent, "Subject: " + VisibleLine(object.subject));
    if (!object.text.empty()) Paragraph(indent, Visible(object.text));
    if (object.text_cut) Paragraph(indent, "(the text goes on)", true);
    for (const auto& file : object.files) {
      if (!file.description.empty() && file.description != object.subject)
        Paragraph(indent, VisibleLine(file.description));
      Paragraph(indent, FileText(file));
    }
    if (object.text.empty() && object.files.empty() && object.subject.empty())
      Paragraph(indent, "(no text)", true);
    Malformed(object);
  }

  void Malformed(const ConversationObject& object) {
    if (object.malformed.empty()) return;
    for (const auto& line : Wrap("malformed: " + VisibleLine(object.malformed), columns_ - indent_ - 4))
      Line(std::string(indent_ + 4, ' ') + paint_.Alarm(line));
  }

  void Receipts(const ConversationObject& object) {
    if (const auto text = ReceiptText(conversation_, object); !text.empty())
      Paragraph(indent_ + 4, text, true);
  }

  void System(const ConversationObject& object, bool reply, const std::string& text) {
    const auto left = std::string(indent_, ' ') + (reply ? "↳ " : "") + MinuteOf(object.time) + "  ";
    bool first = true;
    for (const auto& line : Wrap(text, columns_ - std::min(Width(left), columns_ / 2))) {
      Line(paint_.Dim((first ? left : std::string(Width(left), ' ')) + line));
      first = false;
    }
    Malformed(object);
  }

  void WriteSession(const ConversationObject& object, bool reply) {
    auto text = fmt::format("-- session{}{}",
                            object.subject.empty() ? "" : " \"" + VisibleLine(object.subject) + "\"",
                            object.session_type.empty() ? "" : " (" + VisibleLine(object.session_type) + ")");
    text += ", begun by " + VisibleLine(conversation_.SenderOf(object));
    if (const auto invited = Names(object.participants); !invited.empty()) text += "; invited: " + invited;
    System(object, reply, text);
    for (const auto& file : object.files) Paragraph(indent_ + 4, FileText(file));
  }

  void WriteGroup(const ConversationObject& object) {
    std::vector<std::string> members;
    for (const auto& [address, name] : object.members) members.push_back(address);
    auto text =
        fmt::format("-- session over{}",
                    object.group_type.empty() ? "" : "; the group is " + VisibleLine(object.group_type));
    if (const auto names = Names(members); !names.empty()) text += "; in it: " + names;
    System(object, false, text);
  }

  void WriteNotice(const ConversationObject& object) {
    const auto& notice = object.item.notice;
    const auto text = notice ? fmt::format("-- {}: {}, of a message that is not here ({})",
                                           VisibleLine(conversation_.NameOf(notice->by)),
                                           Verb(notice->status), VisibleLine(notice->message_id))
                             : std::string("-- a notification");
    System(object, false, text);
  }

  std::string Names(const std::vector<std::string>& addresses) const {
    std::string out;
    for (const auto& address : addresses)
      out += (out.empty() ? "" : ", ") + VisibleLine(conversation_.NameOf(address));
    return out;
  }

  const Conversation& conversation_;
  const std::size_t columns_;
  const Paint paint_;
  std::size_t indent_ = 0;
  std::string out_;
};

}  // namespace

std::string ReceiptText(const Conversation& conversation, const ConversationObject& object) {
  std::map<std::string, const cpm::Receipt*> best;  // of each recipient
  for (const auto& receipt : object.receipts) {
    auto& known = best[receipt.by];
    if (!known || Rank(known->status) < Rank(receipt.status)) known = &receipt;
  }
  const bool named = conversation.head.group || best.size() > 1;
  std::string out;
  for (const int rank : {4, 3, 2, 1}) {
    std::string part;
    for (const auto& [by, receipt] : best) {
      if (Rank(receipt->status) != rank) continue;
      const bool same_day = DayOf(receipt->time) == DayOf(object.time);
      part += part.empty() ? std::string(Verb(receipt->status)) + std::string(named ? Preposition(rank) : " ")
                           : ", ";
      if (named) part += VisibleLine(conversation.NameOf(by)) + " ";
      part += same_day ? ClockOf(receipt->time) : MinuteOf(receipt->time);
    }
    if (!part.empty()) out += (out.empty() ? "" : "; ") + part;
  }
  if (out.empty() && object.sent && object.IsMessage() && object.kind != "media") return "sent";
  return out;
}

std::string ConversationText(const Conversation& conversation, const OutputStyle& style) {
  return Writer(conversation, style).Write();
}

std::string ConversationTable(std::vector<ConversationHead> heads, const OutputStyle& style) {
  const Paint paint(style.colour);
  constexpr std::size_t kOthers = 10 + 7 + 6 + 16 + 4 * 2;  // the other columns, and what is between
  const auto columns = std::clamp(style.columns, kOthers + 16, kWide);
  std::size_t title = std::string_view("PEER OR SUBJECT").size();
  std::map<std::string, int> named;
  for (const auto& head : heads) {
    title = std::max(title, Width(VisibleLine(head.Title())));
    ++named[head.Title()];
  }
  title = std::min(title, columns - kOthers);

  std::ranges::sort(heads, {},
                    [](const auto& head) { return std::pair(-head.last_time.value_or(0), head.folder); });
  const auto header = fmt::format("{}  {:<10}  {:>7}  {:>6}  {}", Fit("PEER OR SUBJECT", title), "KIND",
                                  "OBJECTS", "UNREAD", "LAST ACTIVITY");
  std::string out = paint.Dim(header) + "\n";
  for (const auto& head : heads) {
    const auto name = Fit(VisibleLine(head.Title()), title);
    const auto line = fmt::format("{}  {:<10}  {:>7}  {:>6}  {}", head.unread > 0 ? paint.Bold(name) : name,
                                  head.group ? "group" : "one-to-one", head.objects, head.unread,
                                  head.last_time ? MinuteOf(*head.last_time) : "-");
    out += line + "\n";
    const bool told = head.folder.substr(head.folder.rfind('/') + 1) == head.Title();
    if (!told || named[head.Title()] > 1) out += "  " + paint.Dim(VisibleLine(head.folder)) + "\n";
  }
  return out;
}

}  // namespace admin
