// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/local_call.hpp"

namespace backplane::local {
namespace {

Error cancelled() {
  return {Code::kCancelled, "the call was cancelled", "CANCELLED", 499, 0};
}

}  // namespace

LocalCall::LocalCall(Engine& engine, const bp_request& request, const bp_sink& sink,
                     const RequestDefaults& defaults)
    : engine_(engine),
      operation_(view(request.operation)),
      body_(request.body),
      defaults_(defaults),
      events_(sink) {}

void LocalCall::prepare(std::int64_t now_s) {
  if (begin_to_prepare()) {
    if (const Result<RequestId> id = submit(now_s); !id) end(id.error());
  }
  let_go();
}

bool LocalCall::begin_to_prepare() {
  const std::lock_guard lock(mutex_);
  preparing_ = true;
  return !cancelled_;
}

Result<std::vector<Token>> LocalCall::prompt_tokens(ParsedRequest& parsed,
                                                    std::int64_t now_s) const {
  if (!parsed.is_chat) {
    if (const Status fits = engine_.check_length(parsed.prompt); !fits) return fits.error();
    return engine_.tokenize_text(parsed.prompt);
  }
  Object inputs;
  inputs.set("messages", std::move(parsed.messages));
  inputs.set("add_generation_prompt", Value(true));
  const Result<std::string> text = engine_.render_chat(std::move(inputs), now_s);
  if (!text) return text.error();
  if (const Status fits = engine_.check_length(*text); !fits) return fits.error();
  return engine_.tokenize_chat(*text);
}

// Holding the lock until the id is known: a cancel that comes in between must find it.
Result<RequestId> LocalCall::submit(std::int64_t now_s) {
  Result<ParsedRequest> parsed = parse_request(operation_, body_.text(), defaults_);
  if (!parsed) return parsed.error();
  Result<std::vector<Token>> tokens = prompt_tokens(*parsed, now_s);
  if (!tokens) return tokens.error();
  GenerateRequest request;
  request.prompt_tokens = std::move(*tokens);
  request.max_tokens = parsed->max_tokens;
  request.sampling = parsed->sampling;
  request.stop = std::move(parsed->stop);
  const std::lock_guard lock(mutex_);
  if (cancelled_) return cancelled();
  const Result<RequestId> id = engine_.submit(std::move(request), *this);
  if (id) id_ = *id;
  return id;
}

// Where it waits for the preparer it ends now: those before it may take longer than a cancel may.
void LocalCall::on_cancel() noexcept {
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    waits = !preparing_ && !cancelled_;
    cancelled_ = true;
    if (id_ != 0) engine_.cancel(id_);
  }
  if (waits) end(cancelled());
}

void LocalCall::on_resume() noexcept {
  const std::lock_guard lock(mutex_);
  resumed_ = true;
  if (id_ != 0) engine_.resume(id_);
}

void LocalCall::on_piece(const Piece& piece) {
  {
    const std::lock_guard lock(mutex_);
    resumed_ = false;
  }
  const std::uint32_t flow = events_.text(piece.text);
  if (flow == BP_FLOW_CONTINUE) return;
  const std::lock_guard lock(mutex_);
  if (flow == BP_FLOW_STOP) {
    engine_.cancel(id_);
  } else if (!resumed_) {
    engine_.pause(id_);
  }
}

void LocalCall::on_finish(FinishReason reason, const Usage& usage) {
  if (reason != FinishReason::kCancelled) {
    events_.finish(reason == FinishReason::kStop ? "stop" : "length");
  }
  events_.usage({sizeof(bp_usage), 0, usage.prompt_tokens, usage.completion_tokens,
                 usage.cached_prompt_tokens, 0});
  if (reason == FinishReason::kCancelled) return end(cancelled());
  events_.end();
  let_go();
}

void LocalCall::on_error(const Error& error) {
  end(error);
}

void LocalCall::end(const Error& error) {
  events_.error(error);
  let_go();
}

void LocalCall::let_go() {
  if (holders_.fetch_sub(1) == 1) delete this;
}

}  // namespace backplane::local
