#include "tools/cms-admin/conversation_html.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "protocol/text/base64.h"
#include "tools/cms-admin/conversation_text.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

/// Types that a browser draws and that hold no script.
constexpr std::array kImageTypes = {"image/jpeg", "image/png", "image/gif", "image/webp"};
constexpr std::uint64_t kMaxImage = 8 << 20;
constexpr std::uint64_t kMaxImages = 64 << 20;  ///< of one page

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--page:#eceff3;--ink:#16202c;--soft:#5d6b7a;--theirs:#fff;--mine:#d5ecff;--line:#d3dae2;
--read:#0b6bcb;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--page:#10161d;--ink:#e6ebf0;--soft:#93a1b0;--theirs:#1e2833;--mine:#0f3a5c;
--line:#2c3946;--read:#6cb8ff;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.45 system-ui,"Noto Sans","Noto Color Emoji",sans-serif}
header,main,footer{max-width:46rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem;padding-bottom:1rem;border-bottom:1px solid var(--line)}
h1{font-size:1.4rem;margin:0 0 .25rem;overflow-wrap:anywhere}
header p,footer p{margin:.15rem 0;color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}
ul.people{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem;margin:.6rem 0 0;padding:0}
ul.people li{background:var(--theirs);border:1px solid var(--line);border-radius:1rem;padding:.1rem .7rem;font-size:.85rem;
overflow-wrap:anywhere;max-width:100%}
ul.people small{color:var(--soft)}
main{display:flex;flex-direction:column;gap:.35rem;padding-top:.5rem;padding-bottom:1.5rem}
h2{align-self:center;font-size:.8rem;font-weight:600;color:var(--soft);margin:1rem 0 .3rem}
article{max-width:min(34rem,82%);padding:.45rem .75rem .35rem;border-radius:1rem;background:var(--theirs);
overflow-wrap:anywhere;box-shadow:0 1px 1px rgba(0,0,0,.08)}
article.theirs{align-self:flex-start;border-start-start-radius:.25rem}
article.mine{align-self:flex-end;background:var(--mine);border-end-end-radius:.25rem}
article:target{outline:2px solid var(--read)}
article>p{margin:.1rem 0;white-space:pre-wrap}
.who{font-size:.8rem;font-weight:600;color:var(--read)}
.subject{font-weight:600}
.reply{display:block;font-size:.8rem;color:var(--soft);border-inline-start:3px solid var(--read);padding-inline-start:.5rem;
margin:.15rem 0 .3rem;text-decoration:none}
.file{font-size:.9rem;border:1px solid rgba(120,135,150,.45);border-radius:.6rem;padding:.35rem .6rem;margin:.3rem 0}
.file small,.meta{color:var(--soft);font-size:.75rem}
figure{margin:.3rem 0}
img{max-width:100%;max-height:24rem;border-radius:.6rem;display:block}
figcaption{font-size:.8rem;color:var(--soft)}
.meta{text-align:end;margin-top:.15rem}
.read{color:var(--read)}
.bad{color:var(--bad)}
.note{align-self:center;text-align:center;max-width:90%;color:var(--soft);font-size:.8rem;overflow-wrap:anywhere;
margin:.3rem 0}
.note .reply{border:0;padding:0}
.note img{margin:.3rem auto 0}
footer{border-top:1px solid var(--line);padding-top:.6rem;padding-bottom:2rem}
)";

std::string Base64(std::string_view octets) {
  std::string out;
  protocol::text::AppendBase64(out, octets);
  return out;
}

/// RFC 4648 of the SHA-256, as CSP names a style that it lets through.
std::string StyleHash() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(kStyle.data(), kStyle.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) return {};
  return Base64({reinterpret_cast<const char*>(digest.data()), size});
}

/// Text between tags or within a quoted attribute.
std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string Line(std::string_view text) { return Escape(VisibleLine(text)); }
std::string Block(std::string_view text) { return Escape(Visible(text)); }
std::string Isolated(std::string_view text) { return "<bdi>" + Line(text) + "</bdi>"; }

class Page {
 public:
  Page(const Conversation& conversation, const FetchFile& fetch, std::ostream& out)
      : conversation_(conversation), fetch_(fetch), out_(out) {}

