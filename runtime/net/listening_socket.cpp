// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/listening_socket.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "runtime/net/unix_socket.hpp"

namespace backplane {

namespace {

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
  return cannot_listen({address, {}}, error);
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

Result<int> open_ip_socket(const SocketAddress& address) {
  const int descriptor = open_socket(address);
  if (descriptor < 0) return close_and_report(descriptor, address);
  enable(descriptor, SOL_SOCKET, SO_REUSEPORT);
  enable(descriptor, IPPROTO_TCP, TCP_NODELAY);  // inherited by what is accepted
  if (bind(descriptor, &address.any, size_of(address)) != 0 ||
      listen(descriptor, kListenBacklog) != 0) {
    return close_and_report(descriptor, address);
  }
  return descriptor;
}

}  // namespace

OwnedDescriptors::~OwnedDescriptors() {
  for (const int descriptor : descriptors_) close(descriptor);
}

Result<OwnedDescriptors> open_listening_sockets(ListenAddress& address, std::size_t count) {
  OwnedDescriptors sockets;
  if (address.is_unix()) {
    const auto descriptor = open_unix_socket(address.unix_path);
    if (!descriptor) return descriptor.error();
    sockets.add(*descriptor);
    return Result<OwnedDescriptors>(std::move(sockets));
  }
  const Status free = check_free(address.ip);
  if (!free) return free.error();
  for (std::size_t index = 0; index < count; ++index) {
    const auto descriptor = open_ip_socket(address.ip);
    if (!descriptor) return descriptor.error();
    sockets.add(*descriptor);
    set_port(address.ip, port_of(local_address(*descriptor)));
  }
  return Result<OwnedDescriptors>(std::move(sockets));
}

int duplicate(int descriptor) {
  return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
}

Error cannot_listen(const ListenAddress& address, int error) {
  const Code code = error == EADDRINUSE                 ? Code::kAlreadyExists
                    : error == EACCES || error == EPERM ? Code::kPermissionDenied
                                                        : Code::kFailedPrecondition;
  return {code, "cannot listen on " + text_of(address) + ": " + remedy(error), {}, 0, 0};
}

}  // namespace backplane
