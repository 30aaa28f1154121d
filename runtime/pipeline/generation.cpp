// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/generation.hpp"

#include "runtime/pipeline/model_list.hpp"

namespace backplane {
namespace {

std::int64_t unix_s(const bp_clock& clock) {
  return clock.unix_ns(clock.context) / 1'000'000'000;
}

}  // namespace

Generation::Generation(const bp_loop_service& loops, const bp_clock& clock, CallMetrics& metrics,
                       Logger& logger, const Router& router,
                       const std::vector<PaymentInstance>& payments, Options options,
                       std::int64_t models_created_s)
    : context_{loops,          clock,        payments,   metrics,
               logger,         options.call, options.id, std::to_string(options.id),
               options.tracer, options.cache},
      router_(router),
      options_(options),
      models_created_s_(models_created_s != 0 ? models_created_s : unix_s(clock)),
      models_(std::make_shared<const std::string>(model_list(router, models_created_s_))),
      loops_left_(loops.count) {
  for (std::uint32_t i = 0; i < loops.count; ++i) {
    users_.push_back(std::make_unique<LoopUsers>(*this));
  }
}

// The last one's function is called on a copy: it may destroy this.
void Generation::leave_loop() {
  if (loops_left_.fetch_sub(1) != 1) return;
  if (const std::function<void()> told = unused_) told();
}

void LoopUsers::none_left() {
  generation_.leave_loop();
}

}  // namespace backplane
