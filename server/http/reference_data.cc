// The data behind a reference.
#include "server/http/reference_data.h"

#include <algorithm>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "protocol/imap/object_id.h"
#include "server/http/byte_range.h"
#include "server/http/part_range.h"
#include "server/http/reference_json.h"
#include "server/http/resources.h"
#include "server/http/url.h"
#include "server/http/visitor.h"
#include "server/short_read.h"

namespace server::http {
namespace {

using namespace asio::experimental::awaitable_operators;
using references::PartReader;
using Form = PartReader::Form;
using Begun = PartReader::Begun;
using protocol::UrlAccess;

constexpr std::size_t kMaxFileName = 200;

std::string EtagOf(const references::Found& found, storage::ObjectId object, Form form) {
  const auto& record = found.record;
  std::string id;
  protocol::AppendEmailId(id, object);
  std::string part = record.section;
  std::ranges::replace_if(part, [](char c) { return c <= ' ' || c == '"' || c >= 0x7f || c == ','; }, '_');
  auto tag = fmt::format("\"{}-{}", id, part);
  if (record.offset) tag += fmt::format("-{}-{}", *record.offset, record.count.value_or(0));
  return tag + (form == Form::kAsStored ? "-stored\"" : "\"");
}

/// Whether the caller may have it, and as who; `login` is the caller as itself.
asio::awaitable<storage::Result<bool>> MayHave(Call& call, Services& services, const references::Found& found,
                                               const auth::Login& login) {
  auto as = [&](const auth::Login& who) {
    return [&services, &found, bearer = references::Bearer{who.account.id, who.actor.role}] {
      return DeskOf(services).IsFor(found, bearer);
    };
  };
  auto self = as(login);
  auto itself = co_await RunShort(services.storage, self);
  if (!itself || *itself || login.actor.role != storage::Role::kPf) co_return itself;
  const auto access = references::ReferenceDesk::AccessOf(found);
  if (access.user.empty()) co_return false;
  const auto acting = co_await WhoCalls(call, services, access.user);
  if (acting.verdict == auth::Verdict::kUnavailable) co_return storage::Fail(storage::Errc::kUnavailable);
  if (acting.verdict != auth::Verdict::kAccepted) co_return false;
  auto other = as(acting);
  auto for_other = co_await RunShort(services.storage, other);
  co_return for_other;
}

/// What the network does on a recipient's behalf is no access of the owner's (storage/store/deferred.h).
storage::Actor ReaderOf(const references::Found& found, const std::optional<auth::Login>& login) {
  const bool network = login && login->actor.role == storage::Role::kPf &&
                       found.record.kind != storage::ReferenceAudience::kSubmit;
  return {{}, network ? storage::Role::kPf : storage::Role::kUser};
}

/// What is not to be had: who proves nothing is asked for proof, as by what never was.
asio::awaitable<void> NotToBeHad(Call& call, const std::optional<auth::Login>& login) {
  return login ? NothingHere(call) : AskForProof(call);
}

/// Of several lines one list (RFC 9110 §5.3); nullopt: there is none.
std::optional<std::string> FieldOf(const Call& call, beast::http::field name) {
  std::optional<std::string> out;
  const auto [first, end] = call.request().equal_range(name);
  for (auto line = first; line != end; ++line) {
    out = out ? *out + ", " : std::string();
    *out += std::string_view(line->value());
  }
  return out;
}

/// "photo<U+202E>gpj.exe" shows as "photoexe.jpg": no such control (Unicode, UAX #9) stays, each becomes "_".
std::string WithoutBidi(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto last = name.size() < 3 ? 0U : static_cast<unsigned char>(name[2]);
    const bool embeds = name.starts_with("\xe2\x80") && last >= 0xaa && last <= 0xae;    // U+202A to U+202E
    const bool isolates = name.starts_with("\xe2\x81") && last >= 0xa6 && last <= 0xa9;  // U+2066 to U+2069
    out += embeds || isolates ? '_' : name.front();
    name.remove_prefix(embeds || isolates ? 3 : 1);
  }
  return out;
}

asio::awaitable<void> Gone(Call& call, const references::Found& found,
                           const std::optional<auth::Login>& login, references::Standing standing) {
  if (!login || login->actor.id != found.record.issuer) {
    co_await NotToBeHad(call, login);
    co_return;
  }
  Refusal refusal{Status::gone, "gone",
                  fmt::format("The reference is no longer good: {}", references::Name(standing))};
  co_await call.Fail(std::move(refusal));
}

}  // namespace

