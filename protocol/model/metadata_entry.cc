#include "protocol/model/metadata_entry.h"

#include <algorithm>

#include "protocol/model/ascii.h"

namespace protocol {
namespace {

constexpr std::string_view kPrivate = "/private";
constexpr std::string_view kShared = "/shared";

/// `name` is `root`, or below it.
bool IsAtOrBelow(std::string_view name, std::string_view root) {
  return ascii::EqualNoCase(name.substr(0, root.size()), root) &&
         (name.size() == root.size() || name[root.size()] == '/');
}

}  // namespace

// RFC 5464 §3.2 forbids "octet values in the range 0x00 to 0x19", which can only mean the control characters.
std::string_view MetadataNameFault(std::string_view name, MetadataNameUse use) {
  if (name.size() > kMaxMetadataName) return "a shorter entry name";
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return "an entry name in ASCII";
  if (std::ranges::any_of(name, [](char c) { return c < ' ' || c == '\x7f'; }))
    return "an entry name without control characters";
  if (name.find_first_of("*%") != std::string_view::npos) return "an entry name without \"*\" and \"%\"";
  if (name.find("//") != std::string_view::npos) return "an entry name without \"//\"";
  if (!IsAtOrBelow(name, kPrivate) && !IsAtOrBelow(name, kShared))
    return "an entry name that begins with /private or /shared";
  if (name.ends_with('/')) return "an entry name that does not end in \"/\"";
  if (use == MetadataNameUse::kRoot) return {};
  const auto components = std::ranges::count(name, '/');
  if (components < 2) return "an entry name of two components or more";
  const std::string_view below = name.substr(name.find('/', 1));
  if (IsAtOrBelow(below, "/vendor") && components < 4)
    return "a vendor's entry name of four components or more";
  return {};
}

std::string MetadataKey(std::string_view name) { return ascii::Lower(name); }

bool IsPrivateMetadata(std::string_view name) { return IsAtOrBelow(name, kPrivate); }

}  // namespace protocol
