#include "server/imap/contexts/contexts.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "protocol/imap/limits.h"
#include "protocol/imap/reply.h"
#include "server/imap/commands/resolve.h"
#include "server/imap/contexts/freeze.h"
#include "server/imap/contexts/place.h"
#include "server/imap/session.h"
#include "server/imap/sort/sort_run.h"

namespace server::imap::contexts {

namespace limits = protocol::limits;
using protocol::ResponseCode;

namespace {

/// New messages that are put in their places one by one; of more the whole result is sorted anew.
constexpr std::uint64_t kPlacedSingly = 32;

/// Runs a search to its end; false: it came to none.
template <class Run>
asio::awaitable<storage::Result<bool>> Finish(Run& run, Session& session) {
  auto slice = [&] { return run.Slice(); };
  for (;;) {
    const auto done = co_await session.services().storage.Run(slice);
    if (!done) co_return tl::unexpected(done.error());
    if (*done) co_return !run.refusal();
    if (session.Interruption()) co_return false;
  }
}

/// What has become of one result.
struct Outcome {
  UidSet removed;
  UidSet added;
  std::vector<Uid> order;  ///< with what was added and without what was removed; empty: mailbox order
};

/// Takes the news of one context in: which of the messages `touched` match now.
class Taking {
 public:
  Taking(Session& session, MailboxView& view, const Context& context, const UidSet& touched)
      : session_(session), view_(view), context_(context), touched_(touched) {}

  /// nullopt: it could not be found out.
  asio::awaitable<storage::Result<std::optional<Outcome>>> Run() {
    const auto found = co_await Search(view_.Present(touched_));
    if (!found) co_return tl::unexpected(found.error());
    if (!*found) co_return std::optional<Outcome>();
    Outcome outcome;
    outcome.removed = context_.messages().Intersect(touched_.Minus(**found));
    outcome.added = (*found)->Minus(context_.messages());
    if (!context_.sorted()) co_return std::optional(std::move(outcome));
    outcome.order = context_.order();
    std::erase_if(outcome.order, [&](Uid uid) { return outcome.removed.Contains(uid); });
    if (outcome.added.empty()) co_return std::optional(std::move(outcome));
    const auto arranged = co_await Arrange(outcome);
    if (!arranged) co_return tl::unexpected(arranged.error());
    if (!*arranged) co_return std::optional<Outcome>();
    // What was expunged meanwhile has no place in the new order.
    const UidSet all = SetOf(outcome.order);
    outcome.removed = context_.messages().Minus(all);
    outcome.added = outcome.added.Intersect(all);
    co_return std::optional(std::move(outcome));
  }

 private:
  /// Those that match; nullopt: it came to no end.
  asio::awaitable<storage::Result<std::optional<UidSet>>> Search(UidSet among) {
    if (among.empty()) co_return std::optional(UidSet());  // of a deleted folder, too
    const auto& services = session_.services();
    search::SearchRun run(services.store, view_, context_.sort().search, services.clock,
                          {.among = std::move(among)});
    const auto done = co_await Finish(run, session_);
    if (!done) co_return tl::unexpected(done.error());
    if (!*done) co_return std::optional<UidSet>();
    co_return std::optional(run.found());
  }

  /// False: it came to no end.
  asio::awaitable<storage::Result<bool>> Arrange(Outcome& outcome) {
    if (outcome.added.size() > kPlacedSingly) {
      const auto sorted = co_await SortAnew(outcome);
      co_return sorted;
    }
    auto place = [&]() -> storage::Result<std::vector<Uid>> {
      const auto reader = session_.services().store.Read(view_.folder(), view_.actor());
      if (!reader) return tl::unexpected(reader.error());
      return Place(*reader, context_.sort().criteria, std::move(outcome.order), outcome.added);
    };
    auto placed = co_await session_.services().storage.Run(place);
    if (!placed) co_return tl::unexpected(placed.error());
    outcome.order = *std::move(placed);
    co_return true;
  }

