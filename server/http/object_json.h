#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "protocol/cpm/object_view.h"
#include "protocol/model/flags.h"
#include "protocol/model/internal_date.h"
#include "storage/store/folder.h"

namespace server::http {

/// "conversation", "session", ...: as FolderKind and ObjectKind are called in JSON.
std::string_view NameOf(storage::FolderKind kind);
std::string_view NameOf(protocol::ObjectKind kind);
/// The kind that has this name.
std::optional<protocol::ObjectKind> ObjectKindOf(std::string_view name);

/// MAILBOXID (RFC 8474 §4).
std::string MailboxIdOf(storage::FolderId folder);

/// "2016-03-02T10:15:01+01:00" (RFC 3339 §5.6), in the zone that the date was given in.
std::string Rfc3339(const protocol::InternalDate& date);

/// The names of a message's flags.
protocol::FlagSet ToFlagSet(const storage::FlagBits& bits, const storage::KeywordTable& keywords);

/// What the store knows of an object beside its octets.
struct StoredObject {
  std::string folder;
  std::uint32_t uid = 0;
  std::uint64_t size = 0;
  protocol::InternalDate internal_date;
  protocol::FlagSet flags;
};

/// One object of GET .../conversation and .../objects; server/README.md lists the keys. What is not
/// known is left out. Every text is UTF-8, whatever the object holds.
boost::json::object ToJson(const StoredObject& stored, const protocol::cpm::ObjectView& view);

}  // namespace server::http
