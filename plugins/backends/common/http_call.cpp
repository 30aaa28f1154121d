// SPDX-License-Identifier: Apache-2.0
#include "common/http_call.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "common/call_error.hpp"
#include "common/chunk_reader.hpp"
#include "common/retry_after.hpp"
#include "common/sse_framer.hpp"

namespace backplane::dialect {
namespace {

constexpr std::string_view kDone = "[DONE]";
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kJson = "application/json";
constexpr std::uint32_t kCancel = 1;
constexpr std::uint32_t kResume = 2;

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_media_type(std::string_view content_type, std::string_view type) {
  const std::string_view name = trim(content_type.substr(0, content_type.find(';')));
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::equal(name.begin(), name.end(), type.begin(), type.end(), same);
}

bool looks_like_object(std::string_view text) {
  return !text.empty() && text.front() == '{' && text.back() == '}';
}

class HttpCall final : public Call {
 public:
  HttpCall(const Upstream& upstream, const bp_request& request, const bp_sink& sink,
           Outgoing outgoing)
      : upstream_(&upstream),
        http_(upstream.services.http),
        loops_(upstream.services.loop),
        loop_(request.loop),
        writer_(sink),
        may_overrun_(sink.max_overrun > 0),
        wants_stream_((request.flags & BP_REQUEST_STREAM) != 0),
        deadline_ns_(request.deadline_ns),
        id_(view(request.id)),
        body_(request.body),
        outgoing_(std::move(outgoing)) {}

  Status send();

  void on_cancel() noexcept override { wake(kCancel); }
  void on_resume() noexcept override { wake(kResume); }
  void on_release() noexcept override { drop(); }

 private:
  enum class Mode { kNone, kStream, kBody, kError };
  enum class Outcome { kNone, kInputEnded, kSucceeded, kFailed };

  // A handler's body: what it throws fails the call.
  template <class Body>
  void guarded(Body&& body) noexcept {
    try {
      body();
    } catch (...) {
      sdk::guarded_void([&] { fail(Error{Code::kInternal, "out of memory", {}, 0, 0}); });
    }
  }

  void on_head(std::uint32_t status, std::span<const bp_pair> headers);
  void on_data(std::string_view bytes);
  void on_done();
  void on_failed(const bp_error& error);
  std::uint32_t flow();

  void read_stream(std::string_view bytes);
  void collect(std::string_view bytes);
  void pump();
  void on_event(const SseEvent& event);
  void note_usage(const ChunkFacts& facts);
  void finish_stream();
  void finish_body();
  void answer(std::uint32_t flow);
  void settle();

  void succeed();
  void fail(Error error);
  void write_usage();
  void end_exchange() noexcept;

  void wake(std::uint32_t reason) noexcept;
  void woken() noexcept;
  void hold() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  static HttpCall& self(void* context) { return *static_cast<HttpCall*>(context); }
  static const bp_http_handler kHandler;

  const Upstream* upstream_;  // until the terminal event
  const bp_http* http_;
  const bp_loop_service* loops_;
  bp_loop* loop_;
  EventWriter writer_;
  bool may_overrun_;
  bool wants_stream_;
  std::int64_t deadline_ns_;
  std::string id_;
  BufferRef body_;  // the pieces that are being sent lie in it
  Outgoing outgoing_;
  std::vector<bp_str> pieces_;

  bp_http_exchange* exchange_ = nullptr;  // null: none, or it has ended
  Mode mode_ = Mode::kNone;
  Outcome outcome_ = Outcome::kNone;
  Error failure_;
  bool paused_ = false;
  bool drains_ = false;  // after END: what still comes is read and dropped
  std::size_t trailing_bytes_ = 0;
  std::uint32_t status_ = 0;
  std::uint64_t retry_after_ms_ = 0;
  SseFramer framer_;
  ChunkReader reader_;
  std::string held_;       // input that a pause kept from being read
  std::string collected_;  // a whole response
  std::string content_type_;
  std::optional<bp_usage> usage_;

