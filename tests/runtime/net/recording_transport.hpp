// SPDX-License-Identifier: Apache-2.0
// A transport that writes down what happens to its connections and does what the test tells it.
#pragma once

#include <backplane/net.h>

#include <functional>
#include <string>
#include <string_view>

#include "runtime/net/loop.hpp"
#include "runtime/net/net.hpp"
#include "tests/runtime/net/waiting.hpp"

namespace backplane::testing {

struct Happened {
  int accepted = 0;
  int ended = 0;
  int drained = 0;
  int timeouts = 0;
  int closed = 0;
  std::string received;
  bp_connection* connection = nullptr;  // the latest
};

class RecordingTransport {
 public:
  explicit RecordingTransport(const bp_net& service) : net(service) {}

  // Called on the connection's loop, after it has been written down.
  std::function<void(bp_connection*)> on_accepted;
  std::function<void(bp_connection*, std::string_view)> on_data;
  std::function<void(bp_connection*)> on_end;
  std::function<void(bp_connection*)> on_drained;
  std::function<void(bp_connection*)> on_timeout;

  // Fails the test if it cannot.
  bp_listener* listen(std::uint32_t max_connections = 0, std::string_view certificate = {},
                      std::string_view key = {}, std::string_view address = "127.0.0.1:0");
  bp_listener* listen_with(const bp_listen_options& options);
  std::uint32_t write(bp_connection* connection, std::string_view bytes) const;

  const bp_net& net;
  Watched<Happened> happened;
};

// Loops, the service under test and a transport, in the order in which they go.
struct World {
  explicit World(std::uint32_t loop_count = 1);
  ~World();
  bp_loop* loop(std::uint32_t index = 0) const;
  // Runs `work` on the first loop and waits.
  void run(const std::function<void()>& work) const;
  // Returns when the first loop's clock has gone on by that much.
  void pass(std::uint64_t time_ms) const;

  std::unique_ptr<Loops> loops;
  std::unique_ptr<Net> net;
  RecordingTransport transport;
};

}  // namespace backplane::testing