  void Write() {
    Head();
    FindReplies();
    out_ << "<main>\n";
    for (const std::size_t i : ByTime()) {
      if (!conversation_.IsReceipt(i)) WriteObject(i);
    }
    out_ << "</main>\n<footer><p>Account " << Isolated(conversation_.account) << ", folder "
         << Isolated(conversation_.head.folder) << ". Times in "
         << Line(ZoneName(conversation_.head.last_time.value_or(0))) << ".</p></footer>\n</body>\n</html>\n";
  }

 private:
  void Head() {
    const auto& head = conversation_.head;
    out_ << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
            "style-src "
            "'sha256-"
         << StyleHash() << "'; base-uri 'none'; form-action 'none'\">\n"
         << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         << "<meta name=\"referrer\" content=\"no-referrer\">\n<title>" << Line(head.Title())
         << "</title>\n<style>" << kStyle << "</style>\n</head>\n<body>\n<header>\n<h1 dir=\"auto\">"
         << Line(head.Title()) << "</h1>\n<p>" << (head.group ? "Group" : "One-to-one") << ", "
         << head.objects << " objects, " << head.unread << " unread</p>\n";
    const auto others = conversation_.Others();
    if (!others.empty()) {
      out_ << "<ul class=\"people\">";
      for (const auto& [address, name] : others) {
        out_ << "<li>";
        if (name.empty()) {
          out_ << Isolated(address);
        } else {
          out_ << Isolated(name) << " <small>" << Isolated(address) << "</small>";
        }
        out_ << "</li>";
      }
      out_ << "</ul>\n";
    }
    out_ << "</header>\n";
  }

