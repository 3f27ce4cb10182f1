#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/cpm/fault.h"
#include "protocol/cpm/layout.h"
#include "protocol/cpm/xml.h"

namespace protocol::cpm {

/// What the XML of session info and of file transfers have in common (spec notes 2.6, 2.7).
struct RelatedNames {
  std::string_view object;  ///< for faults: "session info"
  std::string_view root;    ///< of the document: "session"
  std::string_view type;    ///< "session-type"
  std::string_view item;    ///< "media-object"
};

struct RelatedXml {
  struct Item {
    std::string cid;  ///< without "cid:" and brackets
    std::string sdp;  ///< lines end in LF, none after the last
  };
  std::string type;
  std::vector<std::string> participants;
  std::string sdp;  ///< of the whole; only in a document
  std::vector<Item> items;
};

/// A fragment or a document. Faults: not well-formed, type or invited-participants missing, an item without
/// cid.
tl::expected<RelatedXml, Fault> ReadRelatedXml(std::string_view xml, const RelatedNames& names);

/// kV20: the fragment; k2x: the document. Faults also: a participant with ';', a text that XML cannot hold
/// or that has white space around it.
tl::expected<std::string, Fault> WriteRelatedXml(const RelatedXml& value, const RelatedNames& names,
                                                 Layout layout);

}  // namespace protocol::cpm
