#include "server/http/reference_json.h"

#include <charconv>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "protocol/imap/object_id.h"
#include "protocol/imap/url.h"
#include "protocol/model/mailbox_name.h"
#include "protocol/model/timestamp.h"
#include "server/http/json_fields.h"

namespace server::http {
namespace {

using storage::Errc;
using storage::Fail;
using storage::Result;

constexpr std::uint64_t kMaxUid = 0xffffffffULL;
constexpr std::uint64_t kMaxPage = 1000;

void ReadTerms(Fields& in, ReferenceTerms& terms) {
  std::string audience;
  in.Text("audience", audience);
  if (!audience.empty() && !ReadAudience(audience, terms))
    in.Wrong("audience", "must be \"submit\", \"anyone\", or a tel: or sip: address");
  in.Bool("one_time", terms.one_time);
  in.Bool("hash", terms.hash);
  std::string url;
  in.Text("url", url);
  if (!url.empty() && url != "imap" && url != "https") in.Wrong("url", "must be \"imap\" or \"https\"");
  if (!url.empty()) terms.web = url == "https";
  const auto* expires = in.Take("expires");
  if (expires == nullptr) return;
  if (expires->is_string()) terms.expires = ReadExpires(expires->get_string());
  if (expires->is_int64() && expires->get_int64() > 0) terms.expires = expires->get_int64();
  if (!terms.expires) in.Wrong("expires", "must be a time as RFC 3339 has it, or seconds since 1970");
}

void ReadObject(Fields& in, references::ObjectName& object) {
  std::string folder;
  std::string object_id;
  std::string imdn;
  std::uint64_t uid = 0;
  std::uint64_t uid_validity = 0;
  in.Text("folder", folder);
  in.Number("uid", uid);
  in.Number("uidvalidity", uid_validity);
  in.Text("object_id", object_id);
  in.Text("imdn_message_id", imdn);
  if (!folder.empty()) object.folder = protocol::CanonicalMailboxName(folder);
  if (uid > kMaxUid) in.Wrong("uid", "must be a UID");
  if (uid != 0) object.uid = storage::Uid{static_cast<std::uint32_t>(uid)};
  if (uid_validity > kMaxUid) in.Wrong("uidvalidity", "must be a UIDVALIDITY");
  if (uid_validity != 0) object.uid_validity = storage::UidValidity{static_cast<std::uint32_t>(uid_validity)};
  if (!object_id.empty()) object.object = protocol::ParseEmailId(object_id);
  if (!object_id.empty() && !object.object) in.Wrong("object_id", "must be an EMAILID, such as \"M17\"");
  if (!imdn.empty()) object.imdn_message_id = std::move(imdn);
  const int named = (object.uid ? 1 : 0) + (object.object ? 1 : 0) + (object.imdn_message_id ? 1 : 0);
  if (named != 1)
    in.Wrong("uid", "and folder, object_id or imdn_message_id: one of these must name the message");
  if (object.uid && !object.folder) in.Wrong("folder", "is missing");
}

void ReadRequest(Fields& in, const ReferenceTerms& defaults, ReferenceRequest& out) {
  out.terms = defaults;
  ReadObject(in, out.object);
  in.Text("part", out.part);
  in.Bool("attachments", out.attachments);
  const bool ends = in.Take("length") != nullptr;
  const bool partial = in.Take("offset") != nullptr || ends;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  in.Number("offset", offset);
  in.Number("length", length);
  if (ends && length == 0) in.Wrong("length", "must be at least 1, or absent: to the end");
  if (offset > kMaxUid || length > kMaxUid) in.Wrong("offset", "and length must be below 4 GiB");
  if (partial) {
    out.partial = protocol::UrlPartial{static_cast<std::uint32_t>(offset), std::nullopt};
    if (length != 0) out.partial->count = static_cast<std::uint32_t>(length);
  }
  if (out.attachments && (partial || !out.part.empty()))
    in.Wrong("attachments", "stands for whole parts: it goes with neither part nor offset and length");
  if (!protocol::ReadSection(out.part))
    in.Wrong("part", "must be as between the brackets of BODY[], such as \"2\"");
  ReadTerms(in, out.terms);
}

std::string AudienceText(const storage::Reference& record) {
  switch (record.kind) {
    case storage::ReferenceAudience::kSubmit: return "submit";
    case storage::ReferenceAudience::kUser: return record.audience;
    case storage::ReferenceAudience::kAnyone: return "anyone";
  }
  return "submit";
}

/// Blocks.
Result<boost::json::object> ReadPage(Services& services, storage::AccountId owner,
                                     std::optional<storage::AccountId> issuer, std::uint64_t after,
                                     std::size_t limit) {
  auto desk = DeskOf(services);
  auto& store = services.store;
  ASSIGN_OR_RETURN(const auto records, store.ListReferences(owner, after, limit));
  boost::json::array list;
  for (const auto& record : records) {
    if (issuer && record.issuer != *issuer) continue;
    ASSIGN_OR_RETURN(const bool there, store.IsThere(record.folder_ref(), record.uid));
    if (!there) continue;
    ASSIGN_OR_RETURN(auto one, ToJson(store, desk, record));
    list.push_back(std::move(one));
  }
  boost::json::object out;
  out["references"] = std::move(list);
  if (records.size() == limit) out["next"] = records.back().id;
  return out;
}

}  // namespace

bool ReadAudience(std::string_view text, ReferenceTerms& terms) {
  using Kind = storage::ReferenceAudience;
  terms.audience.clear();
  terms.kind = text == "submit" ? Kind::kSubmit : text == "anyone" ? Kind::kAnyone : Kind::kUser;
  if (terms.kind != Kind::kUser) return true;
  auto address = protocol::cpm::ParseLogin(text);
  if (!address) return false;
  terms.audience = *std::move(address);
  return true;
}

std::optional<std::int64_t> ReadExpires(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds > 0) return seconds;
  const auto time = protocol::ParseTimestamp(text);
  return time && *time > 0 ? time : std::nullopt;
}

