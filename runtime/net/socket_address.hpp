// SPDX-License-Identifier: Apache-2.0
// Addresses of sockets, and their text.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace backplane {

// Of IPv4 or IPv6; of a Unix socket the family alone.
union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

socklen_t size_of(const SocketAddress& address);
std::uint16_t port_of(const SocketAddress& address);
void set_port(SocketAddress& address, std::uint16_t port);
// "192.0.2.1:80", "[2001:db8::1]:80", "unix:".
std::string text_of(const SocketAddress& address);
// The address a socket is bound to.
SocketAddress local_address(int descriptor);

}  // namespace backplane