std::string ContentDisposition(std::string_view given) {
  if (given.empty()) return "attachment";
  const std::string name = WithoutBidi(given);
  // What a path is made of stays out of both forms.
  std::string safe = name.substr(0, kMaxFileName);
  while (!safe.empty() && (static_cast<unsigned char>(safe.back()) & 0xC0U) == 0x80U) safe.pop_back();
  if (name.size() > kMaxFileName && !safe.empty() && (safe.back() & 0x80) != 0) safe.pop_back();
  if (name.size() <= kMaxFileName) safe = name;
  std::ranges::replace_if(
      safe, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f || c == '/' || c == '\\'; }, '_');
  if (safe.find_first_not_of('.') == std::string::npos) safe = "file";
  std::string plain = safe;
  std::ranges::replace_if(plain, [](char c) { return c < ' ' || c > '~' || c == '"' || c == '%'; }, '_');
  if (plain == safe) return fmt::format("attachment; filename=\"{}\"", plain);
  return fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", plain, PercentEncode(safe));
}

asio::awaitable<bool> SendPart(Call& call, Services& services, PartAnswer answer,
                               std::function<storage::Result<bool>()> count) {
  PartReader& part = *answer.part;
  const std::uint64_t who = answer.who.value;
  const std::uint64_t size = part.size();
  const auto describe = [&] {
    call.AddHeader("ETag", answer.etag);
    call.AddHeader("Accept-Ranges", "bytes");
    call.AddHeader("Cache-Control", answer.one_time ? "no-store" : "private");
    call.AddHeader("Content-Disposition", ContentDisposition(answer.name));
    // Whatever it is, a browser is not to run it as ours.
    call.AddHeader("X-Content-Type-Options", "nosniff");
    call.AddHeader("Content-Security-Policy", "sandbox; default-src 'none'");
  };
  const auto& request = call.request();
  // RFC 9110 §13.2.2: in this order. If-Modified-Since and If-Unmodified-Since are for what has a date.
  if (const auto field = FieldOf(call, beast::http::field::if_match);
      field && !NamesEtag(*field, answer.etag, Comparison::kStrong)) {
    Refusal refusal{Status::precondition_failed, "precondition_failed",
                    "\"If-Match\" names no entity tag of this: ask without it for the tag that it has"};
    co_await call.Fail(std::move(refusal));
    co_return true;
  }
  if (const auto field = FieldOf(call, beast::http::field::if_none_match);
      field && NamesEtag(*field, answer.etag, Comparison::kWeak)) {
    describe();
    co_await call.SayNotModified();
    co_return true;
  }
  std::variant<WholeOfIt, ByteRange, Unsatisfiable> range;
  const auto if_range = request[beast::http::field::if_range];
  if (call.verb() == Verb::get && (if_range.empty() || if_range == answer.etag))
    range = ReadRange(request[beast::http::field::range], size);
  PartRange sent(part, answer.form);
  // RFC 9110 §14.2: a range may be ignored.
  if (const auto* asked = std::get_if<ByteRange>(&range); asked != nullptr && sent.IsFar(*asked))
    range = WholeOfIt{};
  if (std::holds_alternative<Unsatisfiable>(range)) {
    call.AddHeader("Content-Range", fmt::format("bytes */{}", size));
    Refusal refusal{Status::range_not_satisfiable, "range_not_satisfiable",
                    fmt::format("There are {} octets", size)};
    co_await call.Fail(std::move(refusal));
    co_return true;
  }
  if (call.verb() == Verb::head) {
    describe();
    [[maybe_unused]] const bool told = co_await call.StartBody(Status::ok, answer.type, size);
    co_return true;
  }
  const auto* octets = std::get_if<ByteRange>(&range);
  storage::Result<bool> counted(true);
  auto narrow = [&] { return references::IsOpen(sent.Narrow(*octets)); };
  if (octets != nullptr) counted = co_await services.storage.Run(narrow, who);
  auto skip = [&]() -> storage::Result<bool> {
    return sent.Skip() ? storage::Result<bool>(true) : references::IsOpen(Begun::kUnreadable);
  };
  while (counted && *counted && sent.to_skip() > 0) counted = co_await services.storage.Run(skip, who);
  Pieces pieces;
  auto begin = [&]() -> storage::Result<bool> {
    return sent.Fill(pieces) ? count() : references::IsOpen(Begun::kUnreadable);
  };
  if (counted && *counted) counted = co_await services.storage.Run(begin, who);
  if (!counted) {
    auto error = counted.error();
    co_await call.Fail(std::move(error));
    co_return true;
  }
  if (!*counted) co_return false;
  if (answer.sending) answer.sending();
  describe();
  if (octets != nullptr)
    call.AddHeader("Content-Range",
                   fmt::format("bytes {}-{}/{}", octets->first, octets->first + octets->length - 1, size));
  bool sending = co_await call.StartBody(octets != nullptr ? Status::partial_content : Status::ok,
                                         answer.type, sent.size());
  // What follows is read while as much is sent. If it cannot be, the octets that are missing tell.
  while (sending && sent.left() > 0) {
    Pieces next;
    auto read_on = [&] { return sent.Fill(next); };
    auto writing = pieces.Send(call);
    if (sent.FillAtOnce(next)) {
      sending = co_await std::move(writing);
      co_await asio::post(asio::use_awaitable);  // others of this thread have waited
    } else {
      auto reading = services.storage.Run(read_on, who);
      const auto [read, written] = co_await (std::move(reading) && std::move(writing));
      sending = read && written;
    }
    pieces = std::move(next);
  }
  if (sending) [[maybe_unused]]
    const bool written = co_await pieces.Send(call);
  co_return true;
}

