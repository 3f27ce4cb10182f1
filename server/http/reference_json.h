#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/object.hpp>

#include "server/http/call.h"
#include "server/http/services.h"
#include "server/references/desk.h"

namespace server::http {

/// For whom, for how long.
struct ReferenceTerms {
  storage::ReferenceAudience kind = storage::ReferenceAudience::kSubmit;
  std::string audience;
  bool one_time = false;
  std::optional<std::int64_t> expires;
  bool hash = false;
  bool web = false;
};

/// For a part of a message, by these terms.
references::Wish WishFor(const references::Place& place, references::Attachment part,
                         const ReferenceTerms& terms);

/// One entry of "references": a message, and which parts of it.
struct ReferenceRequest {
  references::ObjectName object;
  std::string part;          ///< as BODY[] has it; empty: the message
  bool attachments = false;  ///< all of them, in place of `part`
  std::optional<protocol::UrlPartial> partial;
  ReferenceTerms terms;
};

struct ReferencesRequest {
  std::string account;  ///< as typed; empty: the caller's own
  std::vector<ReferenceRequest> references;
};

/// The body of POST /v1/references. Safe on any JSON.
std::variant<ReferencesRequest, Refusal> ReadReferences(const boost::json::object& json);

/// "submit", "anyone", or an address. False: it is none.
bool ReadAudience(std::string_view text, ReferenceTerms& terms);
/// RFC 3339, or seconds since 1970, which must be later than that.
std::optional<std::int64_t> ReadExpires(std::string_view text);

/// Issues what is asked for, and says what was issued. Blocks.
storage::Result<boost::json::array> IssueAll(Services& services, const storage::AccountInfo& owner,
                                             storage::AccountId issuer, const ReferencesRequest& request);

/// What is on record. Blocks.
storage::Result<boost::json::object> ToJson(storage::MailStore& store, references::ReferenceDesk& desk,
                                            const storage::Reference& record);
/// With the URLs, as its issuer gets it. Blocks.
storage::Result<boost::json::object> ToJson(storage::MailStore& store, references::ReferenceDesk& desk,
                                            const references::Issued& issued);

/// Answers with a page, by "?after=" and "?limit=", of an account's references whose message is there; of
/// `issuer` only, if given.
asio::awaitable<void> SendReferencePage(Call& call, Services& services, storage::AccountId owner,
                                        std::optional<storage::AccountId> issuer);

/// With the settings and the clock of this service.
/// "{token}" of the call's path, as it was issued: empty, which names nothing, if it is spelled otherwise,
/// percent-encoded or with a slash behind it.
std::string TokenOf(const Call& call);

references::ReferenceDesk DeskOf(Services& services);

}  // namespace server::http
