// SPDX-License-Identifier: Apache-2.0
// The engine's thread: takes in what came, gives places, computes steps, tells the listeners. Loads
// the weights when they are needed, on a thread beside it, and lets them go when they are not.
#pragma once

#include <backplane/result.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "plugins/backends/local/engine/engine_options.hpp"
#include "plugins/backends/local/engine/inbox.hpp"
#include "plugins/backends/local/engine/roster.hpp"
#include "plugins/backends/local/engine/step_pace.hpp"
#include "plugins/backends/local/engine/weights.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

class BatchLoop {
 public:
  // `weights` may be null; `tokenizer` outlives the loop. `pages` of the cache.
  BatchLoop(const EngineOptions& options, std::size_t pages, const Tokenizer& tokenizer,
            std::unique_ptr<Weights> weights);
  ~BatchLoop() { stop(); }

  Inbox& inbox() { return inbox_; }
  // Idempotent; not from a listener.
  void stop();

 private:
  void run();
  void take_over(InboxContents contents);
  void work();
  std::size_t budget() const;
  bool append(const Grant& grant, std::vector<BatchEntry>& batch);
  void compute(std::vector<Grant> grants);
  void take_states(const std::vector<Grant>& grants);
  void pick_tokens(const std::vector<Grant>& grants, kernels::ConstMatrix logits);
  void end(Generation& over);
  void report();
  void end_all(const Error& error);

  void begin_to_load();
  void take_loaded();
  void use(std::unique_ptr<Weights> weights);
  void unload_when_idle();
  std::chrono::milliseconds idle_unload() const;
  void release_weights();
  std::optional<Clock::time_point> unload_time() const;
  void log(const std::string& line, bool is_error = false) const;

  const EngineOptions options_;
  const std::size_t pages_;
  const Tokenizer& tokenizer_;
  Inbox inbox_;
  Roster roster_;
  StepPace pace_;
  std::unique_ptr<Weights> weights_;
  Clock::time_point last_work_;
  std::optional<std::chrono::milliseconds> keep_alive_;  // asked for by who came last

  // Written by the loader before it says loaded_, read after.
  std::optional<Result<std::unique_ptr<Weights>>> loading_;
  std::atomic<bool> loaded_{false};
  std::thread loader_;
  std::thread thread_;
};

}  // namespace backplane::local
