// SPDX-License-Identifier: Apache-2.0
// A host without sockets: the test plays the peers, the clock and the gateway.
#pragma once

#include <backplane/clock.h>
#include <backplane/loop.h>
#include <backplane/net.h>
#include <backplane/plugin.hpp>

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace backplane::test {

class FakeHost;

// One call that the transport began.
struct FakeCall : bp_call {
  bp_sink sink{};
  std::string id, operation, content_type, body;
  std::map<std::string, std::string> metadata;
  std::uint32_t padding = 0;
  int resumed = 0;
  int released = 0;
  std::uint64_t sequence = 0;
  const bp_body_stream* rest = nullptr;  // what follows the body
  int woken = 0;                         // there is more of it

  // Everything that has come; the answer of the last read.
  std::uint32_t read_all(std::string& to);
  std::uint32_t emit(bp_event event);
  std::uint32_t head(std::uint32_t flags, const std::vector<bp_pair>& headers = {});
  std::uint32_t text(std::string_view utf8, std::uint32_t index = 0,
                     std::string_view logprobs = {});
  std::uint32_t reasoning(std::string_view utf8, std::uint32_t index = 0);
  std::uint32_t tool_call(std::uint32_t number, std::string_view call_id, std::string_view name,
                          std::string_view arguments, std::uint32_t index = 0);
  std::uint32_t finish(std::string_view reason, std::uint32_t index = 0);
  std::uint32_t chunk(std::string_view document, std::string_view name = {});
  std::uint32_t body_bytes(std::string_view bytes, std::string_view type);
  std::uint32_t usage(std::uint64_t prompt, std::uint64_t completion);
  std::uint32_t end(std::string_view closing = {});
  std::uint32_t error(const Error& error, std::string_view body = {}, std::string_view type = {});
};

}  // namespace backplane::test

// The peer's side of one connection.
struct bp_connection {
  backplane::test::FakeHost* host = nullptr;
  bp_connection_handler handler{};
  void* context = nullptr;
  std::string output;
  std::vector<std::string> writes;
  std::uint32_t answer = BP_FLOW_CONTINUE;  // of write
  std::uint64_t timeout_ms = 0;
  bool paused = false;
  bool closed = false;   // the transport asked for it
  bool aborted = false;  // likewise
  bool gone = false;     // the handler knows

  // Does nothing once the transport has closed or the host has told that it is gone.
  void data(std::string_view bytes);
  void end();
  void drained();
  void time_out();
  void leave();  // the peer is gone

  std::string take() { return std::exchange(output, {}); }
};

namespace backplane::test {

class FakeHost {
 public:
  FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;
  ~FakeHost();

  // Loads the plugin, creates and starts an instance. `settings` is merged over a listen address.
  void start(std::string_view settings = R"({"listen":"127.0.0.1:0"})");
  void drain();
  bp_connection& connect();
  void run_posted();
  std::string describe();

  const bp_host* table() const { return &host_; }
  std::deque<FakeCall> calls;  // stay after their release
  Error begin_error{Code::kOk, {}, {}, 0, 0};
  std::string models = R"([{"id":"a/b","object":"model","created":1,"owned_by":"me"}])";
  bool ready = true;
  bool listening = false;
  std::string alpn;
  bp_listen_options listened{};
  std::int64_t monotonic_ns = 1;
  std::int64_t unix_ns = 784111777'000'000'000;  // Sun, 06 Nov 1994 08:49:37 GMT
  unsigned char entropy = 0;

 private:
  void fill_net();
  void fill_gateway();
  std::uint32_t begin(const bp_request& request, const bp_sink& sink, bp_call** out,
                      bp_error* error);

  bp_host host_{};
  bp_net net_{};
  bp_loop_service loop_{};
  bp_gateway gateway_{};
  bp_clock clock_{};
  bp_listen_handler listener_{};
  std::deque<bp_connection> connections_;
  std::vector<std::pair<bp_task, void*>> posted_;
  void* library_ = nullptr;
  const bp_transport* transport_ = nullptr;
  void* instance_ = nullptr;
};

inline constexpr std::string_view kDate = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

}  // namespace backplane::test
