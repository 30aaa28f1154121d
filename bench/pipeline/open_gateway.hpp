// SPDX-License-Identifier: Apache-2.0
// The gateway of a deployment with one loop, one model and one backend that does what the benchmark
// says: what a transport's sink sees has passed the whole pipeline.
#pragma once

#include "runtime/net/event_loop.hpp"
#include "runtime/net/loop.hpp"
#include "runtime/pipeline/gateway.hpp"

#include <functional>
#include <memory>

namespace backplane::bench {

class OpenGateway {
 public:
  // What the backend does with a call: it may emit at once, or keep the sink. [loop]
  using Submit = std::function<void(const bp_sink& sink)>;

  explicit OpenGateway(Submit submit, CacheRules rules = {});
  ~OpenGateway();
  OpenGateway(const OpenGateway&) = delete;
  OpenGateway& operator=(const OpenGateway&) = delete;

  // The backend has the call one turn of the loop later. Ends the program where the gateway does
  // not take it. [loop]
  bp_call* begin(const bp_sink& sink);

  // Runs `work` on the loop and waits for it; all that was posted before has been run then.
  void on_loop(const std::function<void()>& work) { loops_->at(0).run_and_wait(work); }

 private:
  static const bp_backend kBackend;

  const Submit submit_;
  const std::unique_ptr<Loops> loops_;
  const BufferRef body_;
  MetricsRegistry registry_;
  Logger logger_{LogLevel::kError, LogFormat::kText};
  BackendInstance backend_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<CallMetrics> metrics_;
  std::vector<PaymentInstance> payments_;
  ResponseCache cache_;
  std::unique_ptr<Generation> generation_;
  std::unique_ptr<Gateway> gateway_;
};

}  // namespace backplane::bench
