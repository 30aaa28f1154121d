// SPDX-License-Identifier: Apache-2.0
// One test of the conformance check, run in a process of its own: whatever the plugin does, the
// check goes on and knows in which step it happened.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace backplane {

enum class Outcome { kPassed, kFailed, kSkipped };

struct Finding {
  Outcome outcome = Outcome::kPassed;
  std::string reason;  // empty where it passed
};

// What a test says about itself, from inside its process. Any thread.
class Probe {
 public:
  virtual ~Probe() = default;
  // Where a crash or a hang from here on is said to have happened, e.g. "create".
  virtual void step(const std::string& name) = 0;
  // The first of fail and skip counts.
  virtual void fail(const std::string& reason) = 0;
  virtual void skip(const std::string& reason) = 0;
  virtual bool settled() const = 0;  // fail or skip was called
  // How long the test may wait for one thing: half of what the process gets.
  virtual std::chrono::milliseconds patience() const = 0;
};

// Runs `body` in a forked process and kills it when `timeout` has passed. The caller must be the
// only thread of its process.
Finding run_forked(std::chrono::milliseconds timeout, const std::function<void(Probe&)>& body);

}  // namespace backplane
