// SPDX-License-Identifier: Apache-2.0
#include "http1_connection.hpp"

#include "error_envelope.hpp"
#include "http2_connection.hpp"

namespace backplane::http {
namespace {

constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr std::uint64_t kLastRequestMs = 300;  // while draining, for one that is on its way
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

template <class Body>
void Http1Connection::guarded(void* context, Body&& body) noexcept {
  auto* self = static_cast<Http1Connection*>(context);
  try {
    body(*self);
  } catch (...) {  // out of memory: nothing can be said any more
    self->cut();
  }
}

const bp_connection_handler Http1Connection::kHandler = {
    sizeof(bp_connection_handler),
    0,
    [](void* self, bp_str bytes) {
      guarded(self, [&](Http1Connection& connection) { connection.on_data(view(bytes)); });
    },
    [](void* self) { guarded(self, [](Http1Connection& connection) { connection.on_end(); }); },
    [](void* self) { guarded(self, [](Http1Connection& connection) { connection.on_drained(); }); },
    [](void* self) { guarded(self, [](Http1Connection& connection) { connection.on_timeout(); }); },
    [](void* self) { delete static_cast<Http1Connection*>(self); }};

void Http1Connection::open(Server& server, std::shared_ptr<LoopShared> shared,
                           bp_connection* connection) {
  auto* opened = new Http1Connection(server, std::move(shared), connection);
  server.services().net->set_handler(connection, &kHandler, opened);
  opened->arm_timer(0);
}

Http1Connection::Http1Connection(Server& server, std::shared_ptr<LoopShared> shared,
                                 bp_connection* connection)
    : server_(server),
      shared_(std::move(shared)),
      connection_(connection),
      undecided_(server.settings().http2) {
  shared_->add(*this);
}

Http1Connection::~Http1Connection() {
  shared_->remove(*this);
}

bool Http1Connection::idle() const {
  return request_ == nullptr || (!request_->exchange.running() && request_->parser.idle());
}

// Its next request may be on its way, above all its first: that one is still answered.
void Http1Connection::drain() {
  if (state_ != State::kReading || blocked_ || !idle() || !pending_.empty()) return;
  server_.services().net->set_timeout(connection_, kLastRequestMs);
}

void Http1Connection::on_data(std::string_view bytes) {
  if (state_ == State::kClosing) return;
  if (undecided_) return decide(bytes);
  if (!reads()) return hold_back(bytes);
  process(bytes);
}

void Http1Connection::decide(std::string_view bytes) {
  pending_ += bytes;
  const std::size_t size = std::min(pending_.size(), kHttp2Preface.size());
  if (std::string_view(pending_).substr(0, size) != kHttp2Preface.substr(0, size)) {
    return decide_for_http1();
  }
  if (size < kHttp2Preface.size()) return;
  Http2Connection::open(server_, shared_, connection_, pending_);
  delete this;
}

void Http1Connection::decide_for_http1() {
  undecided_ = false;
  process(std::exchange(pending_, {}));
}

void Http1Connection::on_end() {
  if (undecided_) decide_for_http1();
  peer_ended_ = true;
  // A close looks like this until something is written; a call must not run on for nobody.
  if (running()) return cut();
  if (state_ == State::kClosing || busy()) return;
  if (idle()) return close();
  refuse(bad_request("the request ended early"));
}

void Http1Connection::on_drained() {
  blocked_ = false;
  if (state_ == State::kClosing) return;
  if (!running()) return go_on();
  set_timer(Timer::kNone, 0);
  if (uploading_ && !paused_) arm_body_timer(0);
  request_->exchange.resume();
}

void Http1Connection::on_timeout() {
  if (undecided_) decide_for_http1();
  if (state_ == State::kClosing || blocked_ || head_sent_) return cut();
  if (idle()) return close();
  refuse(protocol_error(408, "REQUEST_TIMEOUT", "the request did not come in time"));
}

bool Http1Connection::keep_alive() const {
  return request_->parser.framing().keep_alive && !closes_after_ && !uploading_ &&
         !server_.draining();
}

void Http1Connection::process(std::string_view input) {
  const std::size_t size = input.size();
  if (request_ == nullptr && !input.empty()) request_ = shared_->take_request(server_);
  processing_ = true;
  while (request_ != nullptr && reads() && advance(input)) {
  }
  processing_ = false;
  if (state_ == State::kClosing) return;
  if (!reads()) {
    if (!input.empty()) hold_back(input);
    return;
  }
  if (request_ != nullptr && idle()) shared_->give_back(std::move(request_));
  arm_timer(size);
}

void Http1Connection::hold_back(std::string_view input) {
  pending_ += input;
  if (!paused_) server_.services().net->pause(connection_);
  paused_ = true;
}

bool Http1Connection::advance(std::string_view& input) {
  const RequestParser::Progress progress = request_->parser.feed(input);
  switch (progress) {
    case RequestParser::Progress::kNeedMore:
      if (streams_) begin_upload();
      break;
    case RequestParser::Progress::kHead:
      request_->exchange.start(*this, connection_);
      on_request_head();
      break;
    case RequestParser::Progress::kDone:
      on_request_end();
      break;
    case RequestParser::Progress::kRefused:
      refuse(request_->parser.error());
      return false;
  }
  if (answered_) end_response();
  return progress != RequestParser::Progress::kNeedMore;
}

void Http1Connection::on_request_end() {
  Exchange& exchange = request_->exchange;
  if (uploading_) {
    uploading_ = streams_ = false;
    if (!blocked_) set_timer(Timer::kNone, 0);
    return exchange.upload().end();
  }
  exchange.on_request(exchange.wants_body() ? request_->parser.take_body() : BufferRef());
  if (running()) set_timer(Timer::kNone, 0);
}

void Http1Connection::on_request_head() {
  RequestParser& parser = request_->parser;
  const RequestHead& head = parser.head();
  const Exchange::Plan plan = request_->exchange.on_head(head);
  const bool waits = head.has_body && parser.framing().http_11 && !head.expect.empty();
  streams_ = plan == Exchange::Plan::kStream;
  if (plan != Exchange::Plan::kGather && !streams_) parser.skip_body();
  if (plan == Exchange::Plan::kNoWay || (plan == Exchange::Plan::kRefused && waits)) {
    closes_after_ = true;
    return request_->exchange.refuse_now();
  }
  if (waits) write(kContinue, {});
}

// The first time with what came along with the head, then with what has come since.
void Http1Connection::begin_upload() {
  Exchange& exchange = request_->exchange;
  if (uploading_) return exchange.upload().on_incoming();
  uploading_ = true;
  body_pace_.stop();
  BufferRef beginning = request_->parser.take_body();
  request_->parser.send_body_to(exchange.upload().incoming());
  exchange.on_form(std::move(beginning));
}

void Http1Connection::on_upload_read(std::size_t) {
  if (!uploading_ || !paused_) return;
  paused_ = false;
  body_pace_.stop();
  if (!blocked_) arm_body_timer(0);
  server_.services().net->resume(connection_);
}

void Http1Connection::end_response() {
  answered_ = head_sent_ = false;
  served_ = true;
  // A drain that began after the head had promised more is heeded by the next response.
  if (!request_->parser.framing().keep_alive || closes_after_ || uploading_) return close();
  streams_ = false;
  request_->reset();
}

// After a response: what has come meanwhile, then the next request.
void Http1Connection::go_on() {
  process(std::exchange(pending_, {}));
  if (state_ == State::kClosing || busy()) return;
  if (peer_ended_) return on_end();
  if (!paused_) return;
  paused_ = false;
  server_.services().net->resume(connection_);
}

Http1Connection::Timer Http1Connection::due_timer() const {
  if (idle()) return served_ ? Timer::kIdle : Timer::kNew;
  return request_->parser.in_head() ? Timer::kHead : Timer::kBody;
}

void Http1Connection::arm_timer(std::size_t fed) {
  const Settings& settings = server_.settings();
  const Timer due = due_timer();
  if (due == Timer::kBody) return arm_body_timer(fed);
  body_pace_.stop();
  if (due == timer_) return;
  const std::uint64_t idle_ms = server_.draining() ? kLastRequestMs : settings.keep_alive_ms;
  set_timer(due, due == Timer::kIdle ? idle_ms : settings.header_timeout_ms);
}

void Http1Connection::arm_body_timer(std::size_t fed) {
  if (uploading_ && request_->exchange.held_bytes() > kUploadHeldBytes) {
    hold_back({});
    if (!blocked_) set_timer(Timer::kNone, 0);
    return;
  }
  if (blocked_) return;
  const Settings& settings = server_.settings();
  const bp_clock& clock = *server_.services().clock;
  const std::int64_t now_ns = clock.monotonic_ns(clock.context);
  if (body_pace_.running()) {
    body_pace_.add(fed, now_ns);
  } else {
    body_pace_.start(now_ns);
  }
  const std::int64_t left_ns =
      body_pace_.deadline_ns({settings.body_timeout_ms, settings.min_body_rate}) - now_ns;
  const std::int64_t left_ms = std::max<std::int64_t>(left_ns / kNanosecondsPerMillisecond, 1);
  set_timer(Timer::kBody, static_cast<std::uint64_t>(left_ms));
}

void Http1Connection::set_timer(Timer timer, std::uint64_t timeout_ms) {
  timer_ = timer;
  server_.services().net->set_timeout(connection_, timeout_ms);
}

std::uint32_t Http1Connection::send_whole(const ResponseHead& head, std::string_view body) {
  return write(head_text(head, BodyFraming::kLength), body);
}

std::uint32_t Http1Connection::send_part(const ResponseHead* head, ChunkBuffer& part, bool last) {
  const bool chunked = request_->parser.framing().http_11;
  const std::string_view body = chunked ? part.seal(last) : part.plain();
  if (head == nullptr) return write(body, {});
  return write(head_text(*head, chunked ? BodyFraming::kChunked : BodyFraming::kUntilClose), body);
}

std::string_view Http1Connection::head_text(const ResponseHead& head, BodyFraming framing) {
  if (!keep_alive()) closes_after_ = true;
  head_sent_ = true;
  std::string& text = shared_->scratch();
  append_http1_head(text, head, framing, !closes_after_);
  return text;
}

void Http1Connection::on_complete() {
  answered_ = true;
}

void Http1Connection::on_cut() {
  if (request_->parser.framing().http_11) {
    close();
  } else {
    cut();
  }
}

void Http1Connection::leave() {
  if (!answered_ || processing_ || state_ == State::kClosing) return;
  guarded(this, [](Http1Connection& connection) {
    connection.end_response();
    if (connection.state_ == State::kReading && !connection.blocked_) connection.go_on();
  });
}

void Http1Connection::refuse(const Error& error) {
  closes_after_ = true;
  Exchange& exchange = request_->exchange;
  exchange.upload().fail();
  exchange.release();
  if (head_sent_) return cut();
  exchange.start(*this, connection_);
  exchange.answer_error(error, request_->parser.head().request_id);
  end_response();
}

std::uint32_t Http1Connection::write(std::string_view first, std::string_view second) {
  if (first.empty() && second.empty()) return flow();
  const bp_net& net = *server_.services().net;
  const bp_str pieces[] = {str(first), str(second)};
  const std::uint32_t flow = net.write(connection_, pieces, second.empty() ? 1 : 2);
  if (flow == BP_FLOW_PAUSE && !blocked_) {
    blocked_ = true;
    set_timer(Timer::kNone, server_.settings().write_timeout_ms);
  }
  return flow;
}

void Http1Connection::close() {
  state_ = State::kClosing;
  const bp_net& net = *server_.services().net;
  net.set_timeout(connection_, server_.settings().write_timeout_ms);
  net.close(connection_);
}

void Http1Connection::cut() {
  state_ = State::kClosing;
  if (request_ != nullptr) {
    request_->exchange.upload().fail();
    request_->exchange.release();
  }
  server_.services().net->abort(connection_);
}

}  // namespace backplane::http
