#include "protocol/imap/command_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/append.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/imap/parse/parser.h"

namespace protocol {
namespace {

constexpr std::size_t kNotFound = std::string_view::npos;

/// The line without its end.
std::string_view Chomp(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Reply ReplyTo(const ParseError& error, std::uint64_t metadata_value_limit) {
  if (error.metadata_value) {
    return No(ResponseCode::MetadataMaxSize{metadata_value_limit}, "The value is too long; nothing was set");
  }
  if (error.too_big) return No(ResponseCode::kTooBig, "Literal is too big");
  return Bad(Describe(error));
}

}  // namespace

std::size_t CommandReader::MaxLine() const {
  return authenticated_ ? limits::kLineAfterLogin : limits::kLineBeforeLogin;
}
std::size_t CommandReader::MaxLiteral() const {
  return authenticated_ ? limits::kLiteralAfterLogin : limits::kLiteralBeforeLogin;
}
std::uint64_t CommandReader::MaxSkipped() const {
  return authenticated_ ? limits::kSkippedAfterLogin : limits::kSkippedBeforeLogin;
}

std::span<char> CommandReader::Space() {
  const bool streams = mode_ == Mode::kOctets || mode_ == Mode::kSkipOctets;
  return input_.Space(streams && remaining_ > limits::kReadChunk ? limits::kStreamChunk : limits::kReadChunk);
}

void CommandReader::Grow(std::size_t n) {
  input_.Grow(n);
  if (input_.empty()) input_.Release();
}

void CommandReader::Feed(std::span<const char> octets) {
  if (octets.empty()) return;
  std::memcpy(input_.Space(octets.size()).data(), octets.data(), octets.size());
  input_.Grow(octets.size());
}

Step CommandReader::Next() {
  if (mode_ == Mode::kSkipOctets || mode_ == Mode::kSkipLine) {
    const bool whole = Skip();
    if (skipped_ > MaxSkipped()) return Fatal({}, Bad("Too much input to skip"));
    if (!whole) return NeedMore();
  }
  switch (mode_) {
    case Mode::kCommand: return NextCommand();
    case Mode::kLine: return NextLine();
    case Mode::kSteps: return NextStep();
    case Mode::kOctets: return NextOctets();
    case Mode::kAfterMessage: return NextAfterMessage();
    case Mode::kDead: input_.Clear(); return NeedMore();
    case Mode::kAnswer:
    case Mode::kSkipOctets:
    case Mode::kSkipLine: break;
  }
  return NeedMore();
}

Step CommandReader::NeedMore() {
  if (input_.empty() && input_.capacity() > 0 && mode_ != Mode::kOctets && mode_ != Mode::kSkipOctets) {
    input_.Release();
  }
  return NeedBytes{};
}

/// A long tag would keep its memory.
void CommandReader::ForgetTag() {
  tag_.clear();
  tag_.shrink_to_fit();
}

void CommandReader::EndLines() { line_begin_ = scanned_ = line_octets_ = literal_octets_ = literals_ = 0; }

void CommandReader::EndCommand() {
  EndLines();
  said_.reset();
  mode_ = Mode::kCommand;
}

Step CommandReader::Fatal(std::string tag, Reply reply) {
  input_.Release();
  mode_ = Mode::kDead;
  return BadCommand{std::move(tag), std::move(reply), /*fatal=*/true};
}

/// What is left of the command, from `line_begin` on, is skipped: its line, and after a LITERAL+ announcement
/// the octets and the next line, and so on. After a synchronising announcement nothing comes: the client
/// hears of the refusal first.
Step CommandReader::Refused(std::size_t line_begin, std::string tag, Reply reply) {
  input_.Consume(line_begin);
  EndCommand();
  ForgetTag();
  remaining_ = skipped_ = 0;
  mode_ = Mode::kSkipLine;
  return BadCommand{std::move(tag), std::move(reply)};
}

/// The client sends `octets` whether we want them or not.
void CommandReader::SkipFrom(std::uint64_t octets) {
  remaining_ = octets;
  skipped_ = octets;
  mode_ = Mode::kSkipOctets;
}

// Lines end at LF. A line that ends in a literal's announcement goes on after the literal's octets, so a
// command is whole where a line does not.
Step CommandReader::NextCommand() {
  for (;;) {
    const std::string_view all = input_.view();
    const std::size_t lf = all.size() > scanned_ ? all.find('\n', scanned_) : kNotFound;
    const std::size_t line_end = lf == kNotFound ? all.size() : lf + 1;
    if (line_end > line_begin_ && line_octets_ + (line_end - line_begin_) > MaxLine()) {
      Cursor in(all);
      std::string tag(grammar::ParseTag(in));
      if (!in.Peek(' ')) tag.clear();
      return Refused(line_begin_, std::move(tag), Bad("Command line is too long"));
    }
    if (lf == kNotFound) {
      scanned_ = std::max(scanned_, all.size());
      return NeedMore();
    }
    Step step = Head(line_end);
    if (!std::holds_alternative<NeedBytes>(step)) return step;
  }
}

/// A line is there: a command, a refusal, or (NeedBytes) one more literal to wait for.
Step CommandReader::Head(std::size_t line_end) {
  const std::string_view octets = input_.view().substr(0, line_end);
  const auto literal = parse::FindLiteralTail(octets.substr(line_begin_));
  auto head = parse::ParseHead(octets);
  if (head) {
    if (auto* append = std::get_if<parse::AppendHead>(&*head)) {
      one_message_ = append->begin.replaces.has_value();
      messages_ = parts_ = 0;
      auto refusal = Count(append->fragment);
      if (refusal) return Refused(line_begin_, std::move(append->begin.tag), *std::move(refusal));
      input_.Consume(line_end);
      EndCommand();
      tag_ = append->begin.tag;
      Begin(std::move(append->fragment));
      return std::move(append->begin);
    }
    input_.Consume(line_end);
    EndCommand();
    return std::get<TaggedCommand>(*std::move(head));
  }
  ParseFailure& failure = head.error();
  if (literal && failure.error.incomplete) return Literal(line_end, *literal, std::move(failure.tag));

  return Refused(line_begin_, std::move(failure.tag), ReplyTo(failure.error, metadata_value_limit_));
}

/// The grammar wants the literal that `line_end` announces.
Step CommandReader::Literal(std::size_t line_end, const parse::LiteralTail& literal, std::string tag) {
  if (literal.size > MaxLiteral() || literal_octets_ + literal.size > limits::kLiteralsPerCommand) {
    return Refused(line_begin_, std::move(tag), No(ResponseCode::kTooBig, "Literal is too big"));
  }
  if (literals_ == limits::kLiteralCount) {
    return Refused(line_begin_, std::move(tag), Bad("Too many literals in one command"));
  }
  ++literals_;
  literal_octets_ += static_cast<std::size_t>(literal.size);
  line_octets_ += line_end - line_begin_;
  line_begin_ = scanned_ = line_end + static_cast<std::size_t>(literal.size);
  if (literal.synchronizing) return NeedContinuation{};
  return NeedBytes{};
}

Step CommandReader::NextLine() {
  const std::string_view all = input_.view();
  const std::size_t lf = all.find('\n');
  if (lf == kNotFound && all.size() <= MaxLine()) return NeedMore();
  if (lf == kNotFound || lf + 1 > MaxLine()) return Fatal({}, Bad("Line is too long"));
  EndCommand();
  input_.Consume(lf + 1);
  return Line{Chomp(all.substr(0, lf + 1))};
}

/// Numbers the messages; a reply: there are more than may be.
std::optional<Reply> CommandReader::Count(parse::AppendFragment& fragment) {
  for (auto& step : fragment.steps) {
    auto* message = std::get_if<command::AppendMessage>(&step);
    if (message == nullptr) {
      if (parts_++ == limits::kCatenateParts) return No(ResponseCode::kLimit, "Too many parts in one APPEND");
      continue;
    }
    if (messages_ == limits::kMultiAppend) return No(ResponseCode::kLimit, "Too many messages in one APPEND");
    // RFC 8508 §4.7.
    if (one_message_ && messages_ == 1) return Bad("REPLACE takes one message");
    message->index = messages_++;
  }
  return std::nullopt;
}

void CommandReader::Begin(parse::AppendFragment fragment) {
  in_catenate_ = fragment.in_catenate;
  synchronizing_ = true;  // so that Refuse() skips nothing
  if (fragment.literal) {
    std::visit(
        [this](const auto& step) {
          if constexpr (requires { step.size; }) BeginLiteral(step);
        },
        fragment.steps.back());
  }
  said_ = std::make_unique<parse::AppendFragment>(std::move(fragment));
  next_step_ = 0;
  mode_ = Mode::kSteps;
}

template <class Announced>
void CommandReader::BeginLiteral(const Announced& announced) {
  binary_ = announced.binary;
  synchronizing_ = announced.synchronizing;
  remaining_ = announced.size;
}

Step CommandReader::NextStep() {
  if (next_step_ == said_->steps.size()) {
    EndCommand();
    ForgetTag();
    return AppendEnd{};
  }
  Step step = std::visit([](auto& one) { return Step(std::move(one)); }, said_->steps[next_step_++]);
  if (said_->literal && next_step_ == said_->steps.size()) {
    said_.reset();
    mode_ = Mode::kAnswer;
  }
  return step;
}

Step CommandReader::NextOctets() {
  if (remaining_ == 0) {
    EndLines();
    mode_ = Mode::kAfterMessage;
    return NextAfterMessage();
  }
  if (input_.empty()) return NeedMore();
  auto octets =
      input_.view().substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input_.size())));
  const std::size_t nul = binary_ ? kNotFound : octets.find('\0');
  if (nul == 0) {
    SkipFrom(remaining_);
    return BadCommand{std::exchange(tag_, {}), Bad("NUL in a literal: use literal8")};
  }
  octets = octets.substr(0, nul);  // so that what is given out does not depend on how it arrived
  input_.Consume(octets.size());
  remaining_ -= octets.size();
  return AppendOctets{{octets.data(), octets.size()}};
}

