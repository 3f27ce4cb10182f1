#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

/// Untagged responses about the server. Each appends one whole line.
namespace protocol::write {

/// `words` as CapabilityWords gives them.
void CapabilityLine(std::string& out, std::string_view words);

/// "* ENABLED ..." (RFC 5161 §3.2).
void EnabledLine(std::string& out, std::span<const std::string> names);

/// One namespace: prefix as UTF-8, delimiter '/' (RFC 2342 §5).
struct NamespacePrefix {
  std::string_view utf8;
};
/// Empty spans become NIL.
void NamespaceLine(std::string& out, std::span<const NamespacePrefix> personal,
                   std::span<const NamespacePrefix> others, std::span<const NamespacePrefix> shared);

/// "* ID (...)" (RFC 2971 §3.2); NIL for an empty list.
void IdLine(std::string& out, std::span<const std::pair<std::string_view, std::string_view>> fields);

}  // namespace protocol::write
