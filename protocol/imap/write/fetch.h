#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/imap/command/fetch.h"
#include "protocol/model/flags.h"
#include "protocol/model/ids.h"
#include "protocol/model/internal_date.h"

namespace protocol::write {

/// One "* n FETCH (...)" response (RFC 3501 §7.4.2), item by item, in the order of the calls: the caller
/// gives UID first. Nothing is allocated but by `out`.
///
/// A large item is streamed: LiteralHeader-like calls end with the literal's announcement, the caller sends
/// the octets by itself (flushing `out` as it likes) and goes on with the next item.
class FetchResponse {
 public:
  FetchResponse(std::string& out, SeqNum number);
  /// "* n UIDFETCH (...)" (RFC 9586 §3): the number is the UID.
  FetchResponse(std::string& out, protocol::Uid uid);

  void Uid(protocol::Uid uid);
  /// As write::FlagList.
  void Flags(std::uint32_t system_bits, std::uint64_t keyword_bits,
             std::span<const std::string> keyword_table, bool recent);
  void Flags(const FlagSet& flags, bool recent);
  void InternalDate(const protocol::InternalDate& date);
  void Rfc822Size(std::uint64_t octets);
  void EmailId(ObjectId object);
  /// nullopt: NIL, the server knows no thread.
  void ThreadId(std::optional<std::string_view> id);
  /// nullopt: NIL, saved before this was recorded.
  void SaveDate(const std::optional<protocol::InternalDate>& date);

  void ModSeq(protocol::ModSeq modseq);
  /// nullopt: NIL, which only an answer to LAZY may be (RFC 8970 §4.1).
  void Preview(std::optional<std::string_view> utf8);

  /// ENVELOPE, BODY or BODYSTRUCTURE with a value that is written already.
  void Structure(FetchItem::Kind kind, std::string_view value);

  /// BODY[...]<n>, RFC822, RFC822.HEADER, RFC822.TEXT or BINARY[...]: name and "{size}CRLF".
  void LiteralHeader(const FetchItem& item, std::uint64_t size);
  /// BINARY[...] whose octets hold NUL: "~{size}CRLF".
  void Literal8Header(const FetchItem& item, std::uint64_t size);
  /// The same items, whole: a literal with its octets.
  void Literal(const FetchItem& item, std::string_view octets);
  /// The same items, NIL: the part does not exist.
  void Nil(const FetchItem& item);
  void BinarySize(const FetchItem& item, std::uint64_t size);

  void End();
  /// No item has been written; the grammar wants at least one before End().
  bool empty() const { return first_; }

 private:
  void Name(std::string_view name);

  std::string& out_;
  bool first_ = true;
};

/// The name under which an item is answered: "BODY[1.2.HEADER.FIELDS (TO CC)]<0>" (without ".PEEK" and the
/// count).
void FetchItemName(std::string& out, const FetchItem& item);

}  // namespace protocol::write
