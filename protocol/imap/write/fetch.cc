#include "protocol/imap/write/fetch.h"

#include "protocol/imap/object_id.h"
#include "protocol/imap/write/flags.h"
#include "protocol/imap/write/string.h"

namespace protocol::write {
namespace {

std::string_view Word(FetchItem::Kind kind) {
  switch (kind) {
    case FetchItem::Kind::kUid: return "UID";
    case FetchItem::Kind::kFlags: return "FLAGS";
    case FetchItem::Kind::kInternalDate: return "INTERNALDATE";
    case FetchItem::Kind::kRfc822Size: return "RFC822.SIZE";
    case FetchItem::Kind::kEnvelope: return "ENVELOPE";
    case FetchItem::Kind::kBody: return "BODY";
    case FetchItem::Kind::kBodyStructure: return "BODYSTRUCTURE";
    case FetchItem::Kind::kRfc822: return "RFC822";
    case FetchItem::Kind::kRfc822Header: return "RFC822.HEADER";
    case FetchItem::Kind::kRfc822Text: return "RFC822.TEXT";
    case FetchItem::Kind::kSection: return "BODY";
    case FetchItem::Kind::kBinary: return "BINARY";
    case FetchItem::Kind::kBinarySize: return "BINARY.SIZE";
    case FetchItem::Kind::kEmailId: return "EMAILID";
    case FetchItem::Kind::kThreadId: return "THREADID";
    case FetchItem::Kind::kSaveDate: return "SAVEDATE";
    case FetchItem::Kind::kModSeq: return "MODSEQ";
    case FetchItem::Kind::kPreview: return "PREVIEW";
  }
  return "";
}

std::string_view Word(Section::Kind kind) {
  switch (kind) {
    case Section::Kind::kAll: return "";
    case Section::Kind::kHeader: return "HEADER";
    case Section::Kind::kHeaderFields: return "HEADER.FIELDS";
    case Section::Kind::kHeaderFieldsNot: return "HEADER.FIELDS.NOT";
    case Section::Kind::kText: return "TEXT";
    case Section::Kind::kMime: return "MIME";
  }
  return "";
}

void WriteSection(std::string& out, const Section& section) {
  out += '[';
  for (std::size_t i = 0; i < section.part.size(); ++i) {
    if (i > 0) out += '.';
    Number(out, section.part[i]);
  }
  if (!section.part.empty() && section.kind != Section::Kind::kAll) out += '.';
  out += Word(section.kind);
  for (std::size_t i = 0; i < section.fields.size(); ++i) {
    out += i == 0 ? " (" : " ";
    AString(out, section.fields[i]);
  }
  if (!section.fields.empty()) out += ')';
  out += ']';
}

void QuotedDate(std::string& out, const InternalDate& date) {
  out += '"';
  out += FormatDateTime(date);
  out += '"';
}

}  // namespace

void FetchItemName(std::string& out, const FetchItem& item) {
  out += Word(item.kind);
  switch (item.kind) {
    case FetchItem::Kind::kSection:
    case FetchItem::Kind::kBinary:
      WriteSection(out, item.section);
      if (!item.partial) return;
      out += '<';
      Number(out, item.partial->offset);
      out += '>';
      return;
    case FetchItem::Kind::kBinarySize: WriteSection(out, item.section); return;
    case FetchItem::Kind::kUid:
    case FetchItem::Kind::kFlags:
    case FetchItem::Kind::kInternalDate:
    case FetchItem::Kind::kRfc822Size:
    case FetchItem::Kind::kEnvelope:
    case FetchItem::Kind::kBody:
    case FetchItem::Kind::kBodyStructure:
    case FetchItem::Kind::kRfc822:
    case FetchItem::Kind::kRfc822Header:
    case FetchItem::Kind::kRfc822Text:
    case FetchItem::Kind::kEmailId:
    case FetchItem::Kind::kThreadId:
    case FetchItem::Kind::kSaveDate:
    case FetchItem::Kind::kModSeq:
    case FetchItem::Kind::kPreview: return;
  }
}

FetchResponse::FetchResponse(std::string& out, SeqNum number) : out_(out) {
  out_ += "* ";
  Number(out_, number.value);
  out_ += " FETCH (";
}

FetchResponse::FetchResponse(std::string& out, protocol::Uid uid) : out_(out) {
  out_ += "* ";
  Number(out_, uid.value);
  out_ += " UIDFETCH (";
}

/// `name` ends with the space that separates it from its value.
void FetchResponse::Name(std::string_view name) {
  if (!first_) out_ += ' ';
  first_ = false;
  out_ += name;
}

void FetchResponse::Uid(protocol::Uid uid) {
  Name("UID ");
  Number(out_, uid.value);
}

void FetchResponse::Flags(std::uint32_t system_bits, std::uint64_t keyword_bits,
                          std::span<const std::string> keyword_table, bool recent) {
  Name("FLAGS ");
  FlagList(out_, system_bits, keyword_bits, keyword_table, recent);
}

void FetchResponse::Flags(const FlagSet& flags, bool recent) {
  Name("FLAGS ");
  FlagList(out_, flags, recent);
}

void FetchResponse::InternalDate(const protocol::InternalDate& date) {
  Name("INTERNALDATE ");
  QuotedDate(out_, date);
}

void FetchResponse::Rfc822Size(std::uint64_t octets) {
  Name("RFC822.SIZE ");
  Number(out_, octets);
}

void FetchResponse::EmailId(ObjectId object) {
  Name("EMAILID (");
  AppendEmailId(out_, object);
  out_ += ')';
}

void FetchResponse::ThreadId(std::optional<std::string_view> id) {
  Name(id ? "THREADID (" : "THREADID NIL");
  if (!id) return;
  out_ += *id;
  out_ += ')';
}

void FetchResponse::SaveDate(const std::optional<protocol::InternalDate>& date) {
  Name(date ? "SAVEDATE " : "SAVEDATE NIL");
  if (date) QuotedDate(out_, *date);
}

void FetchResponse::ModSeq(protocol::ModSeq modseq) {
  Name("MODSEQ (");
  Number(out_, modseq.value);
  out_ += ')';
}

void FetchResponse::Preview(std::optional<std::string_view> utf8) {
  Name("PREVIEW ");
  NString(out_, utf8);
}

void FetchResponse::Structure(FetchItem::Kind kind, std::string_view value) {
  Name(Word(kind));
  out_ += ' ';
  out_ += value;
}

void FetchResponse::LiteralHeader(const FetchItem& item, std::uint64_t size) {
  Name({});
  FetchItemName(out_, item);
  out_ += ' ';
  write::LiteralHeader(out_, size);
}

void FetchResponse::Literal8Header(const FetchItem& item, std::uint64_t size) {
  Name({});
  FetchItemName(out_, item);
  out_ += ' ';
  write::Literal8Header(out_, size);
}

void FetchResponse::Literal(const FetchItem& item, std::string_view octets) {
  LiteralHeader(item, octets.size());
  out_ += octets;
}

void FetchResponse::Nil(const FetchItem& item) {
  Name({});
  FetchItemName(out_, item);
  out_ += " NIL";
}

void FetchResponse::BinarySize(const FetchItem& item, std::uint64_t size) {
  Name({});
  FetchItemName(out_, item);
  out_ += ' ';
  Number(out_, size);
}

void FetchResponse::End() { out_ += ")\r\n"; }

}  // namespace protocol::write
