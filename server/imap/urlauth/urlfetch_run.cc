#include "server/imap/urlauth/urlfetch_run.h"

#include <algorithm>
#include <utility>

namespace server::imap {

using protocol::write::UrlFetchResponse;
using references::PartReader;
using storage::Result;
using Begun = PartReader::Begun;
using Form = PartReader::Form;
using Request = protocol::command::UrlFetch::Request;

Result<bool> UrlFetchRun::Produce() {
  const auto until = clock_.Now() + kTime;
  while (out_.size() < kProduce && clock_.Now() < until) {
    if (sending_) {
      RETURN_IF_ERROR(WriteOctets());
    } else if (next_ < cmd_.requests.size()) {
      RETURN_IF_ERROR(Begin(cmd_.requests[next_]));
      ++next_;
    } else {
      response_->End();
      return true;
    }
  }
  return false;
}

std::optional<std::string> UrlFetchRun::StructureOf(PartReader& reader, bool decoded, Known& known) {
  if (!decoded) return reader.Structure(Form::kAsServed);
  if (!known.decoded_structure) known.decoded_structure = reader.Structure(Form::kDecoded);
  return known.decoded_structure;
}

UrlFetchRun::Place UrlFetchRun::PlaceOf(const references::MessagePart& part, bool within) {
  const auto partial = within ? part.partial.value_or(protocol::UrlPartial{}) : protocol::UrlPartial{};
  return {part.folder, part.uid, part.section.part, partial.offset, partial.count.value_or(0)};
}

/// RFC 4467 §7: NIL is all that is said of a URL that is not good, for whatever reason.
Result<> UrlFetchRun::Begin(const Request& request) {
  ASSIGN_OR_RETURN(auto named, authority_.Look(request.url, bearer_));
  std::unique_ptr<PartReader> reader;
  Known header;  // of what is no body part there is nothing to know
  Known* known = &header;
  if (named) {
    auto& part = named->part;
    redeemed_(part);
    const bool all = part.section.kind == protocol::Section::Kind::kAll;
    if (all) known = &known_[PlaceOf(part, known_.contains(PlaceOf(part, true)))];
    if (!part.decoded_size) part.decoded_size = known->decoded_size;
    ASSIGN_OR_RETURN(reader, PartReader::Open(store_, part, actor_, inside_));
    if (reader && reader->inside()) {
      inside_ = reader->inside();
      known = &known_[PlaceOf(part, true)];
    }
  }
  std::string structure;
  bool good = reader != nullptr;
  if (good && request.body_part_structure) {
    auto found = StructureOf(*reader, request.binary, *known);
    good = found.has_value();
    structure = std::move(found).value_or("");
  }
  const bool octets = !request.extended() || request.body || request.binary;
  Begun begun = Begun::kOpen;
  if (good && octets) {
    begun = reader->Begin(request.binary ? Form::kDecoded : Form::kAsServed);
    known->decoded_size = reader->known_decoded_size();
    good = begun == Begun::kOpen || begun == Begun::kUnknownEncoding;
    if (begun == Begun::kOpen) {
      ASSIGN_OR_RETURN(good, authority_.NoteFetch(*named));
    }
  }

  if (!response_) response_ = std::make_unique<UrlFetchResponse>(out_.text());
  response_->Url(request.url);
  if (!good) {
    response_->Nil();
    return {};
  }
  if (request.body_part_structure) response_->Structure(structure);
  if (!octets) return {};
  if (begun == Begun::kUnknownEncoding) {
    response_->BinaryNil();
    return {};
  }
  if (!request.extended()) {
    response_->Literal(reader->size());
  } else if (request.binary) {
    response_->OpenBinary(reader->size(), reader->nul());
  } else {
    response_->OpenBody(reader->size());
  }
  close_ = request.extended();
  sending_ = std::move(reader);
  return {};
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
