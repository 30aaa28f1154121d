// SPDX-License-Identifier: Apache-2.0
#include "common/http_call.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "common/body_answer.hpp"
#include "common/call_error.hpp"
#include "common/error_answer.hpp"
#include "common/media_type.hpp"
#include "common/profile.hpp"
#include "common/rate_limit.hpp"
#include "common/retry_after.hpp"
#include "common/upload.hpp"
#include "common/whole_answer.hpp"

namespace backplane::dialect {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kPassedHeaderMaxBytes = 1024;
constexpr std::uint32_t kCancel = 1;
constexpr std::uint32_t kResume = 2;

class HttpCall final : public Call {
 public:
  HttpCall(const Upstream& upstream, const bp_request& request, const bp_sink& sink,
           Outgoing outgoing)
      : upstream_(&upstream),
        http_(upstream.services.http),
        loops_(upstream.services.loop),
        loop_(request.loop),
        output_(upstream, request, sink),
        upload_(request.body_stream),
        wants_stream_((request.flags & BP_REQUEST_STREAM) != 0),
        deadline_ns_(request.deadline_ns),
        body_(request.body),
        outgoing_(std::move(outgoing)) {}

  Status send();

  void on_cancel() noexcept override { wake(kCancel); }
  void on_resume() noexcept override { wake(kResume); }
  void on_release() noexcept override { drop(); }

 private:
  // What the host's client or the loop tells: what it throws fails the call, and after the terminal
  // event the request's stream is not to be touched any more.
  template <class Body>
  void guarded(Body&& body) noexcept {
    try {
      body();
    } catch (...) {
      sdk::guarded_void([&] { output_.fail(Error{Code::kInternal, "out of memory", {}, 0, 0}); });
    }
    if (output_.ended()) upload_.detach();
    if (output_.is_concluding()) conclude();
  }

  void on_head(std::uint32_t status, std::span<const bp_pair> headers);
  void send_head(std::span<const bp_pair> headers);
  std::unique_ptr<Answer> answer_of(std::string_view content_type);
  void on_data(std::string_view bytes);
  void on_done();
  void on_failed(const bp_error& error);
  std::uint32_t flow();

  bool drains() const;
  void conclude() noexcept;
  void stop_asking() noexcept;
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
  CallOutput output_;
  Upload upload_;
  const bool wants_stream_;
  const std::int64_t deadline_ns_;
  BufferRef body_;  // the pieces that are being sent lie in it
  Outgoing outgoing_;
  std::vector<bp_str> pieces_;

  bp_http_exchange* exchange_ = nullptr;  // null: none, or it has ended
  std::unique_ptr<Answer> answer_;        // from the head on
  std::size_t trailing_bytes_ = 0;
  bool is_success_ = false;  // of the response's status
  bool has_concluded_ = false;
  bool is_asking_ = false;  // the witness, which holds this

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

// Other codings are what servers write that mean none.
bool is_compressed(std::string_view codings) {
  static constexpr std::array<std::string_view, 7> kCompressed{
      "gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"};
  while (!codings.empty()) {
    const std::size_t comma = std::min(codings.find(','), codings.size());
    const std::string_view coding = codings.substr(0, comma);
    const auto is_it = [&](std::string_view known) { return is_media_type(coding, known); };
    if (std::any_of(kCompressed.begin(), kCompressed.end(), is_it)) return true;
    codings.remove_prefix(std::min(comma + 1, codings.size()));
  }
  return false;
}

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
  if (outgoing_.witness != nullptr) {
    output_.set_witness(outgoing_.witness.get());
    outgoing_.witness->on_request(pieces_);
  }
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
                                upload_.stream()};
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
  if (output_.ended()) return;
  const bp_clock* clock = upstream_->services.clock;
  const std::int64_t unix_now_ns = clock->unix_ns(clock->context);
  const std::optional<bp_rate_limit> limit = read_rate_limit(headers, unix_now_ns);
  output_.set_rate_limit(limit);
  if (status < 200 || status > 299) {
    // Nothing said about when: then until what is used up is there again.
    std::uint64_t wait_ms = retry_after_ms(headers, unix_now_ns);
    if (wait_ms == 0 && limit) wait_ms = std::min(exhausted_for_ms(*limit), kRetryAfterMaxMs);
    answer_ = std::make_unique<ErrorAnswer>(output_, status, wait_ms, upstream_->scrubber);
    return;
  }
  is_success_ = true;
  std::string_view content_type;
  for (const bp_pair& header : headers) {
    if (view(header.name) == "content-type") content_type = view(header.value);
    if (view(header.name) == "content-encoding" && is_compressed(view(header.value))) {
      return output_.fail(bad_answer(
          Code::kInternal, "the provider's response is compressed, which it was not asked for"));
    }
  }
  if (outgoing_.filter != nullptr) {
    const Status checked = outgoing_.filter->check_head(headers);
    if (!checked) return output_.fail(checked.error());
  }
  send_head(headers);
  if (!output_.ended()) answer_ = answer_of(content_type);
}

