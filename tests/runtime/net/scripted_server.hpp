// SPDX-License-Identifier: Apache-2.0
// An upstream that does what the test says, one thread for every connection.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/runtime/net/raw_socket.hpp"

namespace backplane::testing {

class ScriptedServer {
 public:
  // `number` counts connections from 0. The connection closes when the script returns.
  using Script = std::function<void(RawSocket& peer, int number)>;
  explicit ScriptedServer(Script script);
  ~ScriptedServer();

  std::uint16_t port() const { return listener_.port(); }
  std::string url(const std::string& path = "/") const;
  int connections() const { return connections_.load(); }

 private:
  void run();

  const Script script_;
  RawListener listener_;
  std::atomic<int> connections_{0};
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

// Reads one request, its body included; empty when the peer has ended.
std::string read_request(RawSocket& peer);

// A script that answers every request with `response`.
ScriptedServer::Script always(std::string response);

std::string response_with(const std::string& body);

}  // namespace backplane::testing
