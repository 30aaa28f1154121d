// SPDX-License-Identifier: Apache-2.0
// One call on the backend under test: submits it, reads every byte of every event, and holds the
// events to the rules of a stream.
#pragma once

#include "runtime/plugin/check/host.hpp"
#include "runtime/plugin/check/probe.hpp"

#include <backplane/backend.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace backplane {

inline constexpr std::uint32_t kMaxOverrun = 8;

struct CallRequest {
  std::string operation = "chat.completions";
  std::string body;
  std::string model;
  bool stream = true;
};

// What the sink answers: CONTINUE, but for one event.
struct CallScript {
  static constexpr std::uint64_t kNever = UINT64_MAX;
  std::uint64_t event = kNever;
  std::uint32_t answer = BP_FLOW_CONTINUE;
};

class CheckCall {
 public:
  CheckCall(Probe& probe, CheckHost& host, CallRequest request, CallScript script = {});
  CheckCall(const CheckCall&) = delete;
  CheckCall& operator=(const CheckCall&) = delete;

  // True: the backend took the call. A refusal is in refusal(); a broken one fails the probe.
  bool submit(const bp_backend& backend, void* instance);
  const std::string& refusal() const { return refusal_; }

  // Runs the loop until the scripted event, or the end. False: neither came in time.
  bool wait_for_script();
  // Runs the loop until the terminal event; without one fails the probe, saying `after` what.
  bool wait_for_end(const std::string& after);
  void cancel();
  void resume();
  // Waits for events that must not come, then gives the call back.
  void release();

  std::uint64_t events() const;
  std::uint32_t terminal_type() const;  // 0: none yet
  std::uint32_t terminal_code() const;  // of an ERROR

 private:
  static std::uint32_t emit(void* context, const bp_event* event);
  std::uint32_t take(const bp_event& event);
  void check_event(const bp_event& event);
  bool read_bytes(const bp_event& event, const bp_str& text);
  void check_content(const bp_event& event);
  void check_tool_call(const bp_event& event);
  void check_receipt(const bp_event& event);
  void check_order(const bp_event& event);
  void fail(const std::string& what);
  bool ended() const { return terminal_type() != 0; }
  std::string name() const;

  Probe& probe_;
  CheckHost& host_;
  const CallRequest request_;
  const CallScript script_;
  bp_sink sink_;
  bp_call* call_ = nullptr;
  std::string body_;  // lives as long as the call: the body may be retained
  std::string refusal_;
  std::atomic<int> body_references_{0};
  std::atomic<int> emitting_{0};

  mutable std::mutex mutex_;
  std::uint64_t events_ = 0;
  std::uint64_t since_script_ = 0;
  bool script_done_ = false;
  bool resumed_ = false;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t tokens_ = 0;
  std::map<std::uint32_t, std::uint32_t> tool_calls_;  // begun, by choice
  bool has_receipt_ = false;
  std::uint32_t terminal_type_ = 0;
  std::uint32_t terminal_code_ = 0;
};

}  // namespace backplane
