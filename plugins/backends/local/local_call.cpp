// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/local_call.hpp"

#include <algorithm>

namespace backplane::local {
namespace {

Error cancelled() {
  return {Code::kCancelled, "the call was cancelled", "CANCELLED", 499, 0};
}

}  // namespace

LocalCall::LocalCall(Engine& engine, const ModelOutput& output, AdapterStore& adapters,
                     const bp_request& request, const bp_sink& sink,
                     const RequestDefaults& defaults)
    : engine_(engine),
      output_(output),
      adapters_(adapters),
      operation_(view(request.operation)),
      model_(view(request.model)),
      body_(request.body),
      defaults_(defaults),
      events_(sink),
      id_state_(defaults.seed) {
  usage_.struct_size = sizeof(bp_usage);
}

// Schemas come in these fields alone; their names may be written with escapes.
bool LocalCall::may_take_long() const {
  constexpr std::string_view kSigns[] = {"\"response_format\"", "\"tools\"", "\\u00"};
  return std::any_of(std::begin(kSigns), std::end(kSigns), [&](std::string_view sign) {
    return body_.text().find(sign) != std::string_view::npos;
  });
}

void LocalCall::prepare(std::int64_t now_s) {
  if (begin_to_prepare()) {
    if (const Status status = submit(now_s); !status) end(status.error());
  }
  let_go();
}

bool LocalCall::begin_to_prepare() {
  const std::lock_guard lock(mutex_);
  preparing_ = true;
  return !cancelled_;
}

Status LocalCall::submit(std::int64_t now_s) {
  Result<ParsedRequest> parsed = parse_request(operation_, body_.text(), defaults_);
  if (!parsed) return parsed.error();
  const auto adapter =
      choose_adapter(parsed->adapter, model_, engine_.info().name, adapters_, now_s * 1000);
  if (!adapter) return adapter.error();
  Result<GenerationPlan> plan = plan_generation(engine_, output_, std::move(*parsed), now_s);
  if (!plan) return plan.error();
  for (GenerateRequest& request : plan->requests) {
    request.adapter = adapter->adapter;
    request.adapter_scale = adapter->scale;
  }
  choices_per_prompt_ = plan->choices_per_prompt;
  for (std::size_t i = 0; i < plan->requests.size(); ++i) {
    choices_.emplace_back(static_cast<ChoiceOwner&>(*this), engine_.tokenizer(),
                          static_cast<std::uint32_t>(i));
    choices_.back().read_as(plan->format, plan->begins_thinking);
  }
  return submit_choices(std::move(*plan));
}

// Holding the lock until all ids are known: a cancel that comes in between must find them.
Status LocalCall::submit_choices(GenerationPlan plan) {
  std::unique_lock lock(mutex_);
  if (cancelled_) return cancelled();
  left_ = choices_.size();
  for (std::size_t i = 0; i < choices_.size(); ++i) {
    Result<RequestId> id = engine_.submit(std::move(plan.requests[i]), choices_[i]);
    if (id) {
      ids_.push_back(*id);
      continue;
    }
    if (i == 0) return id.error();
    lock.unlock();
    on_refused_choice(id.error(), choices_.size() - i);
    return ok();
  }
  return ok();
}

// Those before it are with the engine already.
void LocalCall::on_refused_choice(const Error& error, std::size_t missing) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = error;
    cancel_choices();
  }
  if (is_over(missing)) end();
}

void LocalCall::cancel_choices() {
  for (const RequestId id : ids_) engine_.cancel(id);
}

// Where it waits for the preparer it ends now: those before it may take longer than a cancel may.
void LocalCall::on_cancel() noexcept {
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    waits = !preparing_ && !cancelled_;
    cancelled_ = true;
    cancel_choices();
  }
  if (waits) end(cancelled());
}

void LocalCall::on_resume() noexcept {
  const std::lock_guard lock(mutex_);
  resumed_ = true;
  for (const RequestId id : ids_) engine_.resume(id);
}

EventWriter& LocalCall::begin_event() {
  const std::lock_guard lock(mutex_);
  resumed_ = false;
  return events_;
}

void LocalCall::end_event(std::uint32_t flow) {
  if (flow == BP_FLOW_CONTINUE) return;
  const std::lock_guard lock(mutex_);
  if (flow == BP_FLOW_STOP) return cancel_choices();
  if (resumed_) return;
  for (const RequestId id : ids_) engine_.pause(id);
}

// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t LocalCall::next_id() {
  id_state_ += 0x9e3779b97f4a7c15u;
  std::uint64_t bits = id_state_;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

void LocalCall::on_choice_finish(FinishReason reason, const Usage& usage,
                                 std::uint32_t reasoning_tokens, std::uint32_t index) {
  if (index % choices_per_prompt_ == 0) {
    usage_.prompt_tokens += usage.prompt_tokens;
    usage_.cached_prompt_tokens += usage.cached_prompt_tokens;
  }
  usage_.completion_tokens += usage.completion_tokens;
  usage_.reasoning_tokens += reasoning_tokens;
  if (reason == FinishReason::kCancelled) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = cancelled();
  }
  if (is_over()) end();
}

void LocalCall::on_choice_error(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = error;
    cancel_choices();
  }
  if (is_over()) end();
}

bool LocalCall::is_over(std::size_t ended) {
  const std::lock_guard lock(mutex_);
  left_ -= ended;
  return left_ == 0;
}

void LocalCall::end() {
  if (!failure_ || usage_.completion_tokens > 0) events_.usage(usage_);
  if (failure_) return end(*failure_);
  events_.end();
  let_go();
}

void LocalCall::end(const Error& error) {
  events_.error(error);
  let_go();
}

void LocalCall::let_go() {
  if (holders_.fetch_sub(1) == 1) delete this;
}

}  // namespace backplane::local
