// SPDX-License-Identifier: Apache-2.0
#include "runtime/telemetry/span_exporter.hpp"

#include "runtime/telemetry/collector_answer.hpp"

#include <algorithm>
#include <array>
#include <backplane/plugin.hpp>
#include <span>

namespace backplane {
namespace {

SpanExporter& self_of(void* context);

}  // namespace

const bp_http_handler SpanExporter::kHandler = {
    sizeof(bp_http_handler),
    0,
    [](void* context, std::uint32_t status, const bp_pair* headers, std::uint64_t count) {
      SpanExporter& self = self_of(context);
      self.status_ = status;
      for (const bp_pair& header : std::span(headers, count)) {
        if (view(header.name) != "retry-after") continue;
        self.retry_after_ms_ = retry_delay_ms(
            view(header.value), self.context_.clock.unix_ns(self.context_.clock.context));
      }
    },
    [](void* context, bp_str bytes) -> std::uint32_t {
      std::string& answer = self_of(context).answer_;
      answer += view(bytes).substr(0, kCollectorAnswerMaxBytes - answer.size());
      return BP_FLOW_CONTINUE;
    },
    [](void* context) { self_of(context).on_answer(); },
    [](void* context, const bp_error* error) { self_of(context).on_failure(error_of(*error)); }};

namespace {

SpanExporter& self_of(void* context) {
  return *static_cast<SpanExporter*>(context);
}

}  // namespace

void SpanExporter::add(std::string_view span) {
  if (closed_) return context_.metrics.lost(SpanLoss::kShutdown, 1);
  if (queued_ == kSpansQueuedMax) return context_.metrics.lost(SpanLoss::kQueueFull, 1);
  if (waiting_.empty() || waiting_.back().count == kSpansPerBatch) waiting_.emplace_back();
  Batch& batch = waiting_.back();
  if (batch.count != 0) batch.spans += ',';
  batch.spans += span;
  ++batch.count;
  ++queued_;
  if (exchange_ != nullptr || backing_off_) return;
  if (batch.count == kSpansPerBatch) disarm();
  if (timer_ == 0) arm(batch.count == kSpansPerBatch ? 0 : kBatchDelayMs);
}

void SpanExporter::flush(std::function<void()> done) {
  flushed_ = std::move(done);
  if (exchange_ != nullptr) return;
  disarm();
  if (std::exchange(backing_off_, false)) return send();
  send_next();
}

void SpanExporter::close() {
  if (std::exchange(closed_, true)) return;
  disarm();
  if (exchange_ != nullptr) context_.http.cancel(std::exchange(exchange_, nullptr));
  context_.metrics.lost(SpanLoss::kShutdown, std::exchange(queued_, 0));
  waiting_.clear();
  sending_ = {};
  flushed_ = nullptr;
}

void SpanExporter::arm(std::uint64_t delay_ms) {
  timer_ = context_.loops.post_after(
      loop_, delay_ms, [](void* self) { static_cast<SpanExporter*>(self)->on_timer(); }, this);
}

void SpanExporter::disarm() {
  if (timer_ != 0) context_.loops.cancel(loop_, std::exchange(timer_, 0));
}

void SpanExporter::on_timer() {
  timer_ = 0;
  if (std::exchange(backing_off_, false)) return send();
  send_next();
}

void SpanExporter::send_next() {
  if (waiting_.empty()) {
    if (const auto done = std::exchange(flushed_, nullptr)) done();
    return;
  }
  sending_ = std::move(waiting_.front());
  waiting_.pop_front();
  tries_ = 0;
  send();
}

void SpanExporter::send() {
  ++tries_;
  status_ = 0;
  retry_after_ms_ = 0;
  answer_.clear();
  std::vector<bp_pair> headers = {{str("content-type"), str("application/json")}};
  for (const auto& [name, value] : context_.headers) headers.push_back({str(name), str(value)});
  const std::array<bp_str, 3> body = {str(context_.frame.before), str(sending_.spans),
                                      str(context_.frame.after)};
  bp_http_request request{};
  request.struct_size = sizeof(request);
  request.connect_timeout_ms = kExportTimeoutMs;
  request.first_byte_timeout_ms = kExportTimeoutMs;
  request.idle_timeout_ms = kExportTimeoutMs;
  request.total_timeout_ms = kExportTimeoutMs;
  request.loop = loop_;
  request.method = str("POST");
  request.url = str(context_.url);
  request.headers = headers.data();
  request.header_count = headers.size();
  request.body = body.data();
  request.body_count = body.size();
  bp_error error{};
  const bp_http& http = context_.http;
  if (http.send(http.context, &request, &kHandler, this, &exchange_, &error) == BP_CODE_OK) return;
  exchange_ = nullptr;
  give_up(error.message);
}

void SpanExporter::on_answer() {
  exchange_ = nullptr;
  const std::string why = "the collector answered " + std::to_string(status_);
  if (may_retry_export(status_)) return try_again(why, retry_after_ms_);
  if (status_ < 200 || status_ > 299) return give_up(why);
  const std::uint64_t refused = std::min<std::uint64_t>(rejected_spans(answer_), sending_.count);
  context_.metrics.exported(sending_.count - refused);
  context_.metrics.lost(SpanLoss::kRefused, refused);
  if (std::exchange(failing_, false)) {
    context_.logger.write(LogLevel::kInfo, "telemetry", "spans are exported again");
  }
  end_batch();
}

void SpanExporter::on_failure(const Error& error) {
  exchange_ = nullptr;
  if (error.code == Code::kInvalidArgument) return give_up(error.message);
  try_again(error.message, 0);
}

// At the end of the process there is no time to wait for a better moment.
void SpanExporter::try_again(const std::string& why, std::uint64_t delay_ms) {
  if (tries_ >= kExportTriesMax || flushed_) return give_up(why);
  tell_failure(why);
  const std::uint64_t back_off_ms = kBackOffMs << (tries_ - 1);
  std::uint64_t random = 0;
  context_.clock.random(context_.clock.context, &random, sizeof(random));
  backing_off_ = true;
  arm(std::max(delay_ms, back_off_ms) + random % (back_off_ms / 2));
}

void SpanExporter::give_up(const std::string& why) {
  tell_failure(why);
  context_.metrics.lost(SpanLoss::kFailed, sending_.count);
  end_batch();
}

void SpanExporter::end_batch() {
  queued_ -= sending_.count;
  sending_ = {};
  if (flushed_) return send_next();
  if (!waiting_.empty()) arm(waiting_.front().count == kSpansPerBatch ? 0 : kBatchDelayMs);
}

// Once, until it works again.
void SpanExporter::tell_failure(const std::string& why) {
  if (std::exchange(failing_, true)) return;
  context_.logger.write(LogLevel::kWarn, "telemetry", "spans cannot be exported: " + why);
}

}  // namespace backplane
