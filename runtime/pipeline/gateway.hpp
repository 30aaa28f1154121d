// SPDX-License-Identifier: Apache-2.0
// bp.gateway/1: where transports bring their calls. One for the life of a runtime; what it serves
// is the generation of the day, of which every loop has its own pointer.
#pragma once

#include "runtime/pipeline/form_call.hpp"
#include "runtime/pipeline/generation.hpp"

#include <backplane/transport.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace backplane {

// The calls of one loop, for an operator.
struct LoopCallList {
  std::uint32_t loop = 0;
  std::uint64_t live = 0;  // of which the oldest are listed
  std::vector<CallDescription> calls;
};

class Gateway final : private CallOpener {
 public:
  using Options = Generation::Options;

  // Everything given outlives the gateway; `first` until it is replaced and unused.
  Gateway(const bp_loop_service& loops, MetricsRegistry& registry, Generation& first);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  const bp_gateway* table() const { return &table_; }

  // Calls begun from the next turn of each loop on are served by `next`; those that run keep what
  // they have. [control] One at a time.
  void replace(Generation& next);

  // [any-thread] What GET /v1/models says from now on, until the next generation.
  void show_models(std::string models);

  // [any-thread] While not serving, new calls are refused and /ready says so.
  void set_serving(bool serving) { serving_.store(serving); }
  bool serving() const { return serving_.load(); }
  // [any-thread] While not ready /ready says no; the calls that come all the same are served.
  void set_ready(bool ready) { ready_.store(ready); }
  bool ready() const { return serving() && ready_.load(); }
  std::uint64_t live_calls() const { return live_calls_.load(); }

  // [any-thread] Ends every call with an error, soon.
  void shut_down_calls();

  // [any-thread] Tells of the calls that run, on a loop, soon; of every loop the oldest `most`.
  void list_calls(std::size_t most, std::function<void(std::vector<LoopCallList>)> told);
  // [any-thread] Ends the calls of this id; tells how many there were, on a loop, soon.
  void cancel_calls(std::string id, std::function<void(std::size_t)> told);

 private:
  Result<bp_call*> begin(const bp_request& request, const bp_sink& sink);
  Result<bp_call*> begin_form(LoopCalls& calls, const bp_request& request, const bp_sink& sink);
  Result<GatewayCall*> open(Generation& generation, LoopCalls& calls, const bp_request& request,
                            const bp_sink& sink, RequestScan scan,
                            std::unique_ptr<FormInput> input) override;
  std::uint32_t reject(const bp_request& request, const Error& error, bp_error* out);
  LoopCalls* calls_of(const bp_loop* loop);
  std::shared_ptr<const std::string> models() const;
  ReceiptStore::Document find_receipt(std::string_view id, std::string_view caller);
  // Runs `work` on every loop, then `done` on the last of them.
  void on_every_loop(std::function<void(std::size_t loop)> work, std::function<void()> done);

  const bp_loop_service& service_;
  MetricsRegistry& registry_;
  std::vector<std::unique_ptr<LoopCalls>> loops_;
  std::atomic<std::uint64_t> live_calls_{0};
  std::atomic<bool> serving_{false};
  std::atomic<bool> ready_{true};
  ReceiptStore receipts_;
  mutable std::mutex models_mutex_;
  std::shared_ptr<const std::string> models_;  // guarded by models_mutex_
  bp_gateway table_;
};

}  // namespace backplane
