#include "server/imap/commands/append_intake.h"

#include <algorithm>
#include <utility>

#include "server/references/rights.h"

namespace server::imap {

using references::IsAbsence;
using storage::StagedBody;

namespace {

protocol::Reply BadUrl(const std::string& url) {
  return protocol::No(protocol::ResponseCode::BadUrl{url}, "This URL names nothing that can be had here");
}

}  // namespace

void AppendIntake::Begin(const protocol::command::AppendMessage& message) {
  if (!messages_.empty()) {
    const Incoming& finished = messages_.back();
    finished_in_memory_ += finished.held.size() + (finished.body ? finished.body->in_memory() : 0);
  }
  Incoming& incoming = messages_.emplace_back();
  incoming.flags = message.flags;
  incoming.date = message.date;
  incoming.held.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(message.size, StagedBody::kChunk)));
}

void AppendIntake::Fail(protocol::Reply reply) {
  failure_ = std::move(reply);
  messages_.clear();
}

void AppendIntake::Fail(const storage::Error& error) { Fail(session_.Failed(error, Folder::kTarget)); }

std::uint64_t AppendIntake::octets() const {
  if (messages_.empty()) return 0;
  const Incoming& message = messages_.back();
  return message.held.size() + (message.body ? message.body->size() : 0);
}

storage::Result<std::optional<AppendIntake::Target>> AppendIntake::Resolve(const std::string& text) {
  const std::optional<Target> none;
  // ";UID=20" is in the selected mailbox, which is then the base of what is relative.
  const bool in_selected = text.starts_with(';') && session_.selected() != nullptr;
  const auto url = protocol::ParseImapUrl(in_selected ? "/INBOX/" + text : text);
  if (!url) return none;
  if (in_selected) {
    const MailboxView& view = *session_.selected()->view;
    if (url->access) return none;
    // What it could read when it was selected says nothing of now; and what another shares who is disabled is
    // not there (FindPlace).
    if (view.folder().account != session_.account()) {
      const auto owner = store_.GetAccount(view.folder().account);
      if (!owner && !IsAbsence(owner.error())) return tl::unexpected<storage::Error>(owner.error());
      if (!owner || owner->status != storage::AccountStatus::kActive) return none;
    }
    const auto reader = store_.Read(view.folder(), view.actor());
    if (!reader && !IsAbsence(reader.error())) return tl::unexpected<storage::Error>(reader.error());
    if (!reader || (url->uid_validity && *url->uid_validity != reader->status().uid_validity)) return none;
    return std::optional(
        Target{{references::PartOf(*url, view.folder()), {}, {}}, view.actor(), view.actor()});
  }
  auto authority = Authority();
  if (url->verifier) {
    ASSIGN_OR_RETURN(auto named, authority.Look(text, {session_.account(), session_.actor().role}));
    if (!named) return none;
    // By its owner's right: its own is that of who authorised it.
    return std::optional(Target{*std::move(named), session_.actor(), storage::Actor{}});
  }
  ASSIGN_OR_RETURN(const bool own, authority.IsOwn(*url, session_.account()));
  if (!own) return none;
  const auto place = imap::FindPlace(store_, session_, url->mailbox);
  if (!place && place.error().code == storage::Errc::kNoSuchFolder) return none;
  if (!place) return tl::unexpected<storage::Error>(place.error());
  const auto folder = store_.GetFolder(place->account, place->path, place->actor, storage::Right::kRead);
  if (!folder && IsAbsence(folder.error())) return none;
  if (!folder) return tl::unexpected<storage::Error>(folder.error());
  if (url->uid_validity && *url->uid_validity != folder->uid_validity) return none;
  return std::optional(Target{{references::PartOf(*url, folder->ref), {}, {}}, place->actor, place->actor});
}

references::UrlAuthority AppendIntake::Authority() {
  return {store_, session_.services().options.urls, session_.services().clock};
}

std::unique_ptr<references::PartReader> AppendIntake::Open(const std::string& url) {
  auto target = Resolve(url);
  std::unique_ptr<references::PartReader> reader;
  if (target && *target) {
    const auto& part = (*target)->named.part;
    session_.WriteDownUrl(part.folder, part.uid);
    auto opened = references::PartReader::Open(store_, part, inside_, (*target)->right);
    if (opened)
      reader = *std::move(opened);
    else
      target = tl::unexpected<storage::Error>(std::move(opened).error());
  }
  if (reader && reader->looked_into() && reader->looked_into() != inside_) {
    inside_ = reader->looked_into();
    looked_into_ += inside_->entity.length;
  }
  if (!target) {
    Fail(session_.Failed(target.error(), Folder::kNamed));
    return nullptr;
  }
  using Reader = references::PartReader;
  if (reader && reader->Begin(Reader::Form::kAsServed) == Reader::Begun::kOpen) {
    auto& named = (*target)->named;
    if (reader->deferred()) named.accessed_by = (*target)->actor;
    if (named.recorded || named.accessed_by) {
      fetched_.push_back(named);
      fetched_by_.push_back(url);
    }
    return reader;
  }
  Fail(BadUrl(url));
  return nullptr;
}

