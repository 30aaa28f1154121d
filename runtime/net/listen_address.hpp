// SPDX-License-Identifier: Apache-2.0
// Addresses to listen on and sockets that do.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <backplane/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace backplane {

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

socklen_t size_of(const SocketAddress& address);
std::uint16_t port_of(const SocketAddress& address);
void set_port(SocketAddress& address, std::uint16_t port);
// "192.0.2.1:80", "[2001:db8::1]:80".
std::string text_of(const SocketAddress& address);

// Reads "127.0.0.1:8080" or "[::1]:8080".
Result<SocketAddress> parse_listen_address(std::string_view text);

// Fails if something listens there already, whether or not it would share the port.
Status check_free(const SocketAddress& address);
// A non-blocking listening socket that shares its port with its siblings.
Result<int> open_listening_socket(const SocketAddress& address);
// The address a socket is bound to.
SocketAddress local_address(int descriptor);

}  // namespace backplane
