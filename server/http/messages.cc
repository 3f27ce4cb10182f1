// References in messages: the data in their place, or they in place of the data.
#include <charconv>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "protocol/imap/url.h"
#include "protocol/model/mailbox_name.h"
#include "server/http/reference_json.h"
#include "server/http/resources.h"
#include "server/http/visitor.h"
#include "server/references/message_exchange.h"
#include "server/short_read.h"

namespace server::http {
namespace {

using references::MessagePlan;

constexpr std::size_t kReadSize = 64 * 1024;

Refusal Bad(std::string message) { return {Status::bad_request, "invalid_argument", std::move(message)}; }

/// "message/cpim" of "Message/CPIM; charset=utf-8".
std::string MediaType(std::string_view content_type) {
  std::string out(content_type.substr(0, content_type.find(';')));
  while (!out.empty() && out.back() == ' ') out.pop_back();
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

/// False: the caller has no more use for it, or the octets are gone, which their number tells.
/// `who`: reads what is in it, and takes turns.
asio::awaitable<bool> Send(Call& call, Services& services, storage::AccountId who, Status status,
                           std::string type, MessagePlan plan) {
  call.AddHeader("CPM-Message-Mode", plan.size() > references::kPagerMode ? "large" : "pager");
  call.AddHeader("X-Content-Type-Options", "nosniff");
  bool sending = co_await call.StartBody(status, std::move(type), plan.size());
  std::string piece;
  auto take = [&] {
    piece.clear();
    return plan.Take(piece);
  };
  while (sending && !plan.done()) {
    sending = co_await services.storage.Run(take, who.value);
    if (sending && !piece.empty()) sending = co_await call.SendBody(piece);
  }
  co_return sending;
}

asio::awaitable<void> TellUnresolved(Call& call, const std::vector<references::NotResolved>& list) {
  boost::json::array entries;
  for (const auto& one : list) {
    boost::json::object entry;
    entry["part"] = one.part;
    entry["url"] = one.url;
    entry["why"] = one.why;
    entries.push_back(std::move(entry));
  }
  boost::json::object error;
  error["code"] = "references_not_found";
  error["message"] = fmt::format("{} references cannot be found", list.size());
  boost::json::object body;
  body["error"] = std::move(error);
  body["references"] = std::move(entries);
  co_await call.Reply(Status::unprocessable_entity, std::move(body));
}

/// Takes a message of any size off the call's body, if it may come to lie in that folder; what would not fit
/// even if it were alone is not written down first.
asio::awaitable<std::optional<storage::StagedBody>> ReadMessage(Call& call, Services& services,
                                                                const auth::Login& login,
                                                                const std::string& folder) {
  const auto& account = login.account;
  const std::uint64_t quota = account.quota.octets.value_or(services.append_limit);
  const auto fits = [&](std::uint64_t octets) -> storage::Result<> {
    if (octets > services.append_limit)
      return storage::Fail(storage::Errc::kTooBig,
                           fmt::format("A message has at most {} octets", services.append_limit));
    if (octets > quota)
      return storage::Fail(storage::Errc::kOverQuota,
                           fmt::format("the account may hold {} octets, and the message has more", quota));
    return {};
  };
  auto stage = [&]() -> storage::Result<storage::StagedBody> {
    RETURN_IF_ERROR(fits(call.announced().value_or(0)));
    const storage::Actor actor({}, login.actor.role);
    RETURN_IF_ERROR(services.store.GetFolder(account.id, folder, actor, protocol::Right::kInsert));
    return services.store.Stage(account.id);
  };
  auto body = co_await services.storage.Run(stage);
  std::vector<char> space(kReadSize);
  while (body) {
    const auto got = co_await call.ReadSome(space);
    if (!got) co_return std::nullopt;
    if (*got == 0) co_return *std::move(body);
    const std::string_view octets(space.data(), *got);
    if (auto room = fits(body->size() + octets.size()); !room) {
      co_await call.Fail(std::move(room).error());
      co_return std::nullopt;
    }
    auto write = [&] { return body->Write(octets); };
    storage::Result<> written;
    if (body->FitsInMemory(octets.size())) {
      written = write();
    } else {
      written = co_await services.storage.Run(write);
    }
    if (!written) {
      co_await call.Fail(std::move(written).error());
      co_return std::nullopt;
    }
  }
  co_await call.Fail(std::move(body).error());
  co_return std::nullopt;
}

/// What the query of an externalize request says.
struct Externalize {
  std::string folder;
  std::optional<std::vector<protocol::Section>> parts;  ///< nullopt: the attachments
  std::uint64_t min_octets = 0;
  ReferenceTerms terms;
};

/// False: the query says neither true nor false.
bool ReadSwitch(const Call& call, std::string_view name, bool& out) {
  const std::string text = call.Query(name).value_or("false");
  out = text == "true";
  return out || text == "false";
}

std::variant<Externalize, Refusal> ReadQuery(const Call& call, const std::string& owner) {
  Externalize out;
  out.folder = protocol::CanonicalMailboxName(call.Query("folder").value_or(""));
  if (out.folder.empty()) return Bad("\"folder\" is missing: where the message is to be stored");
  const auto least = call.NumberQuery("min_octets", 0, 1ULL << 40);
  if (!least) return Bad("\"min_octets\" must be a whole number");
  out.min_octets = *least;
  if (!ReadAudience(call.Query("audience").value_or(owner), out.terms))
    return Bad("\"audience\" must be \"submit\", \"anyone\", or a tel: or sip: address");
  if (!ReadSwitch(call, "one_time", out.terms.one_time)) return Bad("\"one_time\" must be true or false");
  if (!ReadSwitch(call, "hash", out.terms.hash)) return Bad("\"hash\" must be true or false");
  const std::string url = call.Query("url").value_or("imap");
  if (url != "imap" && url != "https") return Bad("\"url\" must be imap or https");
  out.terms.web = url == "https";
  if (const auto expires = call.Query("expires")) {
    out.terms.expires = ReadExpires(*expires);
    if (!out.terms.expires)
      return Bad("\"expires\" must be a time as RFC 3339 has it, or seconds since 1970");
  }
  const std::string parts = call.Query("parts").value_or("attachments");
  if (parts == "attachments") return out;
  out.parts.emplace();
  for (std::size_t at = 0; at <= parts.size() && out.parts->size() <= storage::kMaxReferencesAtOnce;) {
    const auto comma = std::min(parts.find(',', at), parts.size());
    auto section = protocol::ReadSection(std::string_view(parts).substr(at, comma - at));
    if (!section || section->part.empty() || section->kind != protocol::Section::Kind::kAll)
      return Bad("\"parts\" must be \"attachments\", or part numbers: \"2,3.1\"");
    if (std::ranges::find(*out.parts, *section) != out.parts->end())
      return Bad("\"parts\" names a part twice");
    out.parts->push_back(*std::move(section));
    at = comma + 1;
  }
  if (out.parts->size() > storage::kMaxReferencesAtOnce)
    return Bad(fmt::format("\"parts\" are at most {}", storage::kMaxReferencesAtOnce));
  return out;
}

/// Nobody's id, if there is no such account.
storage::Result<storage::AccountId> SenderOf(storage::MailStore& store, const std::string& name) {
  const auto address = protocol::cpm::ParseLogin(name);
  if (!address) return storage::AccountId{};
  ASSIGN_OR_RETURN(const auto account, store.FindAccount(*address));
  return account ? account->id : storage::AccountId{};
}

/// The others whose data it was.
storage::Result<std::vector<storage::AccountInfo>> OwnersOf(storage::MailStore& store,
                                                            const std::vector<references::Named>& used,
                                                            storage::AccountId caller) {
  std::vector<storage::AccountInfo> owners;
  for (const auto& named : used) {
    const auto is_it = [&](const storage::AccountInfo& owner) { return owner.id == named.owner; };
    if (named.owner == caller || std::ranges::any_of(owners, is_it)) continue;
    ASSIGN_OR_RETURN(owners.emplace_back(), store.GetAccount(named.owner));
  }
  return owners;
}

struct Done {
  MessagePlan plan;
  std::string ids;
};

}  // namespace

asio::awaitable<void> ResolveMessage(Call& call, Services& services) {
  const std::string account = call.Query("account").value_or("");
  auto login = co_await Identify(call, services, {});
  // Submission acts for nobody, but says who sends: RFC 4467 §3 leaves it to it to have looked at that.
  const bool submits = login && login->actor.role == storage::Role::kSubmit;
  if (login && !submits && !account.empty()) login = co_await Identify(call, services, account);
  if (!login) co_return;
  if (submits && account.empty()) {
    auto refusal = Bad("\"account\" is missing: an account of role submit says whose message it is");
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const std::string type = MediaType(call.content_type());
  if (type != "message/cpim" && type != "message/rfc822") {
    Refusal refusal{Status::unsupported_media_type, "wrong_type",
                    "The body must be message/cpim, or message/rfc822: a header and what it speaks of"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  storage::AccountId sender = login->account.id;
  if (submits) {
    auto find = [&] { return SenderOf(services.store, account); };
    auto found = co_await RunShort(services.storage, find);
    if (!found) {
      co_await call.Fail(std::move(found).error());
      co_return;
    }
    sender = *found;
  }
  const std::uint64_t limit = services.references->message_limit;
  ByteBudget::Share held(services.references->resolving, sender.value);
  auto message = co_await call.ReadAll(limit, held);
  if (!message) co_return;
  const references::Bearer bearer{login->account.id, login->actor.role,
                                  submits ? std::optional(sender) : std::nullopt};
  auto resolve = [&] {
    auto desk = DeskOf(services);
    // It is the owner who sends, but where a URL says otherwise.
    return references::Resolve(services.store, desk, *message, type == "message/cpim", bearer,
                               storage::Actor({}, storage::Role::kUser), limit);
  };
  auto resolved = co_await services.storage.Run(resolve, sender.value);
  Audit(call, services, *login, "POST /v1/messages/resolve", {}, {},
        resolved ? fmt::format("{} of {} resolved", resolved->used.size(), resolved->references) : "refused");
  if (!resolved) {
    co_await call.Fail(std::move(resolved).error());
    co_return;
  }
  message.reset();
  if (!held.Hold(resolved->message.held())) {
    co_await call.FailForRoom();
    co_return;
  }
  if (login->actor.role == storage::Role::kPf) {
    auto find = [&] { return OwnersOf(services.store, resolved->used, login->account.id); };
    auto owners = co_await services.storage.Run(find);
    if (!owners) {
      co_await call.Fail(std::move(owners).error());
      co_return;
    }
    for (auto& owner : *owners) {
      auto acting = *login;
      acting.account = std::move(owner);
      Audit(call, services, acting, "POST /v1/messages/resolve", {}, {}, "resolved");
    }
  }
  // All that could be had is counted together, once nothing is missing.
  auto count = [&]() -> storage::Result<bool> {
    auto desk = DeskOf(services);
    ASSIGN_OR_RETURN(const auto fallen, desk.NoteFetches(resolved->used));
    if (!fallen) return true;
    auto& entry = resolved->not_resolved.emplace_back(resolved->used_by[*fallen]);
    entry.why = "it was used or revoked just now";
    return false;
  };
  storage::Result<bool> counted(false);
  if (resolved->not_resolved.empty()) counted = co_await services.storage.Run(count);
  if (!counted) {
    auto error = counted.error();
    co_await call.Fail(std::move(error));
    co_return;
  }
  if (!*counted) {
    co_await TellUnresolved(call, resolved->not_resolved);
    co_return;
  }
  call.AddHeader("CPM-References", std::to_string(resolved->references));
  auto plan = std::move(resolved->message);
  [[maybe_unused]] const bool sent = co_await Send(call, services, sender, Status::ok, type, std::move(plan));
}

asio::awaitable<void> ExternalizeMessage(Call& call, Services& services) {
  const std::string account = call.Query("account").value_or("");
  const auto login = co_await Identify(call, services, account);
  if (!login) co_return;
  auto read = ReadQuery(call, login->account.address);
  if (const std::string type = MediaType(call.content_type()); type != "message/rfc822") {
    Refusal refusal{Status::unsupported_media_type, "wrong_type",
                    "The body must be message/rfc822: the object to be stored, which may hold a CPIM"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  if (login->actor.role == storage::Role::kSubmit)
    read = Refusal{Status::forbidden, "not_allowed", "An account of role submit fetches, and issues nothing"};
  if (auto* refusal = std::get_if<Refusal>(&read)) {
    co_await call.Fail(std::move(*refusal));
    co_return;
  }
  const auto& asked = std::get<Externalize>(read);
  auto body = co_await ReadMessage(call, services, *login, asked.folder);
  if (!body) co_return;

  auto append = [&] {
    return services.store.AppendOnce(login->account.id, asked.folder, {*std::move(body), {}, {}},
                                     storage::Actor({}, login->actor.role));
  };
  auto appended = co_await services.storage.Run(append);
  Audit(call, services, *login, "POST /v1/messages/externalize", asked.folder,
        appended ? std::to_string(appended->uids.front().value) : "",
        !appended           ? "refused"
        : appended->created ? "stored"
                            : "there before");
  if (!appended) {
    co_await call.Fail(std::move(appended).error());
    co_return;
  }
  const storage::Uid uid = appended->uids.front();
  protocol::ImapUrl place;
  place.user = login->account.address;
  place.host = services.references->settings.urls.host;
  place.mailbox = asked.folder;
  place.uid_validity = appended->uid_validity;
  place.uid = uid;
  call.AddHeader("Location", protocol::WriteImapUrl(place));  // also if nothing can be issued: it is stored

  auto issue = [&]() -> storage::Result<Done> {
    auto desk = DeskOf(services);
    std::vector<references::Attachment> parts;
    if (asked.parts) {
      for (const auto& section : *asked.parts) parts.push_back({section, {}, {}});
    } else {
      ASSIGN_OR_RETURN(parts, desk.Attachments(appended->folder, uid));
    }
    std::vector<references::Wish> wishes;
    std::vector<references::Attachment> chosen;
    for (const auto& one : parts) {
      auto wish = WishFor({appended->folder, uid}, one, asked.terms);
      if (asked.min_octets > 0) {
        auto size = desk.SizeOf(wish);
        if (!size)
          return tl::unexpected(
              references::At("part " + protocol::WriteSection(one.section), std::move(size).error()));
        if (*size < asked.min_octets) continue;
      }
      chosen.push_back(one);
      wishes.push_back(std::move(wish));
    }
    ASSIGN_OR_RETURN(const auto issued, desk.Issue(login->account, login->actor.id, wishes));
    Done done;
    for (const auto& one : issued)
      done.ids += fmt::format("{}{}", done.ids.empty() ? "" : ",", one.record.id);
    ASSIGN_OR_RETURN(done.plan,
                     references::Externalise(services.store, appended->folder, uid, chosen, issued));
    return done;
  };
  auto done = co_await services.storage.Run(issue, login->account.id.value);
  if (!done) {
    co_await call.Fail(std::move(done).error());
    co_return;
  }
  call.AddHeader("CPM-References", done->ids);
  auto plan = std::move(done->plan);
  [[maybe_unused]] const bool sent =
      co_await Send(call, services, login->account.id, appended->created ? Status::created : Status::ok,
                    "message/rfc822", std::move(plan));
}

}  // namespace server::http