void HttpCall::send_head(std::span<const bp_pair> headers) {
  std::vector<bp_pair> told;
  std::string dropped;
  for (const std::string& field : outgoing_.dropped) {
    dropped += (dropped.empty() ? "" : ", ") + field;
  }
  if (!dropped.empty()) told.push_back({str("x-backplane-dropped"), str(dropped)});
  if (!upstream_->passed_headers.empty()) {
    for (const bp_pair& header : headers) {
      const bool is_passed = has_word(upstream_->passed_headers, view(header.name)) &&
                             header.value.size <= kPassedHeaderMaxBytes &&
                             is_header_value(view(header.value));
      if (is_passed) told.push_back(header);
    }
  }
  output_.head(told);
}

std::unique_ptr<Answer> HttpCall::answer_of(std::string_view content_type) {
  const AnswerRules& rules = outgoing_.answer;
  const bool is_json = is_media_type(content_type, kJson);
  const bool asked = rules.streams == Streams::kWhenAsked && wants_stream_;
  const bool answered =
      rules.streams == Streams::kWhenAnswered && is_media_type(content_type, "text/event-stream");
  StreamRules documents = rules.stream;
  documents.filter = outgoing_.filter.get();
  if (answered || (asked && !is_json)) return std::make_unique<StreamAnswer>(output_, documents);
  const bool is_bytes = rules.may_be_bytes && !is_json && outgoing_.filter == nullptr;
  if (content_type.empty() || content_type.size() > kMediaTypeMaxBytes ||
      !is_header_value(content_type)) {
    content_type = is_bytes ? "application/octet-stream" : kJson;
  }
  if (is_bytes) return std::make_unique<BodyAnswer>(output_, std::string(content_type));
  return std::make_unique<WholeAnswer>(output_, documents, std::string(content_type), !asked);
}

void HttpCall::on_data(std::string_view bytes) {
  if (outgoing_.witness != nullptr && is_success_ && !has_concluded_) {
    outgoing_.witness->on_bytes(bytes);
  }
  if (output_.ended()) {
    trailing_bytes_ += bytes.size();
  } else if (answer_ != nullptr) {
    answer_->on_data(bytes);
  }
}

void HttpCall::on_done() {
  if (output_.ended()) return;
  if (answer_ == nullptr) return output_.fail(cut_off());
  answer_->on_done();
}

void HttpCall::on_failed(const bp_error& error) {
  if (output_.ended()) return;
  const bp_clock* clock = upstream_->services.clock;
  const bool past_deadline =
      deadline_ns_ != 0 && clock->monotonic_ns(clock->context) >= deadline_ns_;
  Error failure = transport_error(error, past_deadline);
  if (answer_ == nullptr) return output_.fail(std::move(failure));
  answer_->on_failed(std::move(failure));
}

// After the end what still comes is read and dropped, so that the connection can be kept. A request
// that is not all sent has lost its own.
bool HttpCall::drains() const {
  return output_.succeeded() && upload_.is_over() && trailing_bytes_ <= kTrailingMaxBytes;
}

// What data answers. After STOP the exchange is over.
std::uint32_t HttpCall::flow() {
  if (!output_.ended()) return output_.paused() ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
  if (drains()) return BP_FLOW_CONTINUE;
  exchange_ = nullptr;
  if (output_.is_concluding()) conclude();
  drop();
  return BP_FLOW_STOP;
}

// Once the response is over, so that the witness has seen all of it.
void HttpCall::conclude() noexcept {
  if (exchange_ != nullptr || std::exchange(has_concluded_, true)) return;
  hold();
  is_asking_ = true;
  bool is_asked = false;
  guarded([&] {
    outgoing_.witness->conclude([this](const AnswerWitness::Conclusion& conclusion) {
      guarded([&] { output_.conclude(conclusion); });
      if (std::exchange(is_asking_, false)) drop();
    });
    is_asked = true;
  });
  if (!is_asked) stop_asking();
}

void HttpCall::stop_asking() noexcept {
  if (!std::exchange(is_asking_, false)) return;
  output_.set_witness(nullptr);
  outgoing_.witness.reset();
  drop();
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
  if (output_.ended() && !output_.is_concluding()) return;
  if ((reasons & kCancel) != 0) {
    stop_asking();
    guarded([&] { output_.fail(cancelled()); });
  } else if (output_.paused()) {
    output_.resume();
    guarded([&] {
      if (answer_ != nullptr && !output_.ended()) answer_->on_resume();
    });
  }
  if (output_.ended() && !drains()) {
    end_exchange();
    if (output_.is_concluding()) conclude();
  } else if (!output_.paused() && exchange_ != nullptr) {
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
