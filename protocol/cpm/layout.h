#pragma once

#include <cstdint>

namespace protocol::cpm {

/// How objects are written; every reader takes both. A profile chooses.
enum class Layout : std::uint8_t {
  kV20,  ///< CPM 1.0/2.0: standalone messages without CPIM, session info and file transfers as
         ///< multipart/related around an XML fragment
  k2x,   ///< as the captured 2.x server: everything a message has is message/cpim, XML as documents
};

}  // namespace protocol::cpm