  std::atomic<std::uint32_t> references_{1};  // the host, the exchange, each task on the loop
  std::atomic<std::uint32_t> wakes_{0};       // kCancel, kResume: asked for and not yet done
};

const bp_http_handler HttpCall::kHandler{
    sizeof(bp_http_handler),
    0,
    [](void* context, std::uint32_t status, const bp_pair* headers, std::uint64_t count) {
      HttpCall& call = self(context);
      call.guarded([&] { call.on_head(status, {headers, count}); });
    },
    [](void* context, bp_str bytes) {
      HttpCall& call = self(context);
      call.guarded([&] { call.on_data(view(bytes)); });
      return call.flow();
    },
    [](void* context) {
      HttpCall& call = self(context);
      call.exchange_ = nullptr;
      call.guarded([&] { call.on_done(); });
      call.drop();
    },
    [](void* context, const bp_error* error) {
      HttpCall& call = self(context);
      call.exchange_ = nullptr;
      call.guarded([&] { call.on_failed(*error); });
      call.drop();
    }};

// Milliseconds until the deadline, rounded up, or the settings' total where that is sooner.
std::uint32_t total_timeout_ms(const Timeouts& timeouts, std::int64_t left_ns) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t left_ms = std::min(left_ns / kNsPerMs + (left_ns % kNsPerMs != 0), kMax);
  const auto left = static_cast<std::uint32_t>(left_ms);
  return timeouts.total_ms == 0 ? left : std::min(left, timeouts.total_ms);
}

Status HttpCall::send() {
  const Timeouts& timeouts = upstream_->timeouts;
  std::uint32_t total_ms = timeouts.total_ms;
  if (deadline_ns_ != 0) {
    const bp_clock* clock = upstream_->services.clock;
    const std::int64_t now_ns = clock->monotonic_ns(clock->context);
    if (now_ns >= deadline_ns_) return deadline_passed();
    total_ms = total_timeout_ms(timeouts, deadline_ns_ - now_ns);
  }
  std::vector<bp_pair> headers;
  headers.reserve(outgoing_.headers.size());
  for (const Header& header : outgoing_.headers) {
    headers.push_back({str(header.name), str(header.value)});
  }
  pieces_ = outgoing_.body.pieces();
  const bp_http_request request{sizeof(bp_http_request),
                                timeouts.connect_ms,
                                timeouts.first_byte_ms,
                                timeouts.idle_ms,
                                total_ms,
                                0,
                                loop_,
                                str("POST"),
                                str(outgoing_.url),
                                headers.data(),
                                headers.size(),
                                pieces_.data(),
                                pieces_.size(),
                                nullptr};
  bp_error error{};
  hold();
  if (http_->send(http_->context, &request, &kHandler, this, &exchange_, &error) != BP_CODE_OK) {
    exchange_ = nullptr;
    drop();
    return transport_error(error, false);
  }
  return ok();
}

void HttpCall::on_head(std::uint32_t status, std::span<const bp_pair> headers) {
  if (writer_.ended()) return;
  status_ = status;
  for (const bp_pair& header : headers) {
    if (view(header.name) == "content-type") content_type_ = view(header.value);
  }
  if (status < 200 || status > 299) {
    mode_ = Mode::kError;
    const bp_clock* clock = upstream_->services.clock;
    retry_after_ms_ = retry_after_ms(headers, clock->unix_ns(clock->context));
  } else {
    mode_ = wants_stream_ && !is_media_type(content_type_, kJson) ? Mode::kStream : Mode::kBody;
  }
}

void HttpCall::on_data(std::string_view bytes) {
  if (writer_.ended()) {
    trailing_bytes_ += bytes.size();
    if (trailing_bytes_ > kTrailingMaxBytes) drains_ = false;
  } else if (mode_ == Mode::kStream) {
    read_stream(bytes);
  } else {
    collect(bytes);
  }
}

void HttpCall::on_done() {
  if (writer_.ended()) return;
  switch (mode_) {
    case Mode::kStream:
      outcome_ = Outcome::kInputEnded;
      pump();
      break;
    case Mode::kBody:
      finish_body();
      break;
    case Mode::kError:
      fail(upstream_error(status_, collected_, retry_after_ms_, upstream_->scrubber));
      break;
    case Mode::kNone:
      fail(cut_off());
      break;
  }
}

void HttpCall::on_failed(const bp_error& error) {
  if (writer_.ended()) return;
  const bp_clock* clock = upstream_->services.clock;
  const bool past_deadline =
      deadline_ns_ != 0 && clock->monotonic_ns(clock->context) >= deadline_ns_;
  Error failure = transport_error(error, past_deadline);
  if (framer_.unread().empty() || past_deadline) {
    fail(std::move(failure));
  } else {
    outcome_ = Outcome::kFailed;
    failure_ = std::move(failure);
  }
}

// What data answers. After STOP the exchange is over.
std::uint32_t HttpCall::flow() {
  if (!writer_.ended()) return paused_ ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
  if (drains_) return BP_FLOW_CONTINUE;
  exchange_ = nullptr;
  drop();
  return BP_FLOW_STOP;
}

void HttpCall::read_stream(std::string_view bytes) {
  const bool is_borrowed = framer_.unread().empty();
  if (is_borrowed) {
    framer_.feed(bytes);
  } else {
    std::string joined(framer_.unread());
    held_ = std::move(joined.append(bytes));
    framer_.feed(held_);
  }
  pump();
  if (is_borrowed && !writer_.ended() && !framer_.unread().empty()) {
    held_.assign(framer_.unread());
    framer_.feed(held_);
  }
}

void HttpCall::collect(std::string_view bytes) {
  const std::size_t max_bytes = mode_ == Mode::kError ? kErrorBodyMaxBytes : kBodyMaxBytes;
  const std::size_t room = max_bytes - collected_.size();
  collected_.append(bytes.substr(0, room));
  if (bytes.size() <= room) return;
  if (mode_ == Mode::kError) {
    fail(upstream_error(status_, collected_, retry_after_ms_, upstream_->scrubber));
  } else {
    fail(bad_answer(Code::kInternal, "the provider's response is larger than 64 MiB"));
  }
}

void HttpCall::pump() {
  while (!paused_ && !writer_.ended()) {
    const std::optional<SseEvent> event = framer_.next();
    if (!event) break;
    on_event(*event);
  }
  if (writer_.ended() || paused_) return;
  if (framer_.overflowed()) {
    fail(bad_answer(Code::kInternal, "the provider sent a stream event larger than 1 MiB"));
  } else {
    settle();
  }
}

void HttpCall::on_event(const SseEvent& event) {
  const std::string_view document = trim(event.data);
  if (document == kDone) return succeed();
  if (event.is_error) return fail(document_error(document, upstream_->scrubber));
  const ChunkFacts facts = reader_.read(document);
  if (facts.is_malformed || !looks_like_object(document)) {
    return fail(bad_answer(Code::kDataLoss, "the provider sent a chunk that is not JSON"));
  }
  note_usage(facts);
  if (facts.has_error) return fail(document_error(document, upstream_->scrubber));
  if (outgoing_.hide_usage && facts.has_usage && !facts.has_choices) return;
  answer(writer_.chunk(event.data));
}

void HttpCall::note_usage(const ChunkFacts& facts) {
  if (facts.has_usage) usage_ = facts.usage;
}

// The input is used up, but for an event that no blank line closed.
void HttpCall::finish_stream() {
  if (const std::optional<SseEvent> event = framer_.finish()) {
    const std::string_view document = trim(event->data);
    if (document == kDone || is_whole_object(document)) on_event(*event);
  }
  if (writer_.ended() || paused_) return;
  if (reader_.is_complete()) {
    succeed();
  } else {
    fail(cut_off());
  }
}

void HttpCall::finish_body() {
  const std::string_view document = trim(collected_);
  if (!looks_like_object(document)) {
    return fail(
        bad_answer(Code::kInternal, "the provider answered with something that is not JSON"));
  }
  const auto offset = static_cast<std::size_t>(document.data() - collected_.data());
  collected_.reserve(collected_.size() + ChunkReader::kPaddingBytes);
  const std::string_view body = std::string_view(collected_).substr(offset, document.size());
  const ChunkFacts facts = reader_.read(body, collected_.capacity() - offset);
  if (facts.is_malformed) {
    return fail(
        bad_answer(Code::kInternal, "the provider answered with something that is not JSON"));
  }
  note_usage(facts);
  if (facts.has_error) return fail(document_error(body, upstream_->scrubber));
  if (wants_stream_) {
    return fail(bad_answer(Code::kInternal, "the provider did not stream what was to be streamed"));
  }
  outcome_ = Outcome::kSucceeded;
  answer(writer_.body(body, content_type_.empty() ? kJson : std::string_view(content_type_)));
  settle();
}

void HttpCall::answer(std::uint32_t flow) {
  if (flow == BP_FLOW_PAUSE) paused_ = true;
  if (flow == BP_FLOW_STOP) fail(cancelled());
}

void HttpCall::settle() {
  if (paused_ || writer_.ended()) return;
  if (outcome_ == Outcome::kInputEnded) finish_stream();
  if (outcome_ == Outcome::kSucceeded) succeed();
  if (outcome_ == Outcome::kFailed) fail(std::move(failure_));
}

void HttpCall::succeed() {
  write_usage();
  drains_ = true;
  writer_.end();
}

void HttpCall::fail(Error error) {
  if (writer_.ended()) return;
  if (is_worth_logging(error.code)) {
    upstream_->services.host.log(BP_LOG_WARN, error.message, id_);
  }
  write_usage();
  writer_.error(error);
}

void HttpCall::write_usage() {
  if (!usage_ || (paused_ && !may_overrun_)) return;
  const bp_usage usage = *std::exchange(usage_, std::nullopt);
  writer_.usage(usage);
}

void HttpCall::end_exchange() noexcept {
  if (exchange_ == nullptr) return;
  http_->cancel(std::exchange(exchange_, nullptr));
  drop();
}

// [any-thread] One task at most is on its way.
void HttpCall::wake(std::uint32_t reason) noexcept {
  if (wakes_.fetch_or(reason) != 0) return;
  hold();
  loops_->post(
      loop_,
      [](void* context) {
        self(context).woken();
        self(context).drop();
      },
      this);
}

void HttpCall::woken() noexcept {
  const std::uint32_t reasons = wakes_.exchange(0);
  if (writer_.ended()) return;
  if ((reasons & kCancel) != 0) {
    guarded([&] { fail(cancelled()); });
  } else if (paused_) {
    paused_ = false;
    guarded([&] { mode_ == Mode::kStream ? pump() : settle(); });
  }
  if (writer_.ended() && !drains_) {
    end_exchange();
  } else if (!paused_ && exchange_ != nullptr) {
    http_->resume(exchange_);
  }
}

}  // namespace

Result<Call*> start_call(const Upstream& upstream, const bp_request& request, const bp_sink& sink,
                         Outgoing outgoing) {
  auto call = std::make_unique<HttpCall>(upstream, request, sink, std::move(outgoing));
  if (const Status sent = call->send(); !sent) return sent.error();
  return call.release();
}

}  // namespace backplane::dialect
