// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/net/raw_socket.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "tests/runtime/net/waiting.hpp"

namespace backplane::testing {

namespace {

void bound_waits(int descriptor) {
  const timeval patience{kPatience.count(), 0};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

}  // namespace

RawSocket::RawSocket(int descriptor) : descriptor_(descriptor) {
  if (descriptor_ >= 0) bound_waits(descriptor_);
}
RawSocket::~RawSocket() {
  close();
}
RawSocket::RawSocket(RawSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), was_reset_(other.was_reset_) {}

RawSocket RawSocket::connect_to(std::uint32_t port, int receive_buffer_bytes, bool v6) {
  const int descriptor = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer_bytes != 0) {
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(int));
  }
  sockaddr_in to4{};
  to4.sin_family = AF_INET;
  to4.sin_port = htons(static_cast<std::uint16_t>(port));
  to4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 to6{};
  to6.sin6_family = AF_INET6;
  to6.sin6_port = to4.sin_port;
  to6.sin6_addr = in6addr_loopback;
  const auto* address = v6 ? reinterpret_cast<sockaddr*>(&to6) : reinterpret_cast<sockaddr*>(&to4);
  const socklen_t size = v6 ? sizeof(to6) : sizeof(to4);
  EXPECT_EQ(connect(descriptor, address, size), 0) << "port " << port;
  return RawSocket(descriptor);
}

RawSocket RawSocket::connect_to_path(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof(to.sun_path) - 1);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(descriptor, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0)
      << path << ": " << strerror(errno);
  return RawSocket(descriptor);
}

bool RawSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void RawSocket::finish_sending() {
  shutdown(descriptor_, SHUT_WR);
}

void RawSocket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void RawSocket::reset() {
  const linger cut{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut));
  close();
}

std::string RawSocket::receive(std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t count = recv(descriptor_, bytes.data() + have, size - have, 0);
    if (count < 0 && errno == ECONNRESET) was_reset_ = true;
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
  }
  bytes.resize(have);
  return bytes;
}

std::string RawSocket::receive_through(std::string_view mark) {
  std::string bytes;
  while (bytes.find(mark) == std::string::npos) {
    const std::string next = receive(1);
    if (next.empty()) break;
    bytes += next;
  }
  return bytes;
}

std::string RawSocket::receive_all() {
  std::string all;
  for (;;) {
    const std::string part = receive(64 * 1024);
    all += part;
    if (part.size() < 64 * 1024) return all;
  }
}

std::string RawSocket::receive_some() {
  std::string bytes(256 * 1024, '\0');
  const ssize_t count = recv(descriptor_, bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

bool RawSocket::is_ended() {
  char byte = 0;
  const ssize_t count = recv(descriptor_, &byte, 1, 0);
  if (count < 0 && errno == ECONNRESET) was_reset_ = true;
  return count == 0 || was_reset_;
}

void RawSocket::wait_for_hangup() {
  pollfd entry{descriptor_, POLLRDHUP, 0};
  poll(&entry, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
}

RawListener::RawListener() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(descriptor_, generic, size), 0);
  EXPECT_EQ(listen(descriptor_, 128), 0);
  getsockname(descriptor_, generic, &size);
  port_ = ntohs(address.sin_port);
}

RawListener::~RawListener() {
  ::close(descriptor_);
}

RawSocket RawListener::accept() {
  return RawSocket(accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC));
}

void RawListener::shut() {
  shutdown(descriptor_, SHUT_RDWR);
}

}  // namespace backplane::testing
