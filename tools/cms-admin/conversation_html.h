#pragma once

#include <cstddef>
#include <functional>
#include <ostream>
#include <string>

#include "tools/cms-admin/conversation_model.h"

namespace admin {

/// The octets of objects[object].files[file]; empty: they cannot be had.
using FetchFile = std::function<std::string(const ConversationObject& object, std::size_t file)>;

/// One page of HTML, complete in itself: no script, nothing that is loaded from elsewhere, no link but within
/// the page; a Content-Security-Policy holds the browser to that. All text is escaped, its direction its own;
/// what would turn a line around is written out, as on a terminal. Raster images are inline, up to a size;
/// other files are named. Reads one image at a time.
void WriteConversationHtml(const Conversation& conversation, const FetchFile& fetch, std::ostream& out);

}  // namespace admin