std::variant<ReferencesRequest, Refusal> ReadReferences(const boost::json::object& json) {
  ReferencesRequest out;
  ReferenceTerms defaults;
  Fields in(json);
  in.Text("account", out.account);
  ReadTerms(in, defaults);
  in.Objects("references", storage::kMaxReferencesAtOnce,
             [&](Fields& entry) { ReadRequest(entry, defaults, out.references.emplace_back()); });
  if (out.references.empty()) in.Wrong("references", "must be a list of what is to be referred to");
  in.Finish();
  if (in.wrong()) return in.refusal();
  return out;
}

references::Wish WishFor(const references::Place& place, references::Attachment part,
                         const ReferenceTerms& terms) {
  return {place.first, place.second,   std::move(part.section), part.partial,
          terms.kind,  terms.audience, terms.one_time,          terms.expires,
          terms.hash,  terms.web,      std::move(part.inside)};
}

Result<boost::json::array> IssueAll(Services& services, const storage::AccountInfo& owner,
                                    storage::AccountId issuer, const ReferencesRequest& request) {
  auto desk = DeskOf(services);
  std::vector<references::ObjectName> names;
  for (const auto& one : request.references) names.push_back(one.object);
  ASSIGN_OR_RETURN(const auto places, desk.FindObjects(owner.id, names));
  std::vector<references::Wish> wishes;
  std::map<references::Place, std::vector<references::Attachment>> attachments;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto& one = request.references[i];
    const auto& [folder, uid] = places[i];
    std::vector<references::Attachment> parts{
        {protocol::ReadSection(one.part).value_or(protocol::Section{}), one.partial, {}}};
    if (const auto known = attachments.find(places[i]); one.attachments && known != attachments.end()) {
      parts = known->second;
    } else if (one.attachments) {
      auto all = desk.Attachments(folder, uid);
      if (!all) return tl::unexpected(references::AtReference(i, std::move(all).error()));
      parts = attachments[places[i]] = *std::move(all);
    }
    if (wishes.size() + parts.size() > storage::kMaxReferencesAtOnce)
      return Fail(Errc::kLimit, fmt::format("at most {} references at once", storage::kMaxReferencesAtOnce));
    for (auto& part : parts) wishes.push_back(WishFor(places[i], std::move(part), one.terms));
  }
  ASSIGN_OR_RETURN(const auto issued, desk.Issue(owner, issuer, wishes));
  boost::json::array list;
  for (const auto& one : issued) {
    ASSIGN_OR_RETURN(auto entry, ToJson(services.store, desk, one));
    list.push_back(std::move(entry));
  }
  return list;
}

Result<boost::json::object> ToJson(storage::MailStore& store, references::ReferenceDesk& desk,
                                   const storage::Reference& record) {
  boost::json::object out;
  out["id"] = record.id;
  const auto folder = store.GetFolder(record.folder_ref());
  if (!folder && folder.error().code == Errc::kUnavailable)
    return tl::unexpected<storage::Error>(folder.error());
  out["folder"] = folder ? folder->path : std::string();
  out["uid"] = record.uid.value;
  out["part"] = record.section;
  if (record.offset) out["offset"] = *record.offset;
  if (record.count) out["length"] = *record.count;
  out["audience"] = AudienceText(record);
  out["one_time"] = record.one_time;
  const auto issuer = store.GetAccount(record.issuer);
  out["issuer"] = issuer ? issuer->address : std::string();
  out["created"] = record.created;
  out["expires"] = record.expires;
  out["fetches"] = record.fetches;
  if (record.last_fetch != 0) out["last_fetch"] = record.last_fetch;
  ASSIGN_OR_RETURN(const auto standing, desk.StandingOf(record));
  out["standing"] = Name(standing);
  return out;
}

Result<boost::json::object> ToJson(storage::MailStore& store, references::ReferenceDesk& desk,
                                   const references::Issued& issued) {
  ASSIGN_OR_RETURN(auto out, ToJson(store, desk, issued.record));
  if (!issued.url.empty()) out["url"] = issued.url;
  out["imap_url"] = issued.imap_url;
  out["size"] = issued.size;
  out["content_type"] = issued.head.type;
  if (!issued.head.name.empty()) out["name"] = issued.head.name;
  if (!issued.sha256.empty()) out["sha256"] = issued.sha256;
  out["external_body"] = issued.external_body;
  return out;
}

asio::awaitable<void> SendReferencePage(Call& call, Services& services, storage::AccountId owner,
                                        std::optional<storage::AccountId> issuer) {
  const auto after = call.NumberQuery("after", 0, ~std::uint64_t{0} - 1);
  const auto limit = call.NumberQuery("limit", 100, kMaxPage);
  if (!after || !limit || *limit == 0) {
    Refusal refusal{Status::bad_request, "invalid_argument",
                    fmt::format("\"after\" must be a whole number, \"limit\" one from 1 to {}", kMaxPage)};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  auto read = [&] { return ReadPage(services, owner, issuer, *after, *limit); };
  auto page = co_await services.storage.Run(read);
  if (!page) {
    co_await call.Fail(std::move(page).error());
    co_return;
  }
  co_await call.Reply(Status::ok, *std::move(page));
}

std::string TokenOf(const Call& call) {
  const auto& token = call.Parameter("token");
  return call.path().ends_with("/" + token) ? token : std::string();
}

references::ReferenceDesk DeskOf(Services& services) {
  return {services.store, services.references->settings, services.references->clock};
}

}  // namespace server::http
