// SPDX-License-Identifier: Apache-2.0
// Blocking sockets for tests: the other side of what is tested. Every wait has a bound.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace backplane::testing {

class RawSocket {
 public:
  explicit RawSocket(int descriptor);
  ~RawSocket();
  RawSocket(RawSocket&& other) noexcept;
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // receive_buffer_bytes: 0 is the system's default. Fails the test if nobody listens.
  static RawSocket connect_to(std::uint32_t port, int receive_buffer_bytes = 0, bool v6 = false);

  static RawSocket connect_to_path(const std::string& path);

  int descriptor() const { return descriptor_; }
  bool send(std::string_view bytes);  // false: the peer is gone
  void finish_sending();
  void close();
  void reset();

  std::string receive(std::size_t size);  // exactly, unless the stream ends
  std::string receive_through(std::string_view mark);
  // What still comes; was_reset tells how it ended.
  std::string receive_all();
  // What is there after the first wait: one read.
  std::string receive_some();
  // True: the stream ends, by the peer's close or by a reset, without another byte.
  bool is_ended();
  // Reads nothing.
  void wait_for_hangup();
  bool was_reset() const { return was_reset_; }

 private:
  int descriptor_;
  bool was_reset_ = false;
};

class RawListener {
 public:
  RawListener();  // 127.0.0.1, any free port
  ~RawListener();
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  std::uint16_t port() const { return port_; }
  RawSocket accept();  // its descriptor is -1 once the listener was shut
  void shut();         // [any-thread] wakes accept

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

}  // namespace backplane::testing
