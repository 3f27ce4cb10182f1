#pragma once

#include <boost/asio/ip/address.hpp>

namespace server::net {

/// The network that an address counts as: an IPv4 /24, an IPv6 /64 (which one customer has as a whole).
inline boost::asio::ip::address NetworkOf(const boost::asio::ip::address& address) {
  if (address.is_v4()) return boost::asio::ip::address_v4(address.to_v4().to_uint() & 0xffffff00U);
  auto bytes = address.to_v6().to_bytes();
  for (std::size_t i = 8; i < bytes.size(); ++i) bytes[i] = 0;
  return boost::asio::ip::address_v6(bytes);
}

/// Who counts as one: an IPv4 address, an IPv6 /64.
inline boost::asio::ip::address CustomerOf(const boost::asio::ip::address& address) {
  return address.is_v4() ? address : NetworkOf(address);
}

}  // namespace server::net
