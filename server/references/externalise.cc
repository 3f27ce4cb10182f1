// References in place of the data.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocol/cpm/body.h"
#include "protocol/model/ascii.h"
#include "server/references/header_fields.h"
#include "server/references/message_exchange.h"

namespace server::references {
namespace {

namespace ascii = protocol::ascii;
using protocol::mime::Parts;
using storage::Errc;
using storage::Fail;
using storage::Result;

constexpr std::uint64_t kMaxHeader = 256 * 1024;  ///< that is taken apart

/// Octets of a stored message that are replaced.
struct Edit {
  protocol::mime::Extent place;
  std::string text;
};

/// What becomes of a stored message when references take the place of parts.
class Editor {
 public:
  explicit Editor(PartReader& whole) : whole_(whole) {}

  Result<> Replace(const Attachment& which, const Issued& issued) {
    const Parts& parts = which.inside ? which.inside->parts : whole_.parts();
    const std::uint64_t base = which.inside ? which.inside->entity.offset : 0;
    std::vector<std::uint32_t> path = which.section.part;
    if (which.inside) path = PathOf(*which.inside, *which.partial).value_or(std::vector<std::uint32_t>{});
    const auto* part = protocol::mime::FindPart(parts, path);
    if (part == nullptr) return {};
    Edit edit{{base + part->header_begin, part->body_end - part->header_begin}, {}};
    if (part == parts.data()) {
      // All there is: what does not speak of the content stays.
      if (part->body_begin - part->header_begin > kMaxHeader)
        return Fail(Errc::kTooBig, fmt::format("the message's header has more than {} octets", kMaxHeader));
      const auto header =
          protocol::cpm::ReadOctets(whole_.source(), edit.place.offset, base + part->body_begin);
      if (!header) return Unreadable();
      for (const auto& field : FieldsOf(*header))
        if (!ascii::Lower(field.name).starts_with("content-")) AddLines(edit.text, field.lines);
    }
    edit.text += issued.external_body;
    edits_.push_back(std::move(edit));
    if (which.inside && (insides_.empty() || insides_.back() != which.inside))
      insides_.push_back(which.inside);
    return {};
  }

  /// After all of Replace().
  Result<> CorrectLengths() {
    Sort();
    std::uint64_t at = 0;
    std::erase_if(edits_, [&](const Edit& edit) {
      if (edit.place.offset < at) return true;  // within one before it
      at = edit.place.offset + edit.place.length;
      return false;
    });
    for (const auto& inside : insides_) RETURN_IF_ERROR(CorrectLengths(inside->parts, inside->entity.offset));
    return CorrectLengths(whole_.parts(), 0);
  }

  /// Ascending, apart from each other.
  std::vector<Edit> Take() {
    Sort();
    return std::move(edits_);
  }

 private:
  static tl::unexpected<storage::Error> Unreadable() {
    return Fail(Errc::kUnavailable, "the message cannot be read");
  }

  void Sort() {
    std::ranges::sort(edits_, {}, [](const Edit& edit) { return edit.place.offset; });
  }

  Result<> CorrectLengths(const Parts& parts, std::uint64_t base) {
    // What is within others goes before them: its header is a part of their bodies.
    for (std::size_t i = parts.size(); i-- > 0;) {
      const std::uint64_t header_begin = base + parts[i].header_begin;
      const std::uint64_t begin = base + parts[i].body_begin;
      const std::uint64_t end = base + parts[i].body_end;
      std::uint64_t size = end - begin;
      bool changed = false;
      for (const auto& edit : edits_) {
        if (edit.place.offset < begin || edit.place.offset + edit.place.length > end) continue;
        size += edit.text.size() - edit.place.length;
        changed = true;
      }
      if (!changed || begin - header_begin > kMaxHeader) continue;
      const auto header = protocol::cpm::ReadOctets(whole_.source(), header_begin, begin);
      if (!header) return Unreadable();
      for (const auto& field : FieldsOf(*header)) {
        if (!ascii::EqualNoCase(field.name, "Content-Length")) continue;
        const auto offset = static_cast<std::uint64_t>(field.lines.data() - header->data());
        edits_.push_back(
            {{header_begin + offset, field.lines.size()}, fmt::format("Content-Length: {}\r\n", size)});
        break;  // whoever sends a message says how many it has
      }
    }
    return {};
  }

  PartReader& whole_;
  std::vector<Edit> edits_;
  std::vector<CpimInsidePtr> insides_;  ///< each once
};

}  // namespace

Result<MessagePlan> Externalise(storage::MailStore& store, storage::FolderRef folder, storage::Uid uid,
                                const std::vector<Attachment>& parts, const std::vector<Issued>& issued) {
  ASSIGN_OR_RETURN(auto opened, PartReader::Open(store, {folder, uid, {}, {}, {}}));
  if (!opened) return Fail(Errc::kNoSuchMessage, "the message is gone");
  const std::shared_ptr<PartReader> whole = std::move(opened);
  Editor editor(*whole);
  for (std::size_t i = 0; i < parts.size(); ++i) RETURN_IF_ERROR(editor.Replace(parts[i], issued[i]));
  RETURN_IF_ERROR(editor.CorrectLengths());
  MessagePlan plan;
  std::uint64_t at = 0;
  for (auto& edit : editor.Take()) {
    plan.AddStored(whole, {at, edit.place.offset - at});
    plan.AddText(std::move(edit.text));
    at = edit.place.offset + edit.place.length;
  }
  const std::uint64_t size = whole->source().size();
  plan.AddStored(whole, {at, size - at});
  return plan;
}

}  // namespace server::references
