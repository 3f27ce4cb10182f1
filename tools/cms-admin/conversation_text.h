#pragma once

#include <string>
#include <vector>

#include "tools/cms-admin/conversation_model.h"
#include "tools/cms-admin/terminal.h"

/// Conversations for people at a terminal. Nothing of a message reaches it unseen: text_width.h. Lines are no
/// wider than the style says, save folder names.
namespace admin {

/// One line a conversation, the latest first; the folder below where the title does not say it.
std::string ConversationTable(std::vector<ConversationHead> heads, const OutputStyle& style);

/// All objects by thread, replies indented; receipts with the messages that they are about.
std::string ConversationText(const Conversation& conversation, const OutputStyle& style);

/// "read by Bea 10:16; delivered to Cem 10:15", in a 1-1 conversation without the name; empty: nothing known.
/// `utf8`-visible already.
std::string ReceiptText(const Conversation& conversation, const ConversationObject& object);

}  // namespace admin
