#include "server/references/attachments.h"

#include <utility>

#include <fmt/format.h>

#include "protocol/cpm/body.h"
#include "protocol/cpm/cpim.h"
#include "protocol/cpm/limits.h"
#include "protocol/cpm/part_head.h"
#include "protocol/mime/parameters.h"
#include "protocol/model/ascii.h"
#include "server/references/leaves.h"

namespace server::references {
namespace {

using protocol::Section;
using storage::Errc;
using storage::Fail;
using storage::Result;

/// A message/cpim whose content is what it says: text, a notification, or a document that only programs read,
/// such as that of a file transfer. There is no attachment in it.
bool SaysItself(const protocol::mime::Part& part, protocol::mime::Source& source) {
  const auto begin = protocol::cpm::ReadBody(part, source, protocol::cpm::kMaxCpimHeader);
  if (!begin) return false;
  const auto cpim = protocol::cpm::ReadCpim(*begin, part.body_end - part.body_begin);
  if (!cpim) return false;
  const auto type = protocol::mime::ParseStructuredValue(cpim->content_type);
  const bool document = protocol::ascii::EqualNoCase(type.type, "application") &&
                        protocol::ascii::Lower(type.subtype).ends_with("+xml");
  return document || protocol::ascii::EqualNoCase(type.type, "text") ||
         protocol::ascii::EqualNoCase(type.type, "message");
}

/// The attachments of a message, as they are found. Whoever sends a message says how many parts it has: each
/// is looked at once.
class Finder {
 public:
  Finder(const MessagePart& message, PartReader& whole, const ChargeOctets& charge)
      : message_(message), whole_(whole), charge_(charge) {}

  Result<std::vector<Attachment>> Run() {
    Result<> found;
    const auto& parts = whole_.parts();
    ForEachLeaf(parts, [&](std::size_t index, const std::vector<std::uint32_t>& at) {
      if (!MayBeTaken(parts[index]) || IsShown(parts, whole_.source(), index)) return true;
      Attachment one{{.part = at, .kind = Section::Kind::kAll, .fields = {}}, {}, {}};
      found = parts[index].media == protocol::mime::Media::kCpim ? AddWithin(parts[index], one)
                                                                 : Add(std::move(one));
      return found.has_value();
    });
    if (!found) return tl::unexpected<storage::Error>(found.error());
    return std::move(out_);
  }

 private:
  /// What nobody can decode stays where it is.
  static bool MayBeTaken(const protocol::mime::Part& part) {
    return part.encoding != protocol::mime::Encoding::kUnknown;
  }

  /// Or says how others are, or says what a text would.
  static bool IsShown(const protocol::mime::Parts& parts, protocol::mime::Source& source, std::size_t index) {
    const auto head = protocol::cpm::ReadPartHead(parts, source, index);
    if (head.media_type == "text/plain" && head.disposition != "attachment" && head.name.empty()) return true;
    if (parts[index].media == protocol::mime::Media::kCpim) return SaysItself(parts[index], source);
    return head.media_type == "application/smil";
  }

  Result<> AddWithin(const protocol::mime::Part& cpim, const Attachment& whole) {
    RETURN_IF_ERROR(charge_(cpim.body_end - cpim.body_begin));
    ASSIGN_OR_RETURN(const auto inside,
                     LookInside(message_.folder.account, whole_.object(), whole_.source(), cpim));
    WindowSource entity(whole_.source(), inside->entity);
    Result<> found;
    ForEachLeaf(inside->parts, [&](std::size_t index, const auto&) {
      const auto partial = PartialOf(*inside, inside->parts[index]);
      if (!partial || !MayBeTaken(inside->parts[index]) || IsShown(inside->parts, entity, index)) return true;
      found = Add({whole.section, partial, inside});
      return found.has_value();
    });
    return found;
  }

  Result<> Add(Attachment one) {
    if (out_.size() == storage::kMaxReferencesAtOnce)
      return Fail(Errc::kLimit, fmt::format("the message has more than {} attachments: name the parts",
                                            storage::kMaxReferencesAtOnce));
    out_.push_back(std::move(one));
    return {};
  }

  const MessagePart& message_;
  PartReader& whole_;
  const ChargeOctets& charge_;
  std::vector<Attachment> out_;
};

}  // namespace

Result<std::vector<Attachment>> FindAttachments(const MessagePart& message, PartReader& whole,
                                                const ChargeOctets& charge) {
  return Finder(message, whole, charge).Run();
}

}  // namespace server::references
