// The data in place of references.
#include "server/references/message_exchange.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "protocol/imap/limits.h"
#include "protocol/imap/url.h"
#include "protocol/mime/fields.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/inspect.h"
#include "protocol/model/ascii.h"
#include "server/references/external_body.h"
#include "server/references/header_fields.h"

namespace server::references {
namespace {

namespace ascii = protocol::ascii;
using protocol::mime::Encoding;
using protocol::mime::Parts;
using storage::Errc;
using storage::Fail;
using storage::Result;
using Form = PartReader::Form;
using Begun = PartReader::Begun;
using Kind = protocol::mime::PartKind;

constexpr std::uint64_t kSmallText = 64 * 1024;  ///< in memory, to see what it needs
constexpr std::uint64_t kPiece = 256 * 1024;
constexpr std::size_t kMaxHeader = 256 * 1024;  ///< that is taken apart
constexpr std::size_t kMaxLine = 998;           // RFC 5322 §2.1.1

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](auto one) { return ascii::EqualNoCase(name, one); });
}

/// Mail carries it as it is, whatever the boundaries around it.
bool IsPlainText(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (end != std::string_view::npos && !line.ends_with('\r')) return false;
    if (end != std::string_view::npos) line.remove_suffix(1);
    if (line.size() > kMaxLine || line.starts_with("--")) return false;
    if (!std::ranges::all_of(line, [](char c) { return c == '\t' || (c >= ' ' && c < '\x7f'); }))
      return false;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return true;
}

std::string Line(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : fmt::format("{}: {}\r\n", name, value);
}

