#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/model/ascii.h"

namespace protocol::parse {
namespace {

constexpr std::array<std::pair<std::string_view, QuotaResource>, 4> kResources{{
    {"STORAGE", QuotaResource::kStorage},
    {"MESSAGE", QuotaResource::kMessage},
    {"MAILBOX", QuotaResource::kMailbox},
    {"ANNOTATION-STORAGE", QuotaResource::kAnnotationStorage},
}};

// quota-root-name = astring                                          ; RFC 9208 §7
std::string ParseRoot(Cursor& in) {
  in.Space();
  return grammar::ParseAstring(in, limits::kQuotaRoot);
}

// setquota-resource = resource-name SP resource-limit
// resource-limit = number64, of 63 bits
command::SetQuota::Limit ParseLimit(Cursor& in) {
  command::SetQuota::Limit out;
  const std::string_view name = grammar::ParseAtom(in, limits::kQuotaResourceName, "resource-name");
  for (const auto& [known, resource] : kResources) {
    if (ascii::EqualNoCase(known, name)) out.resource = resource;
  }
  in.Space();
  const std::size_t start = in.offset();
  out.limit = grammar::ParseNumber64(in);
  if (!in.failed() && out.limit > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
    in.FailAt(start, "number of 63 bits");
  return out;
}

}  // namespace

// getquota = "GETQUOTA" SP quota-root-name
Parsed<command::GetQuota> ParseGetQuota(Cursor& in) {
  command::GetQuota cmd;
  cmd.root = ParseRoot(in);
  return in.Finish(std::move(cmd));
}

// getquotaroot = "GETQUOTAROOT" SP mailbox
Parsed<command::GetQuotaRoot> ParseGetQuotaRoot(Cursor& in) {
  command::GetQuotaRoot cmd;
  in.Space();
  cmd.mailbox = grammar::ParseMailbox(in);
  return in.Finish(std::move(cmd));
}

// setquota = "SETQUOTA" SP quota-root-name SP setquota-list
// setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")"
Parsed<command::SetQuota> ParseSetQuota(Cursor& in) {
  command::SetQuota cmd;
  cmd.root = ParseRoot(in);
  in.Space();
  in.Expect('(', "\"(\"");
  if (in.Accept(')')) return in.Finish(std::move(cmd));
  do {
    const std::size_t start = in.offset();
    if (cmd.limits.size() == limits::kQuotaResources) {
      in.Fail("fewer resources");
      break;
    }
    auto limit = ParseLimit(in);
    const auto same = [&](const auto& other) { return other.resource == limit.resource; };
    if (limit.resource && std::ranges::any_of(cmd.limits, same))
      in.FailAt(start, "resource that is not in the list yet");
    cmd.limits.push_back(limit);
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
