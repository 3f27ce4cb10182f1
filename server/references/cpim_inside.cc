#include "server/references/cpim_inside.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "protocol/cpm/body.h"
#include "protocol/cpm/cpim.h"
#include "protocol/cpm/limits.h"
#include "protocol/mime/inspect.h"
#include "protocol/mime/reencode.h"
#include "server/references/leaves.h"

namespace server::references {
namespace {

using protocol::mime::Part;
using storage::Errc;
using storage::Fail;

constexpr std::string_view kInstead = "name the part that is the CPIM, or the message";

storage::Error Unreadable() { return {Errc::kUnavailable, "the message cannot be read"}; }

}  // namespace

std::size_t EntityBegin(std::string_view body) {
  std::size_t at = 0;
  for (;;) {
    const std::size_t end = body.find('\n', at);
    if (end == std::string_view::npos) return body.size();
    const auto line = body.substr(at, end - at);
    at = end + 1;
    if (line.empty() || line == "\r") return at;
  }
}

std::int64_t WindowSource::Read(std::uint64_t offset, std::span<char> out) {
  if (offset >= extent_.length) return 0;
  const auto most = std::min<std::uint64_t>(out.size(), extent_.length - offset);
  return whole_.Read(extent_.offset + offset, out.first(most));
}

std::int64_t WindowSource::Share(std::uint64_t offset, std::size_t most, protocol::mime::Octets& out) {
  out = {};
  if (offset >= extent_.length) return 0;
  return whole_.Share(extent_.offset + offset, std::min<std::uint64_t>(most, extent_.length - offset), out);
}

storage::Result<CpimInsidePtr> LookInside(storage::AccountId account, storage::ObjectId object,
                                          protocol::mime::Source& message, const Part& cpim) {
  if (cpim.encoding > protocol::mime::Encoding::kBinary)
    return Fail(Errc::kNotAllowed,
                fmt::format("the message has a CPIM that has a Content-Transfer-Encoding itself, so nothing "
                            "can refer to an attachment within it: {}",
                            kInstead));
  const std::uint64_t size = cpim.body_end - cpim.body_begin;
  const auto most = std::min<std::uint64_t>(size, protocol::cpm::kMaxCpimHeader);
  const auto begin = protocol::cpm::ReadOctets(message, cpim.body_begin, cpim.body_begin + most);
  if (!begin) return tl::unexpected(Unreadable());
  const auto read = protocol::cpm::ReadCpim(*begin, size);
  if (!read)
    return Fail(Errc::kNotAllowed,
                fmt::format("the message has a CPIM that is malformed, so nothing can refer to an attachment "
                            "within it ({}): {}",
                            read.error().text, kInstead));
  auto out = std::make_shared<CpimInside>();
  out->account = account;
  out->object = object;
  out->cpim_begin = cpim.body_begin;
  const std::uint64_t skip = EntityBegin(*begin);
  out->entity = {cpim.body_begin + skip, read->content_begin + read->content_size - skip};
  WindowSource entity(message, out->entity);
  auto inspection = protocol::mime::Inspect(entity);
  if (!inspection) return tl::unexpected(Unreadable());
  out->parts = std::move(inspection->parts);
  out->body_structure = std::move(inspection->body_structure);
  if (inspection->has_nul) {
    auto reencoded = protocol::mime::Reencode(entity, out->parts);
    if (!reencoded) return tl::unexpected(Unreadable());
    if (*reencoded) {
      out->served = std::move((*reencoded)->served);
      out->body_structure = std::move((*reencoded)->body_structure);
    }
  }
  return CpimInsidePtr(std::move(out));
}

std::optional<protocol::UrlPartial> PartialOf(const CpimInside& inside, const Part& part) {
  constexpr std::uint64_t kFurthest = std::numeric_limits<std::uint32_t>::max();
  const std::uint64_t offset = inside.entity.offset - inside.cpim_begin + part.body_begin;
  const std::uint64_t count = part.body_end - part.body_begin;
  if (count == 0 || offset > kFurthest || count > kFurthest) return std::nullopt;
  return protocol::UrlPartial{static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(count)};
}

std::optional<std::vector<std::uint32_t>> PathOf(const CpimInside& inside,
                                                 const protocol::UrlPartial& partial) {
  std::optional<std::vector<std::uint32_t>> out;
  ForEachLeaf(inside.parts, [&](std::size_t index, const std::vector<std::uint32_t>& at) {
    if (PartialOf(inside, inside.parts[index]) == partial) out = at;
    return !out;
  });
  return out;
}

}  // namespace server::references
