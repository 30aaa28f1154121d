// SPDX-License-Identifier: Apache-2.0
// Requests through bp.http/1 and what came of them.
#pragma once

#include <backplane/http.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/net/http.hpp"
#include "tests/runtime/net/waiting.hpp"

namespace backplane::testing {

struct Outcome {
  std::uint32_t status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int heads = 0;
  int done = 0;
  int failed = 0;
  std::uint32_t code = BP_CODE_OK;
  std::string message;

  bool ended() const { return done + failed > 0; }
};

// Loops and a client.
struct HttpWorld {
  explicit HttpWorld(HttpClientOptions options = {}, std::uint32_t loop_count = 1);
  ~HttpWorld();
  bp_loop* loop() const { return loops->table()->at(loops->table()->context, 0); }
  void run(const std::function<void()>& work) const { run_on(*loops->table(), loop(), work); }

  std::unique_ptr<Loops> loops;
  std::unique_ptr<HttpClient> client;
};

// One request. Set it up, start it, wait for it; it must have ended or been cancelled before it
// goes.
class Fetch {
 public:
  Fetch(HttpWorld& world, std::string url);

  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> body;
  bp_http_request request{};  // for timeouts
  // On the loop; answers a BP_FLOW_*.
  std::function<std::uint32_t(std::string_view)> on_data;
  std::function<void()> on_head;
  std::function<void()> on_end;

  std::uint32_t start(bp_error* error = nullptr);
  std::uint32_t start_here(bp_error* error = nullptr);  // on the loop already
  void resume();
  void cancel();
  void cancel_here();
  // Waits for the end; fails the test if none comes.
  Outcome wait();
  Outcome get() { return start(), wait(); }

  Watched<Outcome> outcome;
  bp_http_exchange* exchange = nullptr;

 private:
  HttpWorld& world_;
  std::string url_;
  bool inside_send_ = false;
  std::vector<bp_str> pieces_;

  static const bp_http_handler kHandler;
};

}  // namespace backplane::testing
