#include "protocol/imap/capability.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "protocol/imap/write/string.h"
#include "protocol/model/ascii.h"

namespace protocol {
namespace {

using Shown = bool (*)(const CapabilityContext&);

bool Always(const CapabilityContext&) { return true; }
bool LoggedIn(const CapabilityContext& c) { return c.authenticated; }
bool MayStartTls(const CapabilityContext& c) { return !c.authenticated && !c.tls && c.starttls_available; }
bool MayNotLogin(const CapabilityContext& c) { return !c.authenticated && !LoginAllowed(c); }
bool MayLogin(const CapabilityContext& c) { return !c.authenticated && LoginAllowed(c); }
bool MayScram(const CapabilityContext& c) {
  return c.scram && (MayLogin(c) || (!c.authenticated && c.scram_without_tls));
}
bool MayScramSha1(const CapabilityContext& c) { return c.scram_sha1 && MayScram(c); }
bool MayBind(const CapabilityContext& c) { return c.channel_binding && MayScram(c); }
bool MayBindSha1(const CapabilityContext& c) { return c.scram_sha1 && MayBind(c); }
bool MayOauth(const CapabilityContext& c) { return c.oauth && MayLogin(c); }
bool MaySetQuota(const CapabilityContext& c) { return c.quota_set && c.authenticated; }
bool MayExternal(const CapabilityContext& c) { return c.external && !c.authenticated; }

struct Row {
  std::string_view name;
  Shown shown;
};

/// Only what works. APPENDLIMIT carries a value and is written by itself, after these.
constexpr std::array kCapabilities{
    Row{"IMAP4rev1", Always},                       // RFC 3501
    Row{"LITERAL+", Always},                        // RFC 7888
    Row{"SASL-IR", Always},                         // RFC 4959
    Row{"ID", Always},                              // RFC 2971
    Row{"ENABLE", Always},                          // RFC 5161
    Row{"STARTTLS", MayStartTls},                   // RFC 3501 §6.2.1
    Row{"LOGINDISABLED", MayNotLogin},              // RFC 3501 §6.2.3
    Row{"AUTH=EXTERNAL", MayExternal},              // RFC 4422 appendix A
    Row{"AUTH=SCRAM-SHA-256-PLUS", MayBind},        // RFC 7677
    Row{"AUTH=SCRAM-SHA-256", MayScram},            // RFC 7677
    Row{"AUTH=SCRAM-SHA-1-PLUS", MayBindSha1},      // RFC 5802
    Row{"AUTH=SCRAM-SHA-1", MayScramSha1},          // RFC 5802
    Row{"AUTH=OAUTHBEARER", MayOauth},              // RFC 7628
    Row{"AUTH=PLAIN", MayLogin},                    // RFC 4616
    Row{"AUTH=LOGIN", MayLogin},                    // no RFC; Outlook and curl know it
    Row{"IDLE", LoggedIn},                          // RFC 2177
    Row{"NAMESPACE", LoggedIn},                     // RFC 2342
    Row{"UIDPLUS", LoggedIn},                       // RFC 4315
    Row{"UNSELECT", LoggedIn},                      // RFC 3691
    Row{"CHILDREN", LoggedIn},                      // RFC 3348
    Row{"LIST-EXTENDED", LoggedIn},                 // RFC 5258
    Row{"LIST-STATUS", LoggedIn},                   // RFC 5819
    Row{"LIST-METADATA", LoggedIn},                 // RFC 9590
    Row{"MOVE", LoggedIn},                          // RFC 6851
    Row{"SPECIAL-USE", LoggedIn},                   // RFC 6154
    Row{"CREATE-SPECIAL-USE", LoggedIn},            // RFC 6154
    Row{"MULTIAPPEND", LoggedIn},                   // RFC 3502
    Row{"REPLACE", LoggedIn},                       // RFC 8508
    Row{"BINARY", LoggedIn},                        // RFC 3516
    Row{"ESEARCH", LoggedIn},                       // RFC 4731
    Row{"SEARCHRES", LoggedIn},                     // RFC 5182
    Row{"PARTIAL", LoggedIn},                       // RFC 9394
    Row{"WITHIN", LoggedIn},                        // RFC 5032
    Row{"CONDSTORE", LoggedIn},                     // RFC 7162
    Row{"QRESYNC", LoggedIn},                       // RFC 7162
    Row{"UIDONLY", LoggedIn},                       // RFC 9586
    Row{"SORT", LoggedIn},                          // RFC 5256
    Row{"SORT=DISPLAY", LoggedIn},                  // RFC 5957
    Row{"ESORT", LoggedIn},                         // RFC 5267 §3
    Row{"CONTEXT=SEARCH", LoggedIn},                // RFC 5267
    Row{"CONTEXT=SORT", LoggedIn},                  // RFC 5267
    Row{"THREAD=ORDEREDSUBJECT", LoggedIn},         // RFC 5256
    Row{"THREAD=REFERENCES", LoggedIn},             // RFC 5256
    Row{"THREAD=X-CPM-CONTRIBUTION", LoggedIn},     // CPM; server/imap/sort
    Row{"CATENATE", LoggedIn},                      // RFC 4469
    Row{"INPROGRESS", LoggedIn},                    // RFC 9585
    Row{"COMPRESS=DEFLATE", LoggedIn},              // RFC 4978
    Row{"METADATA", LoggedIn},                      // RFC 5464
    Row{"NOTIFY", LoggedIn},                        // RFC 5465
    Row{"ACL", LoggedIn},                           // RFC 4314
    Row{"RIGHTS=texkn", LoggedIn},                  // RFC 4314 §2.2; n: RFC 5257 §3.4
    Row{"LIST-MYRIGHTS", LoggedIn},                 // RFC 8440
    Row{"QUOTA", LoggedIn},                         // RFC 9208
    Row{"QUOTA=RES-STORAGE", LoggedIn},             // RFC 9208 §5.1
    Row{"QUOTA=RES-MESSAGE", LoggedIn},             // RFC 9208 §5.2
    Row{"QUOTA=RES-MAILBOX", LoggedIn},             // RFC 9208 §5.3
    Row{"QUOTA=RES-ANNOTATION-STORAGE", LoggedIn},  // RFC 9208 §5.4
    Row{"QUOTASET", MaySetQuota},                   // RFC 9208 §4.1.3
    Row{"URLAUTH", LoggedIn},                       // RFC 4467
    Row{"URLAUTH=BINARY", LoggedIn},                // RFC 5524
    Row{"URL-PARTIAL", LoggedIn},                   // RFC 5550: PARTIAL in URLs
    Row{"STATUS=SIZE", LoggedIn},                   // RFC 8438
    Row{"OBJECTID", LoggedIn},                      // RFC 8474
    Row{"SAVEDATE", LoggedIn},                      // RFC 8514
    Row{"UNAUTHENTICATE", LoggedIn},                // RFC 8437
    Row{"PREVIEW", LoggedIn},                       // RFC 8970
};

}  // namespace

std::string CapabilityWords(const CapabilityContext& context) {
  std::string out;
  for (const Row& row : kCapabilities) {
    if (!row.shown(context)) continue;
    if (!out.empty()) out += ' ';
    out += row.name;
  }
  if (context.authenticated && context.append_limit > 0) {  // RFC 7889 §2
    out += " APPENDLIMIT=";
    write::Number(out, context.append_limit);
  }
  return out;
}

bool Offers(const CapabilityContext& context, std::string_view mechanism) {
  constexpr std::string_view kAuth = "AUTH=";
  return std::ranges::any_of(kCapabilities, [&](const Row& row) {
    return row.name.starts_with(kAuth) && ascii::EqualNoCase(row.name.substr(kAuth.size()), mechanism) &&
           row.shown(context);
  });
}

}  // namespace protocol