Step CommandReader::NextAfterMessage() {
  for (;;) {
    const std::string_view all = input_.view();
    const std::size_t lf = all.size() > scanned_ ? all.find('\n', scanned_) : kNotFound;
    const std::size_t line_end = lf == kNotFound ? all.size() : lf + 1;
    if (line_end > line_begin_ && line_octets_ + (line_end - line_begin_) > MaxLine())
      return Refused(line_begin_, std::exchange(tag_, {}), Bad("Command line is too long"));
    if (lf == kNotFound) {
      scanned_ = std::max(scanned_, all.size());
      return NeedMore();
    }
    const std::string_view octets = all.substr(0, line_end);
    auto fragment = parse::ParseAfterMessage(octets, in_catenate_);
    if (fragment) {
      auto refusal = Count(*fragment);
      if (refusal) return Refused(line_begin_, std::exchange(tag_, {}), *std::move(refusal));
      input_.Consume(line_end);
      EndLines();
      Begin(*std::move(fragment));
      return NextStep();
    }
    const auto literal = parse::FindLiteralTail(octets.substr(line_begin_));
    if (!literal || !fragment.error().incomplete)
      return Refused(line_begin_, std::exchange(tag_, {}), ReplyTo(fragment.error(), metadata_value_limit_));
    Step step = Literal(line_end, *literal, tag_);
    if (!std::holds_alternative<NeedBytes>(step)) return step;
  }
}

