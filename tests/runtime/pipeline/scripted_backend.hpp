// SPDX-License-Identifier: Apache-2.0
// A backend that does what a script says, also what the rules forbid, and checks what the host does
// to it: cancel and resume never from inside its emit, release once and only after the end.
#pragma once

#include "tests/runtime/pipeline/virtual_loops.hpp"

#include <backplane/backend.h>

#include <backplane/result.hpp>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace backplane::test {

// When a step's event is emitted, seen from the step before.
enum class When { kNow, kTurn, kElsewhere, kAfter };

struct Step {
  std::uint32_t type = BP_EVENT_TEXT;
  std::string data;
  When when = When::kNow;
  std::uint64_t delay_ms = 0;                      // kAfter
  Error error;                                     // of an ERROR
  bool without_error = false;                      // an ERROR that says nothing
  std::pair<std::uint64_t, std::uint64_t> tokens;  // of a USAGE: prompt, completion
  std::vector<std::pair<std::string, std::string>> headers;
  std::int64_t sequence_shift = 0;  // breaks the rules
  std::uint32_t struct_size = sizeof(bp_event);
  std::uint32_t usage_size = sizeof(bp_usage);
  std::string logprobs;
  std::pair<std::string, std::string> tool_call;  // of a TOOL_CALL: id, name
  std::uint32_t tool_call_size = sizeof(bp_tool_call);
  std::optional<bp_rate_limit> rate_limit;

  Step turn() const { return at(When::kTurn); }
  Step elsewhere() const { return at(When::kElsewhere); }
  Step after(std::uint64_t ms) const {
    Step step = at(When::kAfter);
    step.delay_ms = ms;
    return step;
  }
  Step at(When other) const {
    Step step = *this;
    step.when = other;
    return step;
  }
};

Step head(std::vector<std::pair<std::string, std::string>> headers);
Step text(std::string data);
Step text_with_logprobs(std::string data, std::string logprobs);
Step reasoning(std::string data);
Step tool_call(std::string id, std::string name, std::string arguments);
Step receipt(std::string document);
Step usage(std::uint64_t prompt, std::uint64_t completion);
Step end();
Step error(Code code, std::uint32_t http_status = 0);

struct Script {
  std::vector<Step> steps;
  Error submit_error;           // code other than kOk: submit fails after the steps that are "now"
  bool submit_says_why = true;  // else only the code is returned
  bool gives_call = true;       // false: submit answers OK and gives none
  bool keeps_pause = true;      // false: goes on after PAUSE
  bool keeps_stop = true;       // false: goes on after STOP and cancel
  bool ends_on_cancel = true;   // false: never ends once cancelled
  When cancel_when = When::kNow;  // the terminal event after a cancel
  std::uint64_t cancel_delay_ms = 0;
  bool usage_on_cancel = false;  // tells a usage of (7, 5) before it ends
  bool stray_after_end = false;  // events after the terminal one

  Script();
  Script(std::vector<Step> all);  // NOLINT: a list of steps is a script
};

class ScriptedBackend {
 public:
  ScriptedBackend(std::string name, VirtualLoops& loops);
  ~ScriptedBackend();
  ScriptedBackend(const ScriptedBackend&) = delete;
  ScriptedBackend& operator=(const ScriptedBackend&) = delete;

  const std::string& name() const { return name_; }
  static const bp_backend* table();

  // What the next submits do; the last script serves all that follow.
  std::deque<Script> scripts;

  int submitted = 0;
  int cancelled = 0;
  int resumed = 0;
  int released = 0;
  int live() const { return accepted_ - released; }
  bool owes_an_end() const { return owes_ > 0; }  // calls that will never end
  struct Seen {
    std::string id, model, body, operation;
    std::uint32_t flags = 0;
    std::int64_t deadline_ns = 0;
    std::uint64_t max_output_tokens = 0;
    std::map<std::string, std::string> metadata;
  };
  Seen last;

 private:
  class Call;
  static std::uint32_t submit(void* self, const bp_request* request, const bp_sink* sink,
                              bp_call** out, bp_error* error);
  const std::string name_;
  VirtualLoops& loops_;
  int accepted_ = 0;
  int owes_ = 0;
};

}  // namespace backplane::test
