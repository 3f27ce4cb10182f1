#include "protocol/mime/envelope.h"

#include <algorithm>
#include <array>

#include "protocol/mime/address_list.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/wire.h"
#include "protocol/model/ascii.h"

namespace protocol::mime {
namespace {

enum Slot { kDate, kSubject, kFrom, kSender, kReplyTo, kTo, kCc, kBcc, kInReplyTo, kMessageId, kSlots };

constexpr std::array<std::string_view, kSlots> kNames{"date", "subject", "from", "sender",      "reply-to",
                                                      "to",   "cc",      "bcc",  "in-reply-to", "message-id"};

constexpr bool IsAddressList(std::size_t slot) { return slot >= kFrom && slot <= kBcc; }
constexpr bool IsRecipientList(std::size_t slot) { return slot >= kTo && slot <= kBcc; }

struct Value {
  bool present = false;
  std::string text;  ///< wire form
};

}  // namespace

std::string Envelope(std::string_view header, std::size_t max) {
  std::array<Value, kSlots> values;
  std::size_t used = 0;
  HeaderReader reader(header);
  while (const auto field = reader.Next()) {
    std::size_t slot = 0;
    while (slot < kSlots && !ascii::EqualNoCase(field->name, kNames[slot])) ++slot;
    if (slot == kSlots) continue;
    Value& value = values[slot];
    if (value.present && (!IsRecipientList(slot) || used >= max / 2)) continue;
    value.present = true;
    // From can be written three times, and no slot may starve the later ones.
    const std::size_t room = std::max<std::size_t>(max - std::min(used, max), 64) / 4;
    const std::size_t before = value.text.size();
    if (IsAddressList(slot)) {
      AppendAddresses(Unfold(field->value), before + room, value.text);
    } else {
      AppendString(Unfold(field->value), room, value.text);
    }
    used += value.text.size() - before;
  }
  for (const Slot slot : {kSender, kReplyTo}) {
    if (values[slot].text.empty()) values[slot] = values[kFrom];
  }

  std::string out = "(";
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (slot > 0) out += ' ';
    const std::string& text = values[slot].text;
    if (text.empty()) {
      out += "NIL";
    } else if (IsAddressList(slot)) {
      out += '(';
      out += text;
      out += ')';
    } else {
      out += text;
    }
  }
  out += ')';
  return out;
}

}  // namespace protocol::mime
