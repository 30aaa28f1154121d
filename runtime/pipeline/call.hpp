// SPDX-License-Identifier: Apache-2.0
// One call from its first byte to its last: authorize, route, try, stream, meter, settle. Lives on
// one loop. The transport holds it as a bp_call; it deletes itself once it is released and over.
#pragma once

#include "runtime/pipeline/attempt.hpp"
#include "runtime/pipeline/cache/call_cache.hpp"
#include "runtime/pipeline/call_metrics.hpp"
#include "runtime/pipeline/continuation/continuation.hpp"
#include "runtime/pipeline/generation_use.hpp"
#include "runtime/pipeline/receipt_store.hpp"
#include "runtime/pipeline/request_scan.hpp"
#include "runtime/pipeline/rival.hpp"
#include "runtime/pipeline/router.hpp"
#include "runtime/pipeline/routing/route_choice.hpp"
#include "runtime/pipeline/settlement.hpp"
#include "runtime/services/logger.hpp"
#include "runtime/telemetry/call_trace.hpp"

#include <backplane/clock.h>

#include <backplane/plugin.hpp>
#include <list>
#include <string>
#include <vector>

namespace backplane {

struct CallLimits {
  std::uint64_t call_timeout_ms = 600'000;  // from begin to the terminal event
  std::uint64_t cancel_grace_ms = 2'000;    // from a cancel to the backend's terminal event
  std::uint64_t attempts_max = 8;           // a model may have less
};

class GatewayCall;
class FormCall;
struct CacheControl;

// What the calls of one loop share, whatever their generation. [loop]
struct LoopCalls {
  LoopCalls(const bp_loop_service& loops, std::uint32_t number, std::atomic<std::uint64_t>& all,
            ReceiptStore& store)
      : index(number),
        loop(loops.at(loops.context, number)),
        mailbox(loops, loop),
        live_calls(all),
        receipts(store) {}
  const std::uint32_t index;
  bp_loop* const loop;
  Mailbox mailbox;
  std::list<GatewayCall*> live;
  std::list<FormCall*> forms;              // that are read for their model
  std::atomic<std::uint64_t>& live_calls;  // of all loops
  ReceiptStore& receipts;                  // likewise
  Generation* generation = nullptr;        // that of the calls to come
};

// What the calls of one generation share; outlives them. Read-only.
struct CallContext {
  const bp_loop_service& loops;
  const bp_clock& clock;
  const std::vector<PaymentInstance>& payments;
  CallMetrics& metrics;
  Logger& logger;
  CallLimits limits;
  std::uint64_t generation;
  std::string generation_text;
  Tracer* tracer = nullptr;
  ResponseCache* cache = nullptr;  // null: no model has one
};

// What an operator sees of a call.
struct CallDescription {
  std::string id;
  std::string model;
  std::string operation;
  std::string backend;  // the one tried last; empty: none yet
  const char* phase;    // "new", "authorizing", "trying", "streaming", "ending"
  std::int64_t age_ms;
  std::uint64_t pieces;
  std::uint64_t generation;
};

class GatewayCall final : public bp_call, private AttemptOwner, private RivalOwner {
 public:
  GatewayCall(CallContext& context, LoopCalls& loop_calls, LoopUsers& users,
              const bp_request& request, const bp_sink& sink, RequestScan scan, const Model& model,
              RouteChoice choice);
  GatewayCall(const GatewayCall&) = delete;
  GatewayCall& operator=(const GatewayCall&) = delete;

  // What follows the body, before the start.
  void take_input(std::unique_ptr<FormInput> input) { input_ = std::move(input); }
  // Begins in a later turn of the loop, so that nothing is emitted before begin has returned.
  void start_later();
  // The deployment goes: ends the call with an error.
  void shut_down();
  // An operator wants it ended.
  void cancel_by_operator();

  const std::string& id() const { return id_; }
  CallDescription describe() const;

 private:
  enum class Phase { kNew, kAuthorizing, kTrying, kStreaming, kOver };

