#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace protocol {

/// Flags with a meaning to the server or to CPM, one bit each; all others are keywords of their folder.
/// The values are stored on disk: append only.
enum class SystemFlag : std::uint8_t {
  kAnswered = 0,
  kFlagged = 1,
  kDeleted = 2,
  kSeen = 3,
  kDraft = 4,
};
inline constexpr int kSystemFlagCount = 5;

/// "\Seen" etc., spelled as RFC 3501 §2.3.2 does.
std::string_view Name(SystemFlag flag);

/// Keywords with a meaning to CPM (spec note 3.1) that every folder offers before anyone has used them.
inline constexpr std::array<std::string_view, 3> kOfferedKeywords{"$MDNSent", "$Forwarded",
                                                                  "\\read-report-sent"};
inline constexpr std::string_view kArchivedKeyword = "$Archived";

/// Whether two names are one keyword, and their order: without regard to ASCII case, and "\Archived" is
/// "$Archived" (the note leaves open which CPM means). Whatever looks a keyword up asks here.
bool SameKeyword(std::string_view a, std::string_view b);
int CompareKeywords(std::string_view a, std::string_view b);
/// How a folder is to spell a keyword that it learns: CPM's own as CPM does, others, and the archived one, as
/// the client did.
std::string_view KeywordSpelling(std::string_view name);

/// Flags of one message by name, as a client names them. \Recent is no member: it belongs to a session.
///
/// Keywords are compared as SameKeyword() says and keep the spelling they came with. Everything that
/// is not one of the five system flags is a keyword, unknown backslash flags included (CPM defines
/// `\read-report-sent`).
class FlagSet {
 public:
  FlagSet() = default;
  FlagSet(std::initializer_list<SystemFlag> flags) {
    for (auto flag : flags) Insert(flag);
  }

  void Insert(SystemFlag flag) { system_ |= Bit(flag); }
  void Insert(std::string_view name);
  bool Contains(SystemFlag flag) const { return (system_ & Bit(flag)) != 0; }
  bool Contains(std::string_view name) const;
  bool empty() const { return system_ == 0 && keywords_.empty(); }

  std::uint32_t system_bits() const { return system_; }
  /// Sorted by CompareKeywords(), no duplicates.
  const std::vector<std::string>& keywords() const { return keywords_; }

  friend bool operator==(const FlagSet& a, const FlagSet& b);

  static constexpr std::uint32_t Bit(SystemFlag flag) { return 1U << static_cast<unsigned>(flag); }

 private:
  std::uint32_t system_ = 0;
  std::vector<std::string> keywords_;
};

/// How STORE changes flags (RFC 3501 §6.4.6).
struct FlagChange {
  enum class Op { kReplace, kAdd, kRemove };
  Op op = Op::kReplace;
  FlagSet flags;
  friend bool operator==(const FlagChange&, const FlagChange&) = default;
};

}  // namespace protocol