void AppendIntake::Copy(references::PartReader& reader) {
  std::string octets;
  if (!reader.Take(octets, std::min<std::uint64_t>(reader.left(), 4 * StagedBody::kChunk)))
    return Fail(storage::Error{storage::Errc::kUnavailable,
                               "the octets of a message are gone while they are copied"});
  TakeBlocking(octets);
}

bool AppendIntake::TakeInMemory(std::string_view octets) {
  if (failure_) return true;
  if (finished_in_memory_ > kHeldAtMost) return false;
  Incoming& message = messages_.back();
  if (message.body) {
    if (!message.body->FitsInMemory(octets.size())) return false;
    const auto written = message.body->Write(octets);
    if (!written) Fail(written.error());
    return true;
  }
  if (message.held.size() + octets.size() > StagedBody::kChunk) return false;
  message.held.append(octets);
  return true;
}

void AppendIntake::TakeBlocking(std::string_view octets) {
  if (failure_) return;
  if (finished_in_memory_ > kHeldAtMost) {
    const auto sealed = SealFinished();
    if (!sealed) return Fail(sealed.error());
  }
  const auto staged = Stage(messages_.back(), octets);
  if (!staged) Fail(staged.error());
}

storage::Result<MailboxPlace> AppendIntake::FindPlace() {
  if (!place_) {
    auto place = imap::FindPlace(store_, session_, mailbox_);
    if (!place) return tl::unexpected(place.error());
    place_ = *std::move(place);
  }
  return *place_;
}

storage::Result<> AppendIntake::SealFinished() {
  for (; first_unsealed_ + 1 < messages_.size(); ++first_unsealed_) {
    Incoming& message = messages_[first_unsealed_];
    auto done = Stage(message, {});
    if (done) done = message.body->Seal();
    if (!done) return done;
  }
  finished_in_memory_ = 0;
  return {};
}

storage::Result<> AppendIntake::Stage(Incoming& message, std::string_view octets) {
  if (!message.body) {
    const auto place = FindPlace();
    if (!place) return tl::unexpected(place.error());
    auto body = store_.Stage(place->account);
    if (!body) return tl::unexpected(body.error());
    message.body.emplace(*std::move(body));
    const auto written = message.body->Write(message.held);
    if (!written) return written;
    std::string().swap(message.held);
  }
  return message.body->Write(octets);
}

storage::Result<storage::AppendResult> AppendIntake::Commit(std::optional<storage::Uid> replaced) {
  auto authority = Authority();
  ASSIGN_OR_RETURN(const auto fallen, authority.CountFetches(fetched_));
  if (fallen) {
    Fail(BadUrl(fetched_by_[*fallen]));
    return storage::AppendResult{};
  }
  auto done = Store(replaced);
  // What fails beside it, `done` says as well; and what has been copied is not refused any more.
  if (!done) static_cast<void>(authority.TakeBackFetches(fetched_));
  if (done) static_cast<void>(authority.NoteAccess(fetched_));
  return done;
}

storage::Result<storage::AppendResult> AppendIntake::Store(std::optional<storage::Uid> replaced) {
  std::vector<storage::NewMessage> messages;
  messages.reserve(messages_.size());
  for (Incoming& incoming : messages_) {
    const auto staged = Stage(incoming, {});
    if (!staged) return tl::unexpected(staged.error());
    // RFC 3502 §6.3.11; parts may add up to none.
    if (incoming.body->size() == 0)
      return storage::Fail(storage::Errc::kNotAllowed,
                           "A message without octets is none; nothing was appended");
    messages.push_back({*std::move(incoming.body), std::move(incoming.flags), incoming.date});
  }
  const auto place = FindPlace();
  if (!place) return tl::unexpected(place.error());
  if (!replaced) return store_.Append(place->account, place->path, std::move(messages), place->actor);
  const storage::FolderRef from = session_.selected()->view->folder();
  if (from.account != place->account) {
    return storage::Fail(storage::Errc::kNotAllowed,
                         "A message is replaced within one account: APPEND it, and delete the other");
  }
  return store_.Replace(from, *replaced, place->path, std::move(messages.front()), place->actor);
}

}  // namespace server::imap