  asio::awaitable<storage::Result<bool>> SortAnew(Outcome& outcome) {
    const auto& services = session_.services();
    UidSet all = SetOf(outcome.order);
    for (const auto& range : outcome.added.ranges()) all.Add(range.first, range.last);
    const protocol::command::Sort everything{.criteria = context_.sort().criteria, .search = {}};
    sort::SortRun run(services.store, view_, everything, services.clock, {.among = std::move(all)});
    const auto done = co_await Finish(run, session_);
    if (done && *done) outcome.order = run.sorted();
    co_return done;
  }

  Session& session_;
  MailboxView& view_;
  const Context& context_;
  const UidSet& touched_;
};

void TellEnded(std::string& out, const Context& context, std::string why) {
  protocol::WriteUntagged(out, protocol::No(ResponseCode::NoUpdate{context.tag()}, std::move(why)));
}

}  // namespace

bool Contexts::Has(std::string_view tag) const {
  return std::ranges::any_of(contexts_, [&](const Context& context) { return context.tag() == tag; });
}

std::optional<std::string> Contexts::Begin(std::string_view tag, const protocol::command::Sort& sort,
                                           std::vector<Uid> result, MailboxView& view) {
  if (contexts_.size() >= limits::kContexts) {
    return "There are " + std::to_string(limits::kContexts) +
           " searches with updates already: CANCELUPDATE one";
  }
  if (result.size() > limits::kContextMessages) {
    return "Too many messages to keep updated: at most " + std::to_string(limits::kContextMessages);
  }
  if (DependsOnTime(sort.search.key)) return "OLDER and YOUNGER change with time: search again instead";
  protocol::command::Sort frozen = sort;
  frozen.search.key = Freeze(sort.search.key, view);
  contexts_.emplace_back(std::string(tag), std::move(frozen), std::move(result));
  view.Watch(true);
  Attend(view);
  return std::nullopt;
}

void Contexts::End(std::string_view tag, MailboxView& view) {
  std::erase_if(contexts_, [&](const Context& context) { return context.tag() == tag; });
  Attend(view);
}

void Contexts::Attend(MailboxView& view) const {
  if (contexts_.empty()) view.Watch(false);
  view.CollectNew(
      std::ranges::any_of(contexts_, [](const Context& context) { return !context.items().empty(); }));
}

void Contexts::AddItems(Uid uid, std::vector<protocol::FetchItem>& items) const {
  for (const Context& context : contexts_) {
    if (!context.messages().Contains(uid)) continue;
    for (const auto& item : context.items()) {
      if (std::ranges::find(items, item) == items.end()) items.push_back(item);
    }
  }
}

asio::awaitable<void> Contexts::BeforeReport(Session& session, MailboxView& view) {
  if (!Concerned(view)) co_return;
  const UidSet touched = view.TakeTouched();
  std::string& out = session.wire().out.text();
  for (std::size_t i = 0; i < contexts_.size();) {
    Context& context = contexts_[i];
    Taking taking(session, view, context, touched);
    auto outcome = co_await taking.Run();
    if (outcome && *outcome) {
      context.Remove((*outcome)->removed, view, out);
      context.Add((*outcome)->added, std::move((*outcome)->order));
      if (context.messages().size() <= limits::kContextMessages) {
        ++i;
        continue;
      }
      TellEnded(out, context, "Too many messages to keep updated");
    } else {
      // What it would be told from now on would build on what it has missed.
      if (!outcome) static_cast<void>(session.Failed(outcome.error()));
      TellEnded(out, context, "The updates cannot go on: search again");
    }
    contexts_.erase(contexts_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  Attend(view);
}

asio::awaitable<void> Contexts::AfterReport(Session& session, MailboxView& view) {
  std::string& out = session.wire().out.text();
  TellAdded(view, out);
  if (!Concerned(view)) co_return;
  co_await BeforeReport(session, view);
  TellAdded(view, out);
}

void Contexts::TellAdded(const MailboxView& view, std::string& out) {
  for (Context& context : contexts_) context.TellAdded(view, out);
}

}  // namespace server::imap::contexts
