// SPDX-License-Identifier: Apache-2.0
// What calls read of one state of the deployment: routes, payments, limits. A call keeps the one
// that it began under until it has ended, however many come after it.
#pragma once

#include "runtime/pipeline/call.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace backplane {

class Generation {
 public:
  struct Options {
    std::uint64_t id = 1;  // 1, 2, ... in the order in which they come
    ScanLimits scan;
    CallLimits call;
    ReceiptLimits receipts;
    std::uint64_t calls_max = 100'000;  // at once; more are refused with 503
    std::uint64_t body_bytes_max = 16 * 1024 * 1024;
    Tracer* tracer = nullptr;        // outlives the gateway; null: nothing is traced
    ResponseCache* cache = nullptr;  // likewise; null: no answer is kept
  };

  // Everything given outlives it. `models_created_s` is what the list of models says, in Unix time;
  // 0: now.
  Generation(const bp_loop_service& loops, const bp_clock& clock, CallMetrics& metrics,
             Logger& logger, const Router& router, const std::vector<PaymentInstance>& payments,
             Options options, std::int64_t models_created_s = 0);
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  std::uint64_t id() const { return options_.id; }
  const Options& options() const { return options_; }
  const Router& router() const { return router_; }
  CallContext& context() { return context_; }
  LoopUsers& users(std::size_t loop) { return *users_[loop]; }
  std::int64_t models_created_s() const { return models_created_s_; }
  // For GET /v1/models, as it was at the start.
  const std::shared_ptr<const std::string>& models() const { return models_; }

  // Called once on a loop, when no loop and no call needs this any more; it may be destroyed then.
  // Set before it is replaced. [control]
  void on_unused(std::function<void()> told) { unused_ = std::move(told); }

 private:
  friend class LoopUsers;
  void leave_loop();

  CallContext context_;
  const Router& router_;
  const Options options_;
  const std::int64_t models_created_s_;
  const std::shared_ptr<const std::string> models_;  // shared with who is being told
  std::vector<std::unique_ptr<LoopUsers>> users_;
  std::atomic<std::size_t> loops_left_;
  std::function<void()> unused_;
};

}  // namespace backplane
