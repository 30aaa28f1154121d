// SPDX-License-Identifier: Apache-2.0
// The part of a call whose model has a cache: asks it, plays what it gives, keeps what a backend
// says. A call of another model never comes here.
#include "runtime/pipeline/cache/cache_request.hpp"
#include "runtime/pipeline/call.hpp"

#include <algorithm>

namespace backplane {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

// A part of what it would cost, rounded up.
std::int64_t percent_of(std::int64_t nano_usd, std::uint32_t percent) {
  __extension__ using Wide = __int128;
  return static_cast<std::int64_t>((Wide{nano_usd} * percent + 99) / 100);
}

}  // namespace

// None for forms, whose bytes never come twice, and for responses, which later calls refer to by
// an id.
void GatewayCall::open_cache(const CacheControl& control) {
  const bool takes_part = context_.cache != nullptr && !control.no_store && input_ == nullptr &&
                          operation_ != "responses" && !content_type_.starts_with("multipart/");
  if (!takes_part) return;
  const auto key = cache_key_of(
      {metadata_, model_.name, model_.cache.routes, operation_, content_type_, body_.text()});
  if (!key) return;
  cache_ = std::make_unique<CallCache>(*context_.cache, context_.loops, loop_calls_.loop, *key);
}

void GatewayCall::ask_cache() {
  const CacheControl control = cache_control_of(metadata_);
  open_cache(control);
  if (cache_ == nullptr) return try_next();
  CallCache::Question question;
  question.now_ns = now_ns();
  question.age_max_ns = std::min(model_.cache.ttl_s, control.max_age_s) * kSecondNs;
  if (cache_->find(question)) return go_on_from_cache(CallCache::Next::kReplay);
  question.shares = question.age_max_ns != 0 && is_deterministic(operation_, body_.get());
  go_on_from_cache(
      cache_->enter(question, [this](CallCache::Next next) { go_on_from_cache(next); }));
}

void GatewayCall::go_on_from_cache(CallCache::Next next) {
  if (next == CallCache::Next::kWait) return;
  context_.metrics.cache_asked(model_, cache_->result());
  if (next == CallCache::Next::kTry) return try_next();
  replay();
}

// Until the client has no room; again when it has.
void GatewayCall::replay() {
  if (phase_ == Phase::kOver) return;
  const CachedAnswer& answer = *cache_->answer();
  streams_ = answer.streams;
  receipt_ = answer.receipt;
  if (!head_sent_) send_head();
  bp_event event{};
  while (phase_ != Phase::kOver && !paused_ && cache_->next(event)) {
    if (event.type != BP_EVENT_USAGE && event.type != BP_EVENT_FINISH) ++pieces_;
    if (send(event) == BP_FLOW_STOP) client_cancelled("by the transport");
  }
  if (phase_ == Phase::kOver || paused_) return;
  event = {};
  event.data = str(answer.end);
  succeed(event);
}

// What the provider's answer came with goes with it wherever it goes.
void GatewayCall::add_cache_headers(std::vector<bp_pair>& headers, std::string& age) {
  headers.push_back({str("x-backplane-cache"), str(name_of(cache_->result()))});
  if (const CachedAnswer* const answer = cache_->answer()) {
    for (const auto& [name, value] : answer->headers) headers.push_back({str(name), str(value)});
    headers.push_back({str("x-backplane-attempts"), str("0")});
    age = std::to_string((now_ns() - answer->made_ns) / kSecondNs);
    headers.push_back({str("age"), str(age)});
  } else if (CachedAnswer* const recording = cache_->recording()) {
    recording->headers = headers_;
    recording->headers.emplace_back("x-backplane-provider", route_->backend->name);
    recording->headers.emplace_back("x-backplane-model", route_->model);
  }
}

void GatewayCall::keep_answer(const bp_event& terminal) {
  bp_usage usage = usage_;
  usage.struct_size = sizeof(bp_usage);
  if (!has_usage_) usage.completion_tokens = pieces_;
  if (CachedAnswer* const recording = cache_->recording()) {
    recording->streams = streams_;
    recording->receipt = receipt_;
  }
  cache_->complete(usage, terminal.data, now_ns());
}

// Nothing was produced: by default nothing is paid.
void GatewayCall::settle_cached() {
  const bp_usage& usage = cache_->answer()->usage;
  if (!head_sent_) return settlement_.release();
  context_.metrics.cache_saved(model_, usage.prompt_tokens, usage.completion_tokens);
  if (model_.cache.charge_percent == 0) return settlement_.release();
  const std::int64_t cost =
      cost_nano_usd(model_.price, usage.prompt_tokens, usage.completion_tokens);
  settlement_.settle(usage, percent_of(cost, model_.cache.charge_percent));
}

}  // namespace backplane
