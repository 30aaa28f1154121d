// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/form_call.hpp"

#include <algorithm>
#include <cassert>

namespace backplane {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;

FormCall& of(bp_call* call) {
  return *static_cast<FormCall*>(call);
}

}  // namespace

FormCall::FormCall(Generation& generation, LoopCalls& loop_calls, CallOpener& opener,
                   const bp_request& request, const bp_sink& sink, std::unique_ptr<FormScan> scan)
    : bp_call{sizeof(bp_call), 0, [](bp_call* self) { of(self).client_cancelled(); },
              [](bp_call* self) { of(self).client_resumed(); },
              [](bp_call* self) { of(self).client_left(); }},
      use_(generation.users(loop_calls.index)),
      generation_(generation),
      context_(generation.context()),
      loop_calls_(loop_calls),
      opener_(opener),
      position_(loop_calls.forms.insert(loop_calls.forms.end(), this)),
      sink_(sink),
      scan_(std::move(scan)),
      held_bytes_max_(generation.options().body_bytes_max),
      id_(view(request.id)),
      operation_(view(request.operation)),
      content_type_(view(request.content_type)),
      deadline_ns_(context_.clock.monotonic_ns(context_.clock.context) +
                   static_cast<std::int64_t>(context_.limits.call_timeout_ms) * kMillisecondNs),
      stream_(request.body_stream),
      left_bytes_(request.body_stream->size),
      held_(view(request.body)) {
  if (request.deadline_ns != 0) deadline_ns_ = std::min(deadline_ns_, request.deadline_ns);
  for (std::uint64_t i = 0; i < request.metadata_count; ++i) {
    metadata_.emplace_back(view(request.metadata[i].name), view(request.metadata[i].value));
  }
  loop_calls_.live_calls.fetch_add(1);
}

FormCall::~FormCall() {
  loop_calls_.forms.erase(position_);
  loop_calls_.live_calls.fetch_sub(1);
}

void FormCall::post(bp_task task) {
  ++pending_posts_;
  context_.loops.post(loop_calls_.loop, task, this);
}

void FormCall::start_later() {
  post([](void* self) {
    auto* call = static_cast<FormCall*>(self);
    --call->pending_posts_;
    call->start();
    call->destroy_when_idle();
  });
}

void FormCall::start() {
  if (!reading_) return;
  const std::int64_t left_ms =
      (deadline_ns_ - context_.clock.monotonic_ns(context_.clock.context)) / kMillisecondNs;
  deadline_timer_ = context_.loops.post_after(
      loop_calls_.loop, static_cast<std::uint64_t>(std::max<std::int64_t>(left_ms, 0)),
      [](void* self) {
        auto* call = static_cast<FormCall*>(self);
        call->deadline_timer_ = 0;
        call->fail({Code::kDeadlineExceeded, "the request body did not come within its deadline",
                    "TIMEOUT", 504, 0});
      },
      this);
  read_on();
}

void FormCall::read_on() {
  while (reading_) {
    bp_str bytes{};
    const std::uint32_t answer = stream_->read(
        stream_->context, &bytes, [](void* self) { static_cast<FormCall*>(self)->read_on(); },
        this);
    if (answer == BP_READ_WAIT) return;
    if (answer == BP_READ_BYTES) {
      hold(view(bytes));
      continue;
    }
    if (answer == BP_READ_FAILED) {
      return fail({Code::kCancelled, "the request body broke off", "CANCELLED", 499, 0});
    }
    const Status whole = scan_->finish();
    return whole ? open() : fail(whole.error());
  }
}

void FormCall::hold(std::string_view bytes) {
  if (bytes.size() > held_bytes_max_ - std::min<std::uint64_t>(held_.size(), held_bytes_max_)) {
    return fail({Code::kInvalidArgument,
                 "the first " + std::to_string(held_bytes_max_) +
                     " bytes of the form name no model; send the field model before the file",
                 "BODY_TOO_LARGE", 413, 0});
  }
  held_ += bytes;
  if (left_bytes_ != BP_SIZE_UNKNOWN) left_bytes_ -= std::min(left_bytes_, bytes.size());
  if (const Status status = scan_->feed(bytes); !status) return fail(status.error());
  if (scan_->has_model()) open();
}

void FormCall::open() {
  std::vector<bp_pair> pairs;
  for (const auto& [name, value] : metadata_) pairs.push_back({str(name), str(value)});
  const BufferRef body = BufferRef::adopt(make_buffer(std::move(held_)));
  bp_request request{};
  request.struct_size = sizeof(bp_request);
  request.id = str(id_);
  request.operation = str(operation_);
  request.content_type = str(content_type_);
  request.body = body.get();
  request.deadline_ns = deadline_ns_;
  request.loop = loop_calls_.loop;
  request.metadata = pairs.data();
  request.metadata_count = pairs.size();
  const RequestScan found = scan_->found();
  auto input = std::make_unique<FormInput>(*stream_, left_bytes_, std::move(scan_));
  const Result<GatewayCall*> call =
      opener_.open(generation_, loop_calls_, request, sink_, found, std::move(input));
  stream_ = nullptr;  // the call's, or closed
  if (!call) return fail(call.error());
  opened_ = *call;
  leave_stage();
}

void FormCall::fail(const Error& error) {
  leave_stage();
  bp_error out;
  report(error, &out);
  bp_event event{};
  event.struct_size = sizeof(bp_event);
  event.type = BP_EVENT_ERROR;
  event.error = &out;
  sink_.emit(sink_.context, &event);
  destroy_when_idle();
}

// Reading is over, for better or worse.
void FormCall::leave_stage() {
  reading_ = false;
  if (deadline_timer_ != 0) {
    context_.loops.cancel(loop_calls_.loop, std::exchange(deadline_timer_, 0));
  }
  if (const bp_body_stream* stream = std::exchange(stream_, nullptr)) {
    stream->forget(stream->context);
  }
}

void FormCall::client_cancelled() {
  if (opened_ != nullptr) return opened_->cancel(opened_);
  if (reading_) {
    fail({Code::kCancelled, "the call was cancelled by the client", "CANCELLED", 499, 0});
  }
}

void FormCall::client_resumed() {
  if (opened_ != nullptr) opened_->resume(opened_);
}

void FormCall::client_left() {
  assert(!released_);
  released_ = true;
  if (reading_) leave_stage();
  if (GatewayCall* call = std::exchange(opened_, nullptr)) call->release(call);
  destroy_when_idle();
}

void FormCall::shut_down() {
  if (reading_) {
    fail({Code::kUnavailable, "the server is shutting down", "SHUTTING_DOWN", 503, 1000});
  }
}

// In a later turn: a frame of this call may be on the stack.
void FormCall::destroy_when_idle() {
  if (!released_ || reading_ || pending_posts_ != 0 || destroying_) return;
  destroying_ = true;
  context_.loops.post(
      loop_calls_.loop, [](void* self) { delete static_cast<FormCall*>(self); }, this);
}

}  // namespace backplane
