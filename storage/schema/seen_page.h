#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/schema/keys.h"
#include "storage/schema/state_page.h"

/// The table `seen`: what a guest has seen in another's folder. The owner's \Seen is in the state pages.
namespace storage::schema {

/// Key.
///
///   account_id u64 be | folder_id u64 be | viewer u64 be | page u32 be         28 bytes
///
/// `viewer` is the guest's account; pages are those of `states`.
struct SeenKey {
  AccountId account;
  FolderId folder;
  AccountId viewer;
  std::uint32_t page = 0;

  std::string Encode() const;
  /// All pages of one viewer.
  static std::string Prefix(AccountId account, FolderId folder, AccountId viewer);
  static Result<SeenKey> Decode(std::string_view key);
  friend auto operator<=>(const SeenKey&, const SeenKey&) = default;
};

/// Value:  version | 8 * u64 be
///
/// Bit n of the page stands for its slot n. A bit of a message that is gone says nothing: its UID is never
/// given again.
struct SeenPage {
  std::array<std::uint64_t, StatePage::kUids / 64> bits{};

  bool Has(std::uint32_t slot) const { return (bits[slot / 64] >> (slot % 64) & 1) != 0; }
  void Set(std::uint32_t slot, bool seen) {
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    if (seen)
      bits[slot / 64] |= bit;
    else
      bits[slot / 64] &= ~bit;
  }

  std::string Encode() const;
  static Result<SeenPage> Decode(std::string_view value);
  friend bool operator==(const SeenPage&, const SeenPage&) = default;
};

}  // namespace storage::schema
