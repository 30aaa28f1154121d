// SPDX-License-Identifier: Apache-2.0
#include "socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace backplane::bench {
namespace {

constexpr int kBacklog = 4096;
constexpr std::size_t kEventsPerWait = 256;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set_option(int socket, int level, int name) {
  const int on = 1;
  if (setsockopt(socket, level, name, &on, sizeof(on)) != 0) fail("setsockopt");
}

Transfer transfer_of(ssize_t count) {
  if (count > 0) return {static_cast<std::size_t>(count), false};
  return {0, count == 0 || (errno != EAGAIN && errno != EINTR)};
}

}  // namespace

void fail(std::string_view what) {
  const std::string text(what);
  std::fprintf(stderr, "%s: %s\n", text.c_str(), std::strerror(errno));
  std::exit(1);
}

int listen_on_loopback(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  set_option(listener, SOL_SOCKET, SO_REUSEADDR);
  const sockaddr_in address = loopback(port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    fail("bind");
  }
  if (listen(listener, kBacklog) != 0) fail("listen");
  return listener;
}

std::uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail("getsockname");
  }
  return ntohs(address.sin_port);
}

int accept_connection(int listener) {
  const int connection = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection >= 0) set_option(connection, IPPROTO_TCP, TCP_NODELAY);
  return connection;
}

int connect_to_loopback(std::uint16_t port) {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) fail("socket");
  const sockaddr_in address = loopback(port);
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    fail("connect");
  }
  set_option(connection, IPPROTO_TCP, TCP_NODELAY);
  return connection;
}

Transfer receive(int socket, char* target, std::size_t size) {
  return transfer_of(recv(socket, target, size, MSG_DONTWAIT));
}

Transfer transmit(int socket, std::string_view bytes) {
  return transfer_of(send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

Epoll::Epoll() : epoll_(epoll_create1(EPOLL_CLOEXEC)), events_(kEventsPerWait) {
  if (epoll_ < 0) fail("epoll_create1");
}

Epoll::~Epoll() {
  close(epoll_);
}

void Epoll::watch(int socket, void* context) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = context;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
}

const std::vector<void*>& Epoll::wait(int timeout_ms) {
  ready_.clear();
  const int count =
      epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  for (int i = 0; i < count; ++i) ready_.push_back(events_[static_cast<std::size_t>(i)].data.ptr);
  return ready_;
}

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace backplane::bench
