#include "server/imap/urlauth/urlfetch_run.h"

#include <algorithm>
#include <utility>

#include "storage/memory_only.h"

namespace server::imap {

using protocol::write::UrlFetchResponse;
using references::PartReader;
using storage::Result;
using Begun = PartReader::Begun;
using Form = PartReader::Form;

namespace {

bool HasOctets(const protocol::command::UrlFetch::Request& request) {
  return !request.extended() || request.body || request.binary;
}

}  // namespace

bool UrlFetchRun::BeginAtOnce() {
  auto prepared = PrepareAtOnce();
  // Those that are no good take as long as each other, whatever of them is in memory (RFC 4467 §6). Of what
  // is another's the owner is looked up, to write the act down.
  if (!prepared || !prepared->good || prepared->named->folder.account != bearer_.account) {
    work_ = 0;  // it is done anew
    return false;
  }
  Write(cmd_.requests.front(), *std::move(prepared));
  ++next_;
  WriteOctetsAtOnce();
  return EndIfAll();
}

/// What falls short, or cannot be read at all, Produce() meets, too.
void UrlFetchRun::WriteOctetsAtOnce() {
  const storage::MemoryOnly here;
  for (bool written = true; written && sending_ && !out_.HasStep();) written = WriteOctets().has_value();
}

std::optional<UrlFetchRun::Prepared> UrlFetchRun::PrepareAtOnce() {
  const storage::MemoryOnly here;
  auto prepared = Prepare(cmd_.requests.front());
  if (here.FellShort() || !prepared) return std::nullopt;
  return *std::move(prepared);
}

Result<bool> UrlFetchRun::Produce() {
  const auto until = clock_.Now() + kTime;
  while (sending_ || next_ < cmd_.requests.size()) {
    if (out_.HasStep() || clock_.Now() >= until) return false;
    if (sending_) {
      RETURN_IF_ERROR(WriteOctets());
      continue;
    }
    ASSIGN_OR_RETURN(auto prepared, Prepare(cmd_.requests[next_]));
    Write(cmd_.requests[next_], std::move(prepared));
    ++next_;
  }
  return EndIfAll();
}

bool UrlFetchRun::EndIfAll() {
  if (sending_ || next_ < cmd_.requests.size()) return false;
  response_->End();
  return true;
}

std::optional<std::string> UrlFetchRun::StructureOf(PartReader& reader, bool decoded, Known& known) {
  if (decoded && known.decoded_structure) return known.decoded_structure;
  const Form form = decoded ? Form::kDecoded : Form::kAsServed;
  work_ += reader.ToCount(form);
  auto structure = reader.Structure(form);
  if (decoded) known.decoded_structure = structure;
  return structure;
}

UrlFetchRun::Place UrlFetchRun::PlaceOf(const references::MessagePart& part, bool within) {
  const auto partial = within ? part.partial.value_or(protocol::UrlPartial{}) : protocol::UrlPartial{};
  return {part.folder, part.uid, part.section.part, partial.offset, partial.count.value_or(0)};
}

Result<UrlFetchRun::Prepared> UrlFetchRun::Prepare(const Request& request) {
  Prepared answer;
  if (work_ >= most_work_) {
    gave_up_ = true;
    return answer;
  }
  ASSIGN_OR_RETURN(auto named, authority_.Look(request.url, bearer_));
  Known header;  // of what is no body part there is nothing to know
  Known* known = &header;
  if (named) {
    auto& part = named->part;
    answer.named = part;
    const bool all = part.section.kind == protocol::Section::Kind::kAll;
    if (all) known = &known_[PlaceOf(part, known_.contains(PlaceOf(part, true)))];
    if (!part.decoded_size) part.decoded_size = known->decoded_size;
    ASSIGN_OR_RETURN(answer.reader, PartReader::Open(store_, part, inside_));
    if (answer.reader && answer.reader->looked_into() && answer.reader->looked_into() != inside_) {
      inside_ = answer.reader->looked_into();
      work_ += inside_->entity.length;
    }
    if (answer.reader && answer.reader->inside()) known = &known_[PlaceOf(part, true)];
  }
  auto& reader = answer.reader;
  answer.good = reader != nullptr;
  if (answer.good && request.body_part_structure) {
    auto found = StructureOf(*reader, request.binary, *known);
    answer.good = found.has_value();
    answer.structure = std::move(found).value_or("");
  }
  if (answer.good && HasOctets(request)) {
    if (request.binary) work_ += reader->ToDecode();
    answer.begun = reader->Begin(request.binary ? Form::kDecoded : Form::kAsServed);
    known->decoded_size = reader->known_decoded_size();
    answer.good = answer.begun == Begun::kOpen || answer.begun == Begun::kUnknownEncoding;
    if (answer.begun == Begun::kOpen) {
      if (reader->deferred()) named->accessed_by = actor_;
      const auto noted = authority_.NoteFetch(*named);
      // That is no reason to break off what may be in the midst of others' answers.
      answer.withheld = !noted && noted.error().code == storage::Errc::kUnavailable;
      if (!noted && !answer.withheld) return tl::unexpected<storage::Error>(noted.error());
      answer.good = noted && *noted;
    }
  }
  return answer;
}

/// RFC 4467 §7: NIL is all that is said of a URL that is not good, for whatever reason.
void UrlFetchRun::Write(const Request& request, Prepared prepared) {
  if (prepared.named) redeemed_(*prepared.named);
  withheld_ = withheld_ || prepared.withheld;
  if (!response_) response_ = std::make_unique<UrlFetchResponse>(out_.text());
  response_->Url(request.url);
  if (!prepared.good) {
    response_->Nil();
    return;
  }
  if (request.body_part_structure) response_->Structure(prepared.structure);
  if (!HasOctets(request)) return;
  if (prepared.begun == Begun::kUnknownEncoding) {
    response_->BinaryNil();
    return;
  }
  auto& reader = prepared.reader;
  if (!request.extended()) {
    response_->Literal(reader->size());
  } else if (request.binary) {
    response_->OpenBinary(reader->size(), reader->nul());
  } else {
    response_->OpenBody(reader->size());
  }
  close_ = request.extended();
  sending_ = std::move(reader);
}

Result<> UrlFetchRun::WriteOctets() {
  protocol::mime::Octets piece;
  if (!sending_->TakeSome(piece))
    return storage::Fail(storage::Errc::kUnavailable, "the octets of a message are gone while it is sent");
  out_.Append(std::move(piece));
  if (sending_->left() > 0) return {};
  sending_.reset();
  if (std::exchange(close_, false)) response_->Close();
  return {};
}

}  // namespace server::imap
