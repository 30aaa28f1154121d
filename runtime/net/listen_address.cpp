// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/listen_address.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

namespace backplane {

namespace {

constexpr int kBacklog = 4096;  // the kernel lowers it to net.core.somaxconn

Error bad_address(std::string_view text) {
  return invalid_argument(
      "cannot listen on \"" + std::string(text.substr(0, 64)) +
      "\": write an IP address and a port, such as 127.0.0.1:8080 or [::]:8080");
}

std::string remedy(int error) {
  switch (error) {
    case EADDRINUSE:
      return "address in use; stop the other program or listen on another port";
    case EACCES:
    case EPERM:
      return "permission denied; listen on a port from 1024 up or grant CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
      return "this machine has no such address; listen on one of its own, or on 0.0.0.0 or [::]";
    case EAFNOSUPPORT:
      return "this machine does not speak this version of IP; listen on an address of the other";
    case EMFILE:
    case ENFILE:
      return "out of file descriptors; raise the limit (ulimit -n)";
    default:
      return std::generic_category().message(error);
  }
}

Error cannot_listen(const SocketAddress& address, int error) {
  const Code code = error == EADDRINUSE                 ? Code::kAlreadyExists
                    : error == EACCES || error == EPERM ? Code::kPermissionDenied
                                                        : Code::kFailedPrecondition;
  return {code, "cannot listen on " + text_of(address) + ": " + remedy(error), {}, 0, 0};
}

void enable(int descriptor, int level, int option) {
  const int on = 1;
  setsockopt(descriptor, level, option, &on, sizeof(on));
}

int open_socket(const SocketAddress& address) {
  const int descriptor =
      socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return -1;
  enable(descriptor, SOL_SOCKET, SO_REUSEADDR);
  if (address.any.sa_family == AF_INET6) {
    const int off = 0;
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  return descriptor;
}

Error close_and_report(int descriptor, const SocketAddress& address) {
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  return cannot_listen(address, error);
}

}  // namespace

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
  char text[INET6_ADDRSTRLEN] = "";
  const std::string port = ":" + std::to_string(port_of(address));
  if (address.any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
    return "[" + std::string(text) + "]" + port;
  }
  inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
  return text + port;
}

Result<SocketAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text);
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) {
    return bad_address(text);
  }
  std::string host(text.substr(0, colon));
  SocketAddress address{};
  std::memset(&address, 0, sizeof(address));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    address.v6.sin6_family = AF_INET6;
    if (inet_pton(AF_INET6, host.c_str(), &address.v6.sin6_addr) != 1) return bad_address(text);
  } else {
    address.v4.sin_family = AF_INET;
    if (inet_pton(AF_INET, host.c_str(), &address.v4.sin_addr) != 1) return bad_address(text);
  }
  set_port(address, port);
  return address;
}

Status check_free(const SocketAddress& address) {
  if (port_of(address) == 0) return ok();
  const int descriptor = open_socket(address);
  if (descriptor < 0 || bind(descriptor, &address.any, size_of(address)) != 0) {
    return close_and_report(descriptor, address);
  }
  close(descriptor);
  return ok();
}

Result<int> open_listening_socket(const SocketAddress& address) {
  const int descriptor = open_socket(address);
  if (descriptor < 0) return close_and_report(descriptor, address);
  enable(descriptor, SOL_SOCKET, SO_REUSEPORT);
  enable(descriptor, IPPROTO_TCP, TCP_NODELAY);  // inherited by what is accepted
  if (bind(descriptor, &address.any, size_of(address)) != 0 || listen(descriptor, kBacklog) != 0) {
    return close_and_report(descriptor, address);
  }
  return descriptor;
}

SocketAddress local_address(int descriptor) {
  SocketAddress address;
  std::memset(&address, 0, sizeof(address));
  socklen_t size = sizeof(address);
  getsockname(descriptor, &address.any, &size);
  return address;
}

}  // namespace backplane
