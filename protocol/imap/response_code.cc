#include "protocol/imap/response_code.h"

#include "protocol/imap/command/notify.h"
#include "protocol/imap/object_id.h"
#include "protocol/imap/write/flags.h"
#include "protocol/imap/write/search.h"
#include "protocol/imap/write/string.h"

namespace protocol {
namespace {

void WriteValue(std::string& out, ResponseCode::Plain code) { out += Name(code); }

void WriteValue(std::string& out, const ResponseCode::BadCharset& code) {
  out += "BADCHARSET";
  for (std::size_t i = 0; i < code.charsets.size(); ++i) {
    out += i == 0 ? " (" : " ";
    write::AString(out, code.charsets[i]);
  }
  if (!code.charsets.empty()) out += ')';
}

void WriteValue(std::string& out, const ResponseCode::Capability& code) {
  out += "CAPABILITY ";
  out += code.words;
}

void WriteValue(std::string& out, const ResponseCode::PermanentFlags& code) {
  out += "PERMANENTFLAGS ";
  write::FlagList(out, code.flags);
  if (!code.new_keywords) return;
  out.pop_back();
  out += out.back() == '(' ? "\\*)" : " \\*)";
}

void WriteValue(std::string& out, const ResponseCode::UidNext& code) {
  out += "UIDNEXT ";
  write::Number(out, code.uid.value);
}

void WriteValue(std::string& out, const ResponseCode::UidValidity& code) {
  out += "UIDVALIDITY ";
  write::Number(out, code.value.value);
}

void WriteValue(std::string& out, const ResponseCode::Unseen& code) {
  out += "UNSEEN ";
  write::Number(out, code.first.value);
}

void WriteValue(std::string& out, const ResponseCode::AppendUid& code) {
  out += "APPENDUID ";
  write::Number(out, code.validity.value);
  out += ' ';
  out += code.uids.ToString();
}

void WriteValue(std::string& out, const ResponseCode::CopyUid& code) {
  out += "COPYUID ";
  write::Number(out, code.validity.value);
  out += ' ';
  out += code.from.ToString();
  out += ' ';
  out += code.to.ToString();
}

void WriteValue(std::string& out, const ResponseCode::MailboxId& code) {
  out += "MAILBOXID (";
  AppendMailboxId(out, code.folder);
  out += ')';
}

void WriteValue(std::string& out, const ResponseCode::MetadataLongEntries& code) {
  out += "METADATA LONGENTRIES ";
  write::Number(out, code.octets);
}

void WriteValue(std::string& out, const ResponseCode::MetadataMaxSize& code) {
  out += "METADATA MAXSIZE ";
  write::Number(out, code.octets);
}

void WriteValue(std::string& out, const ResponseCode::HighestModSeq& code) {
  out += "HIGHESTMODSEQ ";
  write::Number(out, code.modseq.value);
}

void WriteValue(std::string& out, const ResponseCode::Modified& code) {
  out += "MODIFIED ";
  write::Ranges(out, code.messages);
}

// resp-text-code =/ "INPROGRESS" [SP "(" inprogress-tag SP inprogress-state ")"]
// A tag may hold "]", which would end the code for a client that does not read strings here: then it is NIL.
void WriteValue(std::string& out, const ResponseCode::InProgress& code) {
  out += "INPROGRESS (";
  if (code.tag.find(']') == std::string::npos) {
    write::String(out, code.tag);
  } else {
    out += "NIL";
  }
  out += ' ';
  write::Number(out, code.done);
  out += ' ';
  if (code.goal > 0) {
    write::Number(out, code.goal);
  } else {
    out += "NIL";
  }
  out += ')';
}

void WriteValue(std::string& out, const ResponseCode::BadEvent&) {
  out += "BADEVENT";
  for (std::size_t i = 0; i < kNotifyEventNames.size(); ++i) {
    out += i == 0 ? " (" : " ";
    out += kNotifyEventNames[i];
  }
  out += ')';
}

void WriteValue(std::string& out, const ResponseCode::NoUpdate& code) {
  out += "NOUPDATE ";
  write::String(out, code.tag);
}

// badurl-response-code = "BADURL" SP url-resp-text
// url-resp-text        = 1*<any TEXT-CHAR except "]">                ; what is none of these is written as
// "?"
void WriteValue(std::string& out, const ResponseCode::BadUrl& code) {
  out += "BADURL ";
  const auto plain = [](char c) { return c > ' ' && c < '\x7f' && c != ']'; };
  for (const char c : code.url) out += plain(c) ? c : '?';
  if (code.url.empty()) out += '?';
}

}  // namespace

std::string_view Name(ResponseCode::Plain code) {
  switch (code) {
    case ResponseCode::kNone: return "";
    case ResponseCode::kAlert: return "ALERT";
    case ResponseCode::kParse: return "PARSE";
    case ResponseCode::kReadOnly: return "READ-ONLY";
    case ResponseCode::kReadWrite: return "READ-WRITE";
    case ResponseCode::kTryCreate: return "TRYCREATE";
    case ResponseCode::kUnavailable: return "UNAVAILABLE";
    case ResponseCode::kAuthenticationFailed: return "AUTHENTICATIONFAILED";
    case ResponseCode::kAuthorizationFailed: return "AUTHORIZATIONFAILED";
    case ResponseCode::kExpired: return "EXPIRED";
    case ResponseCode::kPrivacyRequired: return "PRIVACYREQUIRED";
    case ResponseCode::kContactAdmin: return "CONTACTADMIN";
    case ResponseCode::kNoPerm: return "NOPERM";
    case ResponseCode::kInUse: return "INUSE";
    case ResponseCode::kExpungeIssued: return "EXPUNGEISSUED";
    case ResponseCode::kCorruption: return "CORRUPTION";
    case ResponseCode::kServerBug: return "SERVERBUG";
    case ResponseCode::kClientBug: return "CLIENTBUG";
    case ResponseCode::kCannot: return "CANNOT";
    case ResponseCode::kLimit: return "LIMIT";
    case ResponseCode::kOverQuota: return "OVERQUOTA";
    case ResponseCode::kAlreadyExists: return "ALREADYEXISTS";
    case ResponseCode::kNonExistent: return "NONEXISTENT";
    case ResponseCode::kUidNotSticky: return "UIDNOTSTICKY";
    case ResponseCode::kUnknownCte: return "UNKNOWN-CTE";
    case ResponseCode::kClosed: return "CLOSED";
    case ResponseCode::kNotSaved: return "NOTSAVED";
    case ResponseCode::kTooBig: return "TOOBIG";
    case ResponseCode::kUseAttr: return "USEATTR";
    case ResponseCode::kHasChildren: return "HASCHILDREN";
    case ResponseCode::kMetadataTooMany: return "METADATA TOOMANY";
    case ResponseCode::kMetadataNoPrivate: return "METADATA NOPRIVATE";
    case ResponseCode::kUidRequired: return "UIDREQUIRED";
    case ResponseCode::kNotificationOverflow: return "NOTIFICATIONOVERFLOW";
    case ResponseCode::kUrlMech: return "URLMECH INTERNAL";
  }
  return "";
}

void Write(std::string& out, const ResponseCode& code) {
  if (code == ResponseCode(ResponseCode::kNone)) return;
  out += '[';
  std::visit([&](const auto& value) { WriteValue(out, value); }, code.value);
  out += "] ";
}

}  // namespace protocol
