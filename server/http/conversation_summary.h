#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "protocol/model/internal_date.h"
#include "storage/store/mail_store.h"

namespace server::http {

/// A conversation as a line of a list: its folder and the session folders below it, taken together.
struct ConversationSummary {
  storage::FolderStatus folder;
  std::vector<storage::FolderStatus> sessions;  ///< in path order
  bool group = false;
  std::string peer;     ///< of a 1-1 conversation: the canonical address
  std::string subject;  ///< of the latest session that has one, UTF-8; empty: none found
  std::uint64_t objects = 0;
  std::uint64_t unread = 0;
  std::optional<protocol::InternalDate> last_activity;  ///< of the object that came last
};

/// `names` are the entries from the conversation's own on, in path order. Reads a few rows a folder, whatever
/// it holds. Blocks.
storage::Result<ConversationSummary> Summarize(storage::MailStore& store, storage::AccountId account,
                                               std::span<const storage::FolderEntry> names);

boost::json::object ToJson(const ConversationSummary& summary);

}  // namespace server::http
