// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/pipeline/uploads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <backplane/plugin.hpp>
#include <utility>

namespace backplane::test {

UploadStream::UploadStream(World& world, std::uint64_t size)
    : world_(world), table_{sizeof(bp_body_stream), 0, size, this, &read, &forget} {}

std::uint32_t UploadStream::read(void* context, bp_str* out, bp_task ready, void* argument) {
  auto& self = *static_cast<UploadStream*>(context);
  EXPECT_FALSE(self.gone_) << "read after its call was over";
  if (self.pieces_.empty()) {
    self.ready_ = ready;
    self.argument_ = argument;
    return BP_READ_WAIT;
  }
  const std::uint32_t answer = self.pieces_.front().first;
  if (answer != BP_READ_BYTES) return answer;
  self.current_ = std::move(self.pieces_.front().second);
  self.pieces_.pop_front();
  *out = str(self.current_);
  return answer;
}

void UploadStream::forget(void* context) {
  auto& self = *static_cast<UploadStream*>(context);
  EXPECT_FALSE(self.gone_) << "forgotten after its call was over";
  self.ready_ = nullptr;
}

void UploadStream::put(std::uint32_t answer, const std::string& bytes) {
  pieces_.emplace_back(answer, bytes);
  const bp_task ready = std::exchange(ready_, nullptr);
  if (ready != nullptr) world_.loops.on(0, [&] { ready(argument_); });
}

class ReadingBackend::Call final : public backplane::Call {
 public:
  Call(ReadingBackend& owner, const bp_request& request, const bp_sink& sink,
       std::shared_ptr<Seen> seen)
      : owner_(owner), stream_(request.body_stream), events_(sink), seen_(std::move(seen)) {}

  void read_on() {
    while (!events_.ended()) {
      bp_str bytes{};
      const auto ready = [](void* self) { static_cast<Call*>(self)->read_on(); };
      const std::uint32_t answer =
          stream_ == nullptr ? BP_READ_END : stream_->read(stream_->context, &bytes, ready, this);
      if (answer == BP_READ_WAIT) return;
      if (answer == BP_READ_END) return finish();
      if (answer == BP_READ_FAILED) {
        seen_->failed = true;
        return fail(Code::kUnavailable);
      }
      seen_->read += view(bytes);
      if (owner_.breaks) return fail(Code::kUnavailable);
    }
  }
  void fail(Code code) {
    if (events_.ended()) return;
    if (stream_ != nullptr) stream_->forget(stream_->context);
    seen_->ended = true;
    events_.error({code, "it failed", {}, 0, 0});
  }
  void on_cancel() noexcept override {
    seen_->cancelled = true;
    if (owner_.ends_on_cancel) fail(Code::kCancelled);
  }
  void on_release() noexcept override {
    auto& live = owner_.live_;
    live.erase(std::find(live.begin(), live.end(), this));
    delete this;
  }

 private:
  void finish() {
    seen_->ended = true;
    events_.body("ok", "text/plain");
    events_.end();
  }
  ReadingBackend& owner_;
  const bp_body_stream* stream_;
  EventWriter events_;
  std::shared_ptr<Seen> seen_;
};

const bp_backend* ReadingBackend::table() {
  static const bp_backend kTable{
      sizeof(bp_backend), 0, nullptr, nullptr, &submit, nullptr, nullptr, nullptr, nullptr};
  return &kTable;
}

std::uint32_t ReadingBackend::submit(void* self, const bp_request* request, const bp_sink* sink,
                                     bp_call** out, bp_error*) {
  auto& backend = *static_cast<ReadingBackend*>(self);
  auto seen = std::make_shared<Seen>();
  seen->model = view(request->model);
  seen->body = view(request->body);
  seen->model_offset = request->model_offset;
  EXPECT_LE(request->model_offset + request->model_size, seen->body.size());
  seen->has_stream = request->body_stream != nullptr;
  if (seen->has_stream) seen->size = request->body_stream->size;
  seen->flags = request->flags;
  seen->deadline_ns = request->deadline_ns;
  backend.calls.push_back(seen);
  auto* const call = new Call(backend, *request, *sink, seen);
  backend.live_.push_back(call);
  *out = call;
  if (backend.refuses) {
    call->fail(Code::kUnavailable);
  } else if (!backend.reads_later) {
    call->read_on();
  }
  return BP_CODE_OK;
}

void ReadingBackend::read_now() {
  const std::vector<Call*> all = live_;
  world_.loops.on(0, [&] {
    for (Call* call : all) call->read_on();
  });
}

}  // namespace backplane::test