  ~GatewayCall() override;
  void post(bp_task task);
  void run_posted(void (GatewayCall::*work)());
  void start();
  void on_decision(const Refusal* refusal);
  void try_next();
  bool take_next();
  Status try_route();
  AttemptContext attempt_context(const Route& route, const bp_request& request) const;
  RouteChoice::Moment moment() const;
  void arm_hedge();
  void hedge();
  void adopt_rival();
  void end_race();
  bool has_next() const;
  void fail_or_try_next(const Error& error);
  void succeed(const bp_event& terminal);
  void fail(const Error& error, CallOutcome outcome, const Refusal* refusal);
  bp_request request_for(const Route& route) const;
  void begin_trace();
  void note_first_event(std::int64_t now_ns);
  void note_end_of_attempt(const Error* error);
  std::string trace_id() const;
  void log(LogLevel level, std::string_view message) const;
  bool may_try_next(const Error& error);
  bool may_continue(const Error& error);
  std::uint32_t answer_to(std::uint32_t flow);
  std::uint32_t on_continued(const bp_event& event);
  std::uint64_t input_size() const;

  // Of a model with a cache alone.
  void ask_cache();
  void open_cache(const CacheControl& control);
  void go_on_from_cache(CallCache::Next next);
  void replay();
  void add_cache_headers(std::vector<bp_pair>& headers, std::string& age);
  void keep_answer(const bp_event& terminal);
  void settle_cached();

  void on_start(Attempt& attempt) override { attempt_ = &attempt; }
  std::uint32_t on_event(const bp_event& event) override;
  void on_end(const bp_event& terminal) override;
  std::uint32_t on_rival_answer(const bp_event& event) override;
  void on_rival_gone() override { rival_ = nullptr; }
  void keep_receipt();
  void send_head();
  void add_route(std::vector<bp_pair>& headers, const std::string& tries) const;
  std::uint32_t send(bp_event event);
  const bp_usage* told_usage() const { return has_usage_ ? &usage_ : nullptr; }
  void send_error(const Error& error, const Refusal* refusal);
  void client_cancelled(const char* reason);
  void client_left();
  void finish(CallOutcome outcome);
  void settle(CallOutcome outcome);
  void break_off(const Error& error, CallOutcome outcome);
  void stop_backend(CallOutcome outcome);
  void client_resumed();
  void arm(std::uint64_t& timer, std::uint64_t delay_ms, bp_task task);
  void disarm(std::uint64_t& timer);
  void destroy_when_idle();
  std::int64_t now_ns() const { return context_.clock.monotonic_ns(context_.clock.context); }

  GenerationUse generation_;  // the last to go
  CallContext& context_;
  LoopCalls& loop_calls_;
  std::list<GatewayCall*>::iterator position_;
  const bp_sink sink_;
  const RequestScan scan_;
  const Model& model_;
  const std::string id_;
  const std::string operation_;
  const std::string content_type_;
  const BufferRef body_;
  std::unique_ptr<FormInput> input_;  // what follows it
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::vector<bp_pair> charge_metadata_;
  std::vector<bp_pair> backend_metadata_;  // without credentials
  std::unique_ptr<CallTrace> trace_;       // null: not traced
  std::int64_t begun_ns_ = 0;
  std::int64_t deadline_ns_ = 0;

  Settlement settlement_;
  std::unique_ptr<CallCache> cache_;  // null: it takes no part
  Attempt* attempt_ = nullptr;
  Rival* rival_ = nullptr;  // null: none beside it
  Phase phase_ = Phase::kNew;
  RouteChoice choice_;
  const Route* route_ = nullptr;  // the one tried last
  RouteTry try_;                  // on it
  std::uint32_t tries_ = 0;
  std::uint64_t pieces_before_ = 0;  // it
  Error last_error_;
  std::unique_ptr<Continuation> continuation_;  // null: none is wanted
  HeaderList headers_;
  std::string receipt_;  // of the try that goes on or was the last; empty: none
  std::uint64_t sequence_ = 0;
  std::uint64_t pieces_ = 0;  // content events sent on; all bytes of a body are one
  bp_usage usage_{};
  bool has_usage_ = false;
  bool head_sent_ = false;
  bool released_ = false;
  bool streams_ = false;     // what the client gets is a stream
  bool paused_ = false;      // by the client
  bool cancelling_ = false;  // waits for the backend's terminal event
  bool destroying_ = false;
  bool has_timed_out_ = false;
  CallOutcome outcome_ = CallOutcome::kOk;  // of a call that waits for its backend
  std::uint32_t pending_posts_ = 0;
  std::uint64_t deadline_timer_ = 0;
  std::uint64_t hedge_timer_ = 0;
};

}  // namespace backplane