  std::vector<std::size_t> ByTime() const {
    std::vector<std::size_t> order(conversation_.objects.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(conversation_.objects[i].time, i); });
    return order;
  }

  /// For the first object of each reply, what it replies to.
  void FindReplies() {
    reply_to_.assign(conversation_.objects.size(), std::nullopt);
    for (const auto& thread : conversation_.threads) {
      if (!thread.parent) continue;
      const auto& parent = conversation_.threads[*thread.parent].items;
      const auto shown = [&](std::size_t i) { return !conversation_.IsReceipt(i); };
      const auto target = std::ranges::find_if(parent, shown);
      const auto first = std::ranges::find_if(thread.items, shown);
      if (target != parent.end() && first != thread.items.end()) reply_to_[*first] = *target;
    }
  }

  void WriteObject(std::size_t index) {
    const auto& object = conversation_.objects[index];
    if (const auto day = DayOf(object.time); day != day_) {
      day_ = day;
      out_ << "<h2>" << day << "</h2>\n";
    }
    if (!object.IsMessage()) return WriteNote(index);
    out_ << "<article id=\"o" << index << "\" class=\"" << (object.sent ? "mine" : "theirs") << "\">\n";
    if (!object.sent) out_ << "<div class=\"who\">" << Isolated(conversation_.SenderOf(object)) << "</div>\n";
    Reply(index);
    if (!object.subject.empty())
      out_ << "<p class=\"subject\" dir=\"auto\">" << Line(object.subject) << "</p>\n";
    if (!object.text.empty()) out_ << "<p dir=\"auto\">" << Block(object.text) << "</p>\n";
    if (object.text_cut) out_ << "<p class=\"meta\">(the text goes on)</p>\n";
    Files(object);
    if (!object.malformed.empty())
      out_ << "<p class=\"bad\">Malformed: " << Line(object.malformed) << "</p>\n";
    Meta(object);
    out_ << "</article>\n";
  }

  void Reply(std::size_t index) {
    if (!reply_to_[index]) return;
    const auto& target = conversation_.objects[*reply_to_[index]];
    const auto about = !target.subject.empty() ? target.subject : target.text;
    out_ << "<a class=\"reply\" href=\"#o" << *reply_to_[index] << "\">&#8617;&#65038; "
         << Isolated(conversation_.SenderOf(target)) << ", " << MinuteOf(target.time);
    if (!about.empty()) out_ << ": " << "<bdi>" << Escape(Shorten(VisibleLine(about), 60)) << "</bdi>";
    out_ << "</a>\n";
  }

  void Files(const ConversationObject& object) {
    for (std::size_t i = 0; i < object.files.size(); ++i) {
      const auto& file = object.files[i];
      if (!Image(object, i)) Named(object, file);
    }
  }

  /// False: it is no image, or not to be had.
  bool Image(const ConversationObject& object, std::size_t index) {
    const auto& file = object.files[index];
    const auto type = std::ranges::find(kImageTypes, file.type);
    const auto size = file.size.value_or(0);
    if (type == kImageTypes.end() || !file.stored || size > kMaxImage || images_ + size > kMaxImages)
      return false;
    const auto octets = fetch_(object, index);
    if (octets.empty() || octets.size() > kMaxImage) return false;
    images_ += octets.size();
    out_ << "<figure><img alt=\"" << Line(file.name.empty() ? "image" : file.name)
         << "\" src=\"data:" << *type << ";base64," << Base64(octets) << "\"><figcaption>"
         << FileLine(object, file) << "</figcaption></figure>\n";
    return true;
  }

  std::string FileLine(const ConversationObject& object, const ConversationFile& file) const {
    auto out = Isolated(file.name.empty() ? "file without a name" : file.name);
    if (!file.description.empty() && file.description != object.subject)
      out += "<br>" + Isolated(file.description);
    out += " <small>" + Line(file.type);
    if (file.size) out += ", " + SizeText(*file.size);
    if (!file.stored) out += file.url.empty() ? ", not stored" : ", on a server: " + Isolated(file.url);
    return out + "</small>";
  }

  void Named(const ConversationObject& object, const ConversationFile& file) {
    if (file.thumbnail && !file.stored) return;  // of the file beside it
    out_ << "<div class=\"file\">&#128206; " << FileLine(object, file) << "</div>\n";
  }

  void Meta(const ConversationObject& object) {
    out_ << "<div class=\"meta\">";
    if (object.kind == "sms" || object.kind == "mms") out_ << (object.kind == "sms" ? "SMS " : "MMS ");
    if (object.IsUnread()) out_ << "<b>unread</b> ";
    out_ << ClockOf(object.time);
    const auto state = StateOf(object);
    if (object.sent && state == "read")
      out_ << " <span class=\"read\" title=\"read\">&#10003;&#10003;</span>";
    if (object.sent && state == "delivered") out_ << " <span title=\"delivered\">&#10003;&#10003;</span>";
    if (object.sent && state == "sent") out_ << " <span title=\"sent\">&#10003;</span>";
    if (object.sent && state == "failed") out_ << " <span class=\"bad\" title=\"failed\">&#10007;</span>";
    const auto receipts = ReceiptText(conversation_, object);
    if (!receipts.empty() && receipts != "sent") out_ << "<br>" << Escape(receipts);
    out_ << "</div>\n";
  }

  void Names(const char* what, const std::vector<std::string>& addresses) {
    const char* between = what;
    for (const auto& address : addresses) {
      out_ << between << Isolated(conversation_.NameOf(address));
      between = ", ";
    }
  }

  /// What is no message: the session's begin and end, a notice whose message is gone.
  void WriteNote(std::size_t index) {
    const auto& object = conversation_.objects[index];
    out_ << "<div class=\"note\" id=\"o" << index << "\">" << ClockOf(object.time) << " ";
    if (object.kind == "session-info") {
      out_ << "Session";
      if (!object.subject.empty()) out_ << " &#8220;" << Isolated(object.subject) << "&#8221;";
      out_ << " begun by " << Isolated(conversation_.SenderOf(object));
      Names("; invited: ", object.participants);
      Reply(index);
    } else if (object.kind == "group-state") {
      std::vector<std::string> members;
      for (const auto& [address, name] : object.members) members.push_back(address);
      out_ << "Session over";
      Names("; in the group: ", members);
    } else {
      out_ << "A notification about a message that is not here";
    }
    Files(object);
    if (!object.malformed.empty()) out_ << "<p class=\"bad\">Malformed: " << Line(object.malformed) << "</p>";
    out_ << "</div>\n";
  }

  const Conversation& conversation_;
  const FetchFile& fetch_;
  std::ostream& out_;
  std::vector<std::optional<std::size_t>> reply_to_;
  std::string day_;
  std::uint64_t images_ = 0;
};

}  // namespace

void WriteConversationHtml(const Conversation& conversation, const FetchFile& fetch, std::ostream& out) {
  Page(conversation, fetch, out).Write();
}

}  // namespace admin
