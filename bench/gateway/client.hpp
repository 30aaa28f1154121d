// SPDX-License-Identifier: Apache-2.0
// One connection that sends the same request again and again, each when the last is answered.
#pragma once

#include "socket.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::bench {

// What all clients of a run measure.
struct Record {
  std::uint64_t errors = 0;  // answers other than 200, connections lost
  std::uint64_t frames = 0;  // server-sent events
  std::vector<std::int64_t> latencies_ns;
  std::vector<std::int64_t> first_frames_ns;
};

class Client {
 public:
  // `request` is borrowed.
  Client(std::uint16_t port, std::string_view request, Record& record);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int socket() const { return socket_; }
  void start();
  void on_ready();  // the socket can be read or written
  bool idle() const { return state_ == State::kIdle; }
  bool broken() const { return state_ == State::kBroken; }

 private:
  enum class State { kIdle, kHead, kBody, kChunkSize, kChunk, kBroken };

  void send_rest();
  void read_all();
  void take(std::string_view bytes);
  bool step();  // false: more input is needed
  bool read_head();
  bool read_chunk_size();
  bool read_body(State next);
  void count_frames(std::string_view text);
  void finish();
  void lose();

  const int socket_;
  const std::string_view request_;
  Record& record_;
  State state_ = State::kIdle;
  std::string_view unsent_;
  std::string input_;
  std::string_view rest_;   // of input_
  std::uint64_t left_ = 0;  // of the body or the chunk, its line end included
  bool last_chunk_ = false;
  bool after_line_ = false;  // the last byte of the body ended a line
  bool has_frame_ = false;
  std::int64_t begun_ns_ = 0;
};

}  // namespace backplane::bench
