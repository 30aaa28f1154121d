// SPDX-License-Identifier: Apache-2.0
// bp.gateway/1: where transports bring their calls.
#pragma once

#include "runtime/pipeline/call.hpp"
#include "runtime/pipeline/form_call.hpp"

#include <backplane/transport.h>

#include <memory>
#include <vector>

namespace backplane {

class Gateway final : private CallOpener {
 public:
  struct Options {
    ScanLimits scan;
    CallLimits call;
    std::uint64_t calls_max = 100'000;  // at once; more are refused with 503
    std::uint64_t body_bytes_max = 16 * 1024 * 1024;
    Tracer* tracer = nullptr;  // outlives the gateway; null: nothing is traced
  };

  // Everything given outlives the gateway.
  Gateway(const bp_loop_service& loops, const bp_clock& clock, MetricsRegistry& registry,
          CallMetrics& metrics, Logger& logger, const Router& router,
          const std::vector<PaymentInstance>& payments, Options options);

  const bp_gateway* table() const { return &table_; }

  // [any-thread] While not serving, new calls are refused and /ready says so.
  void set_serving(bool serving) { serving_.store(serving); }
  bool serving() const { return serving_.load(); }
  std::uint64_t live_calls() const { return context_.live_calls.load(); }

  // [any-thread] Ends every call with an error, soon.
  void shut_down_calls();

 private:
  Result<bp_call*> begin(const bp_request& request, const bp_sink& sink);
  Result<bp_call*> begin_form(LoopCalls& calls, const bp_request& request, const bp_sink& sink);
  Result<GatewayCall*> open(LoopCalls& calls, const bp_request& request, const bp_sink& sink,
                            RequestScan scan, std::unique_ptr<FormInput> input) override;
  std::uint32_t reject(const Error& error, bp_error* out);
  std::string models_json() const;
  LoopCalls* calls_of(const bp_loop* loop);

  CallContext context_;
  MetricsRegistry& registry_;
  const Router& router_;
  const Options options_;
  const std::string models_;
  std::vector<std::unique_ptr<LoopCalls>> loops_;
  std::atomic<bool> serving_{false};
  bp_gateway table_;
};

}  // namespace backplane