asio::awaitable<void> GetReference(Call& call, Services& services) {
  const std::string token = TokenOf(call);
  const std::string encoding = call.Query("encoding").value_or("decoded");
  std::optional<auth::Login> login;
  if (ShowsProof(call)) {
    login = co_await Identify(call, services, {});
    if (!login) co_return;
  }
  auto find = [&] { return DeskOf(services).FindByToken(token); };
  auto found = co_await RunShort(services.storage, find);
  if (!found) {
    co_await call.Fail(std::move(found).error());
    co_return;
  }
  const bool anyone = *found && (*found)->record.kind == storage::ReferenceAudience::kAnyone &&
                      services.references->settings.urls.anonymous;
  const bool known_encoding = (encoding == "decoded" || encoding == "stored") && call.FaultOfQuery().empty();
  if (!login && (!anyone || !known_encoding)) {
    co_await AskForProof(call);
    co_return;
  }
  if (!known_encoding) {
    Refusal refusal{Status::bad_request, "invalid_argument", "\"encoding\" must be decoded or stored"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  if (!*found) {
    co_await NothingHere(call);
    co_return;
  }
  const references::Found& what = **found;
  auto standing_of = [&] { return DeskOf(services).StandingOf(what.record); };
  auto standing = co_await RunShort(services.storage, standing_of);
  if (!standing) {
    co_await call.Fail(std::move(standing).error());
    co_return;
  }
  if (*standing != references::Standing::kGood) {
    co_await Gone(call, what, login, *standing);
    co_return;
  }
  storage::Result<bool> allowed = anyone;
  if (!anyone) allowed = co_await MayHave(call, services, what, *login);
  if (!allowed) {
    co_await call.Fail(std::move(allowed).error());
    co_return;
  }
  if (!*allowed) {
    co_await NothingHere(call);
    co_return;
  }
  const auto who = login ? login->account.id : what.owner.id;
  PartAnswer answer;
  answer.form = encoding == "stored" ? Form::kAsStored : Form::kDecoded;
  auto open = [&]() -> storage::Result<bool> {
    const auto place = references::ReferenceDesk::PartOf(what.record);
    auto& cpims = services.references->cpims;
    ASSIGN_OR_RETURN(auto part, PartReader::Open(services.store, place, cpims.Find(place)));
    if (!part) return false;
    if (part->looked_into()) cpims.Put(place, part->looked_into());
    ASSIGN_OR_RETURN(const bool is_open, references::IsOpen(part->Begin(answer.form)));
    if (!is_open) return false;
    answer.part = std::move(part);
    const auto head = references::HeadOf(*answer.part, place.section);
    const bool encoded = answer.form == Form::kAsStored &&
                         place.section.kind == protocol::Section::Kind::kAll && !place.section.part.empty();
    answer.type = encoded ? std::string("application/octet-stream") : head.type;
    answer.name = head.name;
    answer.etag = EtagOf(what, answer.part->object(), answer.form);
    answer.one_time = what.record.one_time;
    answer.who = who;
    return true;
  };
  auto opened = co_await RunShort(services.storage, open, who.value);
  if (!opened) {
    co_await call.Fail(std::move(opened).error());
    co_return;
  }
  if (!*opened) {
    co_await NotToBeHad(call, login);
    co_return;
  }
  references::Named named{references::ReferenceDesk::PartOf(what.record), what.owner.id, what.record.id};
  if (answer.part->deferred()) named.accessed_by = ReaderOf(what, login);
  const auto count = [&]() -> storage::Result<bool> {
    ASSIGN_OR_RETURN(const auto fallen, DeskOf(services).NoteFetches({named}));
    return !fallen;
  };
  if (login && login->actor.role == storage::Role::kPf) {
    answer.sending = [&] {
      auto acting = *login;
      acting.account = what.owner;
      Audit(call, services, acting, "GET /v1/references", {}, std::to_string(what.record.uid.value), "sent");
    };
  }
  auto look_again = [&]() -> storage::Result<std::optional<references::Standing>> {
    auto desk = DeskOf(services);
    ASSIGN_OR_RETURN(const auto now, desk.FindByToken(token));
    if (!now) return std::nullopt;
    ASSIGN_OR_RETURN(const auto late, desk.StandingOf(now->record));
    return std::optional(late);
  };
  const bool answered = co_await SendPart(call, services, std::move(answer), count);
  if (!answered) {
    // Of two who came at once for the one time, the other got it; or it was revoked just now.
    auto why = co_await services.storage.Run(look_again);
    if (!why) {
      co_await call.Fail(std::move(why).error());
    } else if (*why && **why != references::Standing::kGood) {
      co_await Gone(call, what, login, **why);
    } else {
      co_await NotToBeHad(call, login);
    }
  }
}

}  // namespace server::http
