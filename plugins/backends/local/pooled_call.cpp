// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/pooled_call.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "plugins/backends/local/request/fields.hpp"
#include "plugins/backends/local/request/keep_alive.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

Error cancelled() {
  return {Code::kCancelled, "the call was cancelled", "CANCELLED", 499, 0};
}

// As the client wrote it; the name that the backend knows the model by is nothing to him.
std::string model_json(const bp_request& request, std::string_view body) {
  if (request.model_size == 0 || request.model_offset > body.size() ||
      request.model_size > body.size() - request.model_offset) {
    return json::serialize(json::value(view(request.model)));
  }
  return std::string(body.substr(request.model_offset, request.model_size));
}

}  // namespace

PooledCall::PooledCall(Engine& engine, AdapterStore& adapters, const PooledSettings& settings,
                       const bp_request& request, const bp_sink& sink)
    : engine_(engine),
      adapters_(adapters),
      settings_(settings),
      operation_(view(request.operation)),
      body_(request.body),
      model_(view(request.model)),
      model_json_(model_json(request, body_.text())),
      id_(view(request.id)),
      events_(sink) {}

void PooledCall::prepare(std::int64_t now_ms) {
  if (begin_to_prepare()) {
    if (const Status begun = begin(now_ms); !begun) end(begun.error());
  }
  let_go();
}

bool PooledCall::begin_to_prepare() {
  const std::lock_guard lock(mutex_);
  preparing_ = true;
  return !cancelled_;
}

Status PooledCall::begin(std::int64_t now_ms) {
  boost::system::error_code failure;
  const json::value body = json::parse(body_.text(), failure);
  if (failure || !body.is_object()) {
    return refuse("body", "expected a JSON object; " + failure.message());
  }
  const auto field = read_adapter_field(body.as_object());
  if (!field) return field.error();
  const auto keep_alive = read_keep_alive(body.as_object());
  if (!keep_alive) return keep_alive.error();
  keep_alive_ = *keep_alive;
  auto choice = choose_adapter(*field, model_, engine_.info().name, adapters_, now_ms);
  if (!choice) return choice.error();
  adapter_ = std::move(*choice);
  const auto make = operation_ == "rerank" ? &make_rerank_work : &make_embedding_work;
  auto work = make(body.as_object(), engine_, settings_);
  if (!work) return work.error();
  work_ = std::move(*work);
  const std::lock_guard lock(mutex_);
  if (cancelled_) return cancelled();
  ids_.resize(work_->size());
  const Status submitted = submit_more();
  if (submitted || running_ == 0) return submitted;
  fail(submitted.error());  // ends with the texts that are at the engine
  return ok();
}

// Holding the lock until the id is known: a cancel, or the end of the text, must find it.
Status PooledCall::submit_more() {
  while (running_ < kAtOnceMax && texts_.size() < work_->size()) {
    const std::size_t index = texts_.size();
    GenerateRequest request;
    request.prompt_tokens = work_->tokens(index);
    request.pooling = work_->pooling();
    request.keep_alive = keep_alive_;
    request.adapter = adapter_.adapter;
    request.adapter_scale = adapter_.scale;
    const auto id = engine_.submit(std::move(request), texts_.emplace_back(*this, index));
    if (!id) {
      texts_.pop_back();
      // Those at the engine end some time, and then there is room for more.
      if (id.error().code == Code::kResourceExhausted && running_ > 0) return ok();
      return id.error();
    }
    ids_[index] = *id;
    ++running_;
  }
  return ok();
}

void PooledCall::take(std::size_t index, std::span<const float> state) {
  const Status taken = work_->take(index, state);
  if (taken) return;
  const std::lock_guard lock(mutex_);
  fail(taken.error());
}

void PooledCall::finish_text(std::size_t index, FinishReason reason, const Usage& usage) {
  std::unique_lock lock(mutex_);
  prompt_tokens_ += usage.prompt_tokens;
  if (reason == FinishReason::kCancelled) fail(cancelled());
  end_text(index, std::move(lock));
}

void PooledCall::fail_text(std::size_t index, const Error& error) {
  std::unique_lock lock(mutex_);
  fail(error);
  end_text(index, std::move(lock));
}

void PooledCall::fail(const Error& error) {
  if (failure_) return;
  failure_ = error;
  for (const RequestId id : ids_) {
    if (id != 0) engine_.cancel(id);
  }
}

void PooledCall::end_text(std::size_t index, std::unique_lock<std::mutex> lock) {
  ids_[index] = 0;
  --running_;
  if (!failure_) {
    if (const Status more = submit_more(); !more) fail(more.error());
  }
  if (running_ > 0) return;
  lock.unlock();
  if (failure_) return end(*failure_);
  events_.body(work_->document(model_json_, id_, prompt_tokens_), "application/json");
  events_.usage(prompt_tokens_, 0);
  events_.end();
  let_go();
}

// Where it waits for the preparer it ends now: those before it may take longer than a cancel may.
void PooledCall::on_cancel() noexcept {
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    waits = !preparing_ && !cancelled_;
    cancelled_ = true;
    if (running_ > 0) fail(cancelled());
  }
  if (waits) end(cancelled());
}

void PooledCall::end(const Error& error) {
  events_.error(error);
  let_go();
}

void PooledCall::let_go() {
  if (holders_.fetch_sub(1) == 1) delete this;
}

}  // namespace backplane::local