bool CommandReader::Skip() {
  for (;;) {
    if (mode_ == Mode::kSkipOctets) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input_.size()));
      input_.Consume(n);
      remaining_ -= n;
      if (remaining_ > 0) return false;
      mode_ = Mode::kSkipLine;
    }
    const std::string_view all = input_.view();
    const std::size_t lf = all.find('\n');
    if (lf == kNotFound) {
      // The end may be half of a literal's announcement: keep as much as decides it.
      const std::size_t n =
          all.size() > parse::kLongestLiteralTail ? all.size() - parse::kLongestLiteralTail : 0;
      skipped_ += n;
      input_.Consume(n);
      return false;
    }
    const auto literal = parse::FindLiteralTail(all.substr(0, lf + 1));
    input_.Consume(lf + 1);
    skipped_ += lf + 1;
    if (!literal || literal->synchronizing) {
      // A synchronising literal ends the command too: the client hears of the refusal and does not send it.
      EndCommand();
      return true;
    }
    remaining_ = literal->size;
    skipped_ += std::min(literal->size, MaxSkipped() + 1);
    mode_ = Mode::kSkipOctets;
    if (skipped_ > MaxSkipped()) return false;
  }
}

void CommandReader::Accept() {
  if (mode_ == Mode::kAnswer) mode_ = Mode::kOctets;
}

void CommandReader::Refuse() {
  if (mode_ != Mode::kAnswer && mode_ != Mode::kSteps) return;
  ForgetTag();
  const std::uint64_t octets = remaining_;
  EndCommand();
  if (!synchronizing_) SkipFrom(octets);  // over the limit, Next() says so
}

void CommandReader::ExpectLine() {
  if (mode_ == Mode::kCommand) mode_ = Mode::kLine;
}

void CommandReader::SetAuthenticated() { authenticated_ = true; }
void CommandReader::SetNotAuthenticated() { authenticated_ = false; }

void CommandReader::DropInput() {
  input_.Release();
  if (mode_ != Mode::kDead) EndCommand();
}

bool CommandReader::HasInput() const { return !input_.empty(); }

std::size_t CommandReader::HeapBytes() const {
  const std::size_t said = said_ ? sizeof *said_ + said_->steps.capacity() * sizeof said_->steps[0] : 0;
  return input_.capacity() + (tag_.capacity() > std::string().capacity() ? tag_.capacity() : 0) + said;
}

}  // namespace protocol
