#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/cpm/fault.h"

namespace protocol::cpm {

/// An element with everything below it, as UTF-8. Comments and processing instructions are dropped.
struct XmlElement {
  std::string name;                                             ///< without prefix
  std::string namespace_uri;                                    ///< empty: none
  std::vector<std::pair<std::string, std::string>> attributes;  ///< names without prefix
  std::string text;  ///< of the element itself, that of its children left out
  std::vector<XmlElement> children;

  /// The first child, or attribute value, of that name; nullptr when there is none.
  const XmlElement* Child(std::string_view child) const;
  const std::string* Attribute(std::string_view attribute) const;

  /// `text` without white space around it.
  std::string_view trimmed() const;
};

/// Parses any well-formed XML content: a document, or a fragment without a root as the V1.0/2.0 objects hold
/// it. The result is a nameless element around what was found. UTF-8, or what the XML declaration or the byte
/// order mark says.
///
/// Nothing but the octets is read: a document type declaration is a fault, so there are no entities but the
/// five of XML, and no network. Costs are bounded by kMaxXml, kMaxXmlDepth and kMaxXmlElements.
/// Thread-safe.
tl::expected<XmlElement, Fault> ParseXml(std::string_view octets);

/// The same, where exactly one element is wanted and it must have that name.
tl::expected<XmlElement, Fault> ParseXmlDocument(std::string_view octets, std::string_view root);

/// Appends text with & < > and CR escaped, in an attribute " too; controls that XML 1.0 cannot hold, and what
/// is not UTF-8, become U+FFFD.
void AppendXmlText(std::string& out, std::string_view utf8, bool attribute = false);

/// True when AppendXmlText() would keep the text as it is.
bool FitsXml(std::string_view utf8);

/// The same, and without white space around it, which readers drop: what an element gives back as it was.
bool FitsXmlElement(std::string_view utf8);

/// Without white space around it (XML 1.0 §2.3).
std::string_view TrimXml(std::string_view text);

}  // namespace protocol::cpm
