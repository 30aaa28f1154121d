// SPDX-License-Identifier: Apache-2.0
// Non-blocking sockets of 127.0.0.1 and the epoll they are watched by. Failures of the system end
// the program: a measurement that goes on without a socket would be wrong.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <sys/epoll.h>

namespace backplane::bench {

[[noreturn]] void fail(std::string_view what);

int listen_on_loopback(std::uint16_t port);  // 0: a free one
std::uint16_t port_of(int listener);
int accept_connection(int listener);  // -1: none waits
int connect_to_loopback(std::uint16_t port);

// Bytes moved; 0: the socket is not ready.
struct Transfer {
  std::size_t bytes = 0;
  bool ended = false;  // by the peer, or by an error
};
Transfer receive(int socket, char* target, std::size_t size);
Transfer transmit(int socket, std::string_view bytes);

class Epoll {
 public:
  Epoll();
  ~Epoll();
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  // Edge-triggered, for reading and writing.
  void watch(int socket, void* context);
  // What became ready within `timeout_ms` (-1: for ever).
  const std::vector<void*>& wait(int timeout_ms);

 private:
  const int epoll_;
  std::vector<epoll_event> events_;
  std::vector<void*> ready_;
};

std::int64_t now_ns();

}  // namespace backplane::bench
