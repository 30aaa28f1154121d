// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/socket_address.hpp"

#include <arpa/inet.h>

#include <cstring>

namespace backplane {

socklen_t size_of(const SocketAddress& address) {
  return address.any.sa_family == AF_INET6 ? sizeof(address.v6) : sizeof(address.v4);
}

std::uint16_t port_of(const SocketAddress& address) {
  return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

void set_port(SocketAddress& address, std::uint16_t port) {
  (address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port) = htons(port);
}

std::string text_of(const SocketAddress& address) {
  if (address.any.sa_family == AF_UNIX) return "unix:";
  char text[INET6_ADDRSTRLEN] = "";
  const std::string port = ":" + std::to_string(port_of(address));
  if (address.any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
    return "[" + std::string(text) + "]" + port;
  }
  inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
  return text + port;
}

SocketAddress local_address(int descriptor) {
  SocketAddress address;
  std::memset(&address, 0, sizeof(address));
  socklen_t size = sizeof(address);
  getsockname(descriptor, &address.any, &size);
  return address;
}

}  // namespace backplane
