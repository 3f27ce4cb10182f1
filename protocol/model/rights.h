#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace protocol {

/// What may be done with a mailbox, a letter each (RFC 4314 §2.1; `n`: RFC 5257 §3.4). The number is the
/// right's bit, on disk: append only.
enum class Right : std::uint8_t {
  kLookup = 0,          ///< l: it is seen by LIST
  kRead = 1,            ///< r: SELECT, STATUS
  kSeen = 2,            ///< s: \Seen
  kWrite = 3,           ///< w: flags but \Seen and \Deleted
  kInsert = 4,          ///< i: APPEND, COPY into it
  kPost = 5,            ///< p: mail to it; nothing here sends mail, it is kept for clients that set it
  kCreate = 6,          ///< k: CREATE below it, RENAME to below it
  kDeleteMailbox = 7,   ///< x: DELETE, RENAME
  kDeleteMessages = 8,  ///< t: \Deleted
  kExpunge = 9,         ///< e: EXPUNGE, and as a part of CLOSE
  kAdminister = 10,     ///< a: SETACL, DELETEACL, GETACL, LISTRIGHTS
  kAnnotate = 11,       ///< n: shared annotations
};
inline constexpr int kRightCount = 12;
/// The letter of right i.
inline constexpr std::string_view kRightLetters = "lrswipkxtean";

/// A set of rights.
class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(Right right) : bits_(Bit(right)) {}  // NOLINT: implicit by design, a right is a set of one
  static constexpr Rights All() { return FromBits((1U << kRightCount) - 1); }
  /// Bits that stand for no right are dropped.
  static constexpr Rights FromBits(std::uint32_t bits) {
    Rights out;
    out.bits_ = static_cast<std::uint16_t>(bits & ((1U << kRightCount) - 1));
    return out;
  }
  /// Of letters, in any order. `c` and `d` are read as in RFC 2086: `c` is `kx`, `d` is `te` (RFC 4314 §2.1.1
  /// lets either have the `x`; who lets a friend delete messages does not let them delete the mailbox).
  /// nullopt: a letter that is none.
  static std::optional<Rights> Parse(std::string_view letters);

  /// In the order of kRightLetters, then `c` and `d` if any of theirs is there, as RFC 4314 §2.1.1 demands of
  /// ACL, MYRIGHTS and LISTRIGHTS.
  std::string Letters() const;

  constexpr std::uint16_t bits() const { return bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool Has(Right right) const { return (bits_ & Bit(right)) != 0; }
  constexpr bool HasAll(Rights other) const { return (bits_ & other.bits_) == other.bits_; }
  constexpr bool HasAny(Rights other) const { return (bits_ & other.bits_) != 0; }

  friend constexpr Rights operator|(Rights a, Rights b) { return FromBits(a.bits_ | b.bits_); }
  friend constexpr Rights operator&(Rights a, Rights b) { return FromBits(a.bits_ & b.bits_); }
  /// Those of `a` that `b` has not.
  friend constexpr Rights operator-(Rights a, Rights b) {
    return FromBits(a.bits_ & ~std::uint32_t{b.bits_});
  }
  friend constexpr bool operator==(Rights, Rights) = default;

 private:
  static constexpr std::uint16_t Bit(Right right) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(right));
  }
  std::uint16_t bits_ = 0;
};
constexpr Rights operator|(Right a, Right b) { return Rights(a) | Rights(b); }

/// The letter of one right.
constexpr char Letter(Right right) { return kRightLetters[static_cast<std::size_t>(right)]; }

/// mod-rights of SETACL (RFC 4314 §3.1).
struct RightsChange {
  enum class Op : std::uint8_t { kReplace, kAdd, kRemove };
  Op op = Op::kReplace;
  Rights rights;

  Rights ApplyTo(Rights before) const;
  friend bool operator==(const RightsChange&, const RightsChange&) = default;
};

}  // namespace protocol
