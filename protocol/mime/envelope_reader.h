#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace protocol::mime {

/// Reads again what Envelope() wrote, without copying what is not asked for. Of other text it makes something
/// or nothing, never more than is there.
///
/// Lifetime   the envelope's octets outlive it.
class EnvelopeReader {
 public:
  /// In the order of RFC 3501 §7.4.2.
  enum class Field : std::uint8_t {
    kDate,
    kSubject,
    kFrom,
    kSender,
    kReplyTo,
    kTo,
    kCc,
    kBcc,
    kInReplyTo,
    kMessageId
  };

  /// One address structure; nullopt for NIL. The source route is passed over.
  struct Address {
    std::optional<std::string> name;
    std::optional<std::string> mailbox;
    std::optional<std::string> host;
    friend bool operator==(const Address&, const Address&) = default;
  };

  explicit EnvelopeReader(std::string_view envelope);

  /// The value of a field that is a string; nullopt for NIL.
  std::optional<std::string> Text(Field field) const;
  /// The first of a list of addresses; nullopt for NIL.
  std::optional<Address> First(Field field) const;

 private:
  static constexpr std::size_t kFields = 10;
  std::array<std::string_view, kFields> fields_;  ///< as they stand
};

}  // namespace protocol::mime