/// To be told to whoever sent it: no longer than a URL may be, and in printable ASCII, whatever it was.
std::string Tellable(std::string_view url) {
  std::string out;
  for (const char c : url.substr(0, protocol::limits::kUrl)) {
    if (c > ' ' && c < '\x7f') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// Some text of which octets are replaced.
class Resolver {
 public:
  Resolver(storage::MailStore& store, ReferenceDesk& desk, const Bearer& bearer, storage::Actor actor,
           std::uint64_t limit)
      : store_(store), desk_(desk), bearer_(bearer), actor_(std::move(actor)), limit_(limit) {}

  Result<Resolved> Run(std::string_view message, bool cpim) {
    Result<MessagePlan> plan = cpim ? Cpim(message) : Entity(message);
    if (!plan) return tl::unexpected<storage::Error>(plan.error());
    out_.message = *std::move(plan);
    if (out_.message.size() > limit_) return TooBig();
    return std::move(out_);
  }

 private:
  tl::unexpected<storage::Error> TooBig() const {
    return Fail(Errc::kTooBig, fmt::format("the message would have more than {} octets", limit_));
  }

  /// CPIM's own headers, an empty line, and an entity (RFC 3862 §2).
  Result<MessagePlan> Cpim(std::string_view body) {
    within_cpim_ = true;
    const std::size_t begin = EntityBegin(body);
    MessagePlan plan;
    plan.AddText(std::string(body.substr(0, begin)));
    ASSIGN_OR_RETURN(auto inside, Entity(body.substr(begin)));
    plan.Add(std::move(inside));
    within_cpim_ = false;
    return plan;
  }

  Result<MessagePlan> Entity(std::string_view text) {
    protocol::mime::MemorySource source(text);
    const auto inspection = protocol::mime::Inspect(source);
    if (!inspection) return Fail(Errc::kUnavailable, "no memory to read the message");
    const Parts& parts = inspection->parts;
    const auto before = out_.references;
    if (IsCpim(parts[0])) {
      MessagePlan plan;
      ASSIGN_OR_RETURN(auto inside, Cpim(text.substr(parts[0].body_begin)));
      if (out_.references == before) return AsItIs(text);
      RETURN_IF_ERROR(CheckHeader(parts[0].body_begin));
      plan.AddText(HeaderAround(text.substr(0, parts[0].body_begin), parts[0].encoding, Length::kKeep));
      plan.Add(std::move(inside));
      return Relengthened(text, parts[0], std::move(plan));
    }
    MessagePlan plan;
    std::size_t at = 0;
    RETURN_IF_ERROR(Part(text, parts, 0, {}, plan, at));
    if (out_.references == before) return AsItIs(text);
    plan.AddText(std::string(text.substr(at)));
    return Relengthened(text, parts[0], std::move(plan));
  }

  static MessagePlan AsItIs(std::string_view text) {
    MessagePlan plan;
    plan.AddText(std::string(text));
    return plan;
  }

  /// Content-Length of the header, where there is one, is that of the body as it is now.
  Result<MessagePlan> Relengthened(std::string_view text, const protocol::mime::Part& root,
                                   MessagePlan plan) {
    const auto header = text.substr(0, root.body_begin);
    if (!Has(FieldsOf(header), "Content-Length")) return plan;
    std::string octets;
    if (!plan.Take(octets)) return Fail(Errc::kUnavailable, "a text that is not there");
    // The plan begins with the header.
    const std::size_t end = EntityBegin(octets);
    std::string fields;
    for (const auto& field : FieldsOf(std::string_view(octets).substr(0, end)))
      if (!ascii::EqualNoCase(field.name, "Content-Length")) AddLines(fields, field.lines);
    const std::string rest = octets.substr(end);
    MessagePlan out;
    std::uint64_t body = rest.size();
    MessagePlan tail = std::move(plan);
    body += tail.size();
    out.AddText(fmt::format("{}Content-Length: {}\r\n\r\n{}", fields, body, rest));
    out.Add(std::move(tail));
    return out;
  }

  /// Replaces what is to be replaced of parts[index] and below; the text before it, from `at` on, goes first.
  Result<> Part(std::string_view text, const Parts& parts, std::size_t index, const std::string& number,
                MessagePlan& plan, std::size_t& at) {
    const auto& part = parts[index];
    const auto header = text.substr(part.header_begin, part.body_begin - part.header_begin);
    const auto fields = protocol::mime::FindMimeFields(header);
    const std::string type = protocol::mime::Unfold(fields.type);
    // The message's own length is made anew (Relengthened). Nobody needs another's: boundaries say where a
    // part ends.
    const auto length = number.empty() ? Length::kKeep : Length::kDrop;
    // Of what holds others these go first: then it is known whether its header is still right.
    const auto before = out_.references;
    const auto beside = needs_;
    const auto put_around = [&](MessagePlan inside, std::size_t end) -> Result<> {
      RETURN_IF_ERROR(CheckHeader(header.size()));
      plan.AddText(std::string(text.substr(at, part.header_begin - at)));
      plan.AddText(HeaderAround(header, part.encoding, length));
      plan.Add(std::move(inside));
      at = end;
      return {};
    };
    if (part.kind == Kind::kMultipart) {
      const auto value = protocol::mime::ParseStructuredValue(type);
      const auto* boundary = value.Find("boundary");
      // A line of it may end in blanks (RFC 2046 §5.1.1), and so may what is said to be it (inspect.cc).
      const std::string_view name = boundary == nullptr ? std::string_view() : *boundary;
      boundaries_.emplace_back(name.substr(0, name.find_last_not_of(" \t") + 1));
      needs_ = Encoding::k7Bit;
      MessagePlan inside;
      std::size_t inside_at = part.body_begin;
      int n = 0;
      for (std::size_t child = index + 1; child < index + part.subtree; child += parts[child].subtree) {
        const std::string below = fmt::format("{}{}{}", number, number.empty() ? "" : ".", ++n);
        RETURN_IF_ERROR(Part(text, parts, child, below, inside, inside_at));
      }
      boundaries_.pop_back();
      if (out_.references != before) RETURN_IF_ERROR(put_around(std::move(inside), inside_at));
      needs_ = std::max(needs_, beside);
      return {};
    }
    if (part.kind != Kind::kLeaf) return {};
    if (IsCpim(part)) {
      const auto body = text.substr(part.body_begin, part.body_end - part.body_begin);
      if (!MayRefer(body)) return {};
      needs_ = Encoding::k7Bit;
      ASSIGN_OR_RETURN(auto inside, Cpim(body));
      if (out_.references != before) RETURN_IF_ERROR(put_around(std::move(inside), part.body_end));
      needs_ = std::max(needs_, beside);
      return {};
    }
    const auto url = ExternalUrl(type);
    if (!url || !desk_.IsOurs(*url)) return {};
    if (++out_.references > kMaxReferencesInMessage)
      return Fail(Errc::kInvalidArgument,
                  fmt::format("The message has more than {} references", kMaxReferencesInMessage));
    auto phantom = text.substr(part.body_begin, part.body_end - part.body_begin);
    phantom = phantom.substr(0, EntityBegin(phantom));
    RETURN_IF_ERROR(CheckHeader(header.size() + phantom.size()));
    plan.AddText(std::string(text.substr(at, part.header_begin - at)));
    at = part.body_end;
    ASSIGN_OR_RETURN(const std::string fault, Insert(*url, header, length, phantom, plan));
    auto& found = fault.empty() ? out_.used_by : out_.not_resolved;
    found.push_back({number.empty() ? "1" : number, Tellable(*url), fault});
    // The line end before a boundary is the boundary's (RFC 2046 §5.1.1), but of a part without a body it was
    // the header's.
    const auto next = text.substr(at);
    if (!next.empty() && !next.starts_with('\n') && !next.starts_with("\r\n")) plan.AddText("\r\n");
    return {};
  }

  static Result<> CheckHeader(std::size_t octets) {
    if (octets <= kMaxHeader) return {};
    return Fail(
        Errc::kTooBig,
        fmt::format("a header of a reference, or of what it is within, has more than {} octets", kMaxHeader));
  }

  /// One within another is left alone: whoever sends them says how deep they are.
  bool IsCpim(const protocol::mime::Part& part) const {
    return !within_cpim_ && part.media == protocol::mime::Media::kCpim &&
           part.encoding <= protocol::mime::Encoding::kBinary;
  }

  static bool MayRefer(std::string_view text) {
    return ascii::Lower(text).find("external-body") != std::string::npos;
  }

  enum class Length : bool { kKeep, kDrop };

  /// The header of what data have come into. RFC 2045 §6.4: it has no lower encoding than what it holds.
  std::string HeaderAround(std::string_view header, Encoding declared, Length length) const {
    const auto fields = FieldsOf(header);
    const bool drop = length == Length::kDrop && Has(fields, "Content-Length");
    // What is declared above these is for no multipart, and says nothing.
    const bool raise = needs_ != Encoding::k7Bit && (needs_ > declared || declared > Encoding::kBinary);
    if (!drop && !raise) return std::string(header);
    std::string out;
    for (const auto& field : fields) {
      if (drop && ascii::EqualNoCase(field.name, "Content-Length")) continue;
      if (!raise || !ascii::EqualNoCase(field.name, "Content-Transfer-Encoding")) AddLines(out, field.lines);
    }
    if (raise) out += Line("Content-Transfer-Encoding", NameOf(needs_));
    return out + "\r\n";
  }

  static std::string_view NameOf(Encoding encoding) {
    if (encoding == Encoding::k7Bit) return "7bit";
    return encoding == Encoding::k8Bit ? "8bit" : "binary";
  }

  /// The data, with a header; a fault in words, or empty.
  Result<std::string> Insert(const std::string& url, std::string_view header, Length length,
                             std::string_view phantom, MessagePlan& plan) {
    static const std::string kNone = "there is nothing to be had by it";
    ASSIGN_OR_RETURN(auto named, desk_.Look(url, bearer_));
    if (!named) return kNone;
    // Another's data that a PF or submission has is no access of that owner (storage/store/deferred.h).
    const bool network = (bearer_.role == storage::Role::kPf && named->owner != bearer_.account) ||
                         (bearer_.sender && named->owner != *bearer_.sender);
    const auto reader = network ? storage::Actor(actor_.origin, storage::Role::kPf) : actor_;
    auto& seen = cpims_[{named->part.folder, named->part.uid, protocol::WriteSection(named->part.section)}];
    ASSIGN_OR_RETURN(auto part, PartReader::Open(store_, named->part, seen));
    if (!part) return kNone;
    if (part->deferred()) named->accessed_by = reader;
    if (const auto& cpim = part->looked_into(); cpim && cpim != seen) {
      const std::uint64_t read = cpim->entity.offset + cpim->entity.length - cpim->cpim_begin;
      if (read > may_decode_) return TooBig();
      may_decode_ -= read;
      seen = cpim;
    }
    const ContentHead head = HeadOf(*part, named->part.section);
    if (part->ToDecode() > may_decode_) return TooBig();
    may_decode_ -= part->ToDecode();
    ASSIGN_OR_RETURN(const bool open, IsOpen(part->Begin(Form::kDecoded)));
    if (!open) return kNone;
    if (part->size() > limit_ - inserted_) return TooBig();

    const bool composite =
        head.media_type.starts_with("message/") || head.media_type.starts_with("multipart/");
    std::string encoding = "base64";
    std::string small;
    if (composite) {
      // RFC 2046 §5.1, §5.2: these are not to be encoded.
      if (part->size() > may_decode_) return TooBig();
      may_decode_ -= part->size();
      ASSIGN_OR_RETURN(const auto needed, EncodingOf(*part));
      if (!needed) return std::string("its octets hold a boundary of the message");
      needs_ = std::max(needs_, *needed);
      encoding = NameOf(*needed);
      RETURN_IF_ERROR(IsOpen(part->Begin(Form::kDecoded)));
    } else if (head.media_type.starts_with("text/") && part->size() <= kSmallText) {
      if (!part->Take(small, kSmallText)) return Fail(Errc::kUnavailable, "a message cannot be read");
      if (IsPlainText(small)) encoding = "7bit";
    }
    inserted_ += part->size();
    plan.AddText(NewHeader(header, length, phantom, head, encoding));
    if (encoding == "7bit" && !composite) {
      plan.AddText(std::move(small));
    } else {
      if (!small.empty()) RETURN_IF_ERROR(IsOpen(part->Begin(Form::kDecoded)));
      plan.AddPart(std::move(part), encoding == "base64");
    }
    out_.used.push_back(*std::move(named));
    return std::string();
  }

  /// What has begun stands in this encoding; nullopt: it must not stand within our boundaries.
  Result<std::optional<Encoding>> EncodingOf(PartReader& part) {
    bool eight = false;
    bool nul = false;
    std::string window = "\n";
    while (part.left() > 0) {
      const std::size_t begin = window.size();
      if (!part.Take(window, kPiece)) return Fail(Errc::kUnavailable, "a message cannot be read");
      const std::string_view fresh = std::string_view(window).substr(begin);
      eight = eight || std::ranges::any_of(fresh, [](char c) { return (c & 0x80) != 0; });
      nul = nul || fresh.find('\0') != std::string_view::npos;
      if (HoldsBoundary(window)) return std::optional<Encoding>();
      constexpr std::size_t kLongest = 1024;  // more than any boundary (inspect.cc)
      if (window.size() > kLongest) window.erase(0, window.size() - kLongest);
    }
    return std::optional(nul ? Encoding::kBinary : eight ? Encoding::k8Bit : Encoding::k7Bit);
  }

  bool HoldsBoundary(std::string_view window) const {
    static constexpr std::string_view kDelimiter = "\n--";
    for (auto at = window.find(kDelimiter); at != std::string_view::npos;
         at = window.find(kDelimiter, at + 1)) {
      const auto line = window.substr(at + kDelimiter.size());
      const auto is_it = [&](const std::string& name) { return !name.empty() && line.starts_with(name); };
      if (std::ranges::any_of(boundaries_, is_it)) return true;
    }
    return false;
  }

  /// RFC 2046 §5.2.3: the header within the external body is that of the data; what the data is the store
  /// knows better.
  static std::string NewHeader(std::string_view header, Length length, std::string_view phantom,
                               const ContentHead& head, std::string_view encoding) {
    auto about = FieldsOf(phantom);
    // A continuation of what is above the header would be one of what is put there now.
    std::erase_if(about, [](const HeaderField& field) { return field.lines.find_first_of(" \t") == 0; });
    std::set<std::string> said;
    for (const auto& field : about) said.insert(ascii::Lower(field.name));
    std::string out;
    for (const auto& field : FieldsOf(header)) {
      const auto name = ascii::Lower(field.name);
      if (IsOneOf(name, {"Content-Type", "Content-Transfer-Encoding"})) continue;
      if (name.starts_with("content-") && said.contains(name)) continue;
      if (length == Length::kDrop && name == "content-length") continue;
      AddLines(out, field.lines);
    }
    out += Line("Content-Type", head.type);
    out += Line("Content-Transfer-Encoding", encoding);
    for (const auto& field : about) {
      if (!ascii::Lower(field.name).starts_with("content-")) continue;
      if (IsOneOf(field.name, {"Content-Type", "Content-Transfer-Encoding", "Content-Length"})) continue;
      AddLines(out, field.lines);
    }
    const auto kept = FieldsOf(header);
    const auto add = [&](std::string_view name, std::string_view value) {
      if (!Has(about, name) && !Has(kept, name)) out += Line(name, value);
    };
    add("Content-ID", head.id);
    add("Content-Description", head.description);
    add("Content-Disposition", head.disposition);
    return out + "\r\n";
  }

  storage::MailStore& store_;
  ReferenceDesk& desk_;
  const Bearer& bearer_;
  const storage::Actor actor_;
  const std::uint64_t limit_;
  /// Encoded octets, which may be more than what they say, those of the CPIMs that are looked into, and those
  /// that are searched for boundaries; else a hundred references to one part of a gigabyte are a hundred
  /// gigabytes.
  std::uint64_t may_decode_ = 4 * limit_;
  std::uint64_t inserted_ = 0;        ///< octets of data
  Encoding needs_ = Encoding::k7Bit;  ///< of data that stand as they are, beside each other where we are
  Resolved out_;
  std::vector<std::string> boundaries_;  ///< of the multiparts around where we are
  /// That references led into, each looked into once: by folder, UID and section.
  std::map<std::tuple<storage::FolderRef, storage::Uid, std::string>, CpimInsidePtr> cpims_;
  bool within_cpim_ = false;
};

}  // namespace

Result<Resolved> Resolve(storage::MailStore& store, ReferenceDesk& desk, std::string_view message, bool cpim,
                         const Bearer& bearer, storage::Actor actor, std::uint64_t limit) {
  Resolver resolver(store, desk, bearer, std::move(actor), limit);
  return resolver.Run(message, cpim);
}

}  // namespace server::references
