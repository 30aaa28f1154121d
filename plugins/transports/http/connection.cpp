// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include "error_envelope.hpp"

namespace backplane::http {
namespace {

constexpr std::uint32_t kMaxOverrunEvents = 64;
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

RequestLimits limits_of(const Settings& settings) {
  return {{settings.max_header_bytes, settings.max_headers}, settings.max_body_bytes};
}

}  // namespace

template <class Body>
void Connection::guarded(void* context, Body&& body) noexcept {
  auto* self = static_cast<Connection*>(context);
  try {
    body(*self);
  } catch (...) {  // out of memory: nothing can be said any more
    self->cut();
  }
}

const bp_connection_handler Connection::kHandler = {
    sizeof(bp_connection_handler),
    0,
    [](void* self, bp_str bytes) {
      guarded(self, [&](Connection& connection) { connection.on_data(view(bytes)); });
    },
    [](void* self) { guarded(self, [](Connection& connection) { connection.on_end(); }); },
    [](void* self) { guarded(self, [](Connection& connection) { connection.on_drained(); }); },
    [](void* self) { guarded(self, [](Connection& connection) { connection.on_timeout(); }); },
    [](void* self) { delete static_cast<Connection*>(self); }};

void Connection::open(Server& server, std::shared_ptr<LoopConnections> siblings,
                      bp_connection* connection) {
  auto* opened = new Connection(server, std::move(siblings), connection);
  opened->net_.set_handler(connection, &kHandler, opened);
  opened->arm_timer();
}

Connection::Connection(Server& server, std::shared_ptr<LoopConnections> siblings,
                       bp_connection* connection)
    : server_(server),
      siblings_(std::move(siblings)),
      net_(*server.services().net),
      connection_(connection),
      parser_(limits_of(server.settings())),
      sink_{sizeof(bp_sink), kMaxOverrunEvents, this,
            [](void* self, const bp_event* event) -> std::uint32_t {
              std::uint32_t flow = BP_FLOW_STOP;
              guarded(self, [&](Connection& to) { flow = to.on_event(*event); });
              return flow;
            }} {
  siblings_->add(*this);
}

Connection::~Connection() {
  release_call();
  siblings_->remove(*this);
}

void Connection::drain() {
  const bool idle = !busy() && parser_.idle() && pending_.empty();
  if (state_ == State::kReading && idle) close();
}

void Connection::on_data(std::string_view bytes) {
  if (state_ == State::kClosing) return;
  if (!busy()) return process(bytes);
  pending_ += bytes;
  if (!paused_) net_.pause(connection_);
  paused_ = true;
}

void Connection::on_end() {
  peer_ended_ = true;
  // A close looks like this until something is written; a call must not run on for nobody.
  if (call_ != nullptr) return cut();
  if (state_ == State::kClosing || busy()) return;
  if (parser_.idle()) return close();
  refuse(protocol_error(400, "INVALID_REQUEST", "the request ended early"));
}

void Connection::on_drained() {
  blocked_ = false;
  if (state_ == State::kClosing) return;
  if (call_ == nullptr) return go_on();
  net_.set_timeout(connection_, 0);
  call_->resume(call_);
}

void Connection::on_timeout() {
  if (state_ == State::kClosing || blocked_) return cut();
  if (parser_.idle()) return close();
  refuse(protocol_error(408, "REQUEST_TIMEOUT", "the request did not come in time"));
}

bool Connection::keep_alive() const {
  return parser_.head().keep_alive && !closes_after_ && !server_.draining();
}

void Connection::process(std::string_view input) {
  while (state_ == State::kReading && !busy() && advance(input)) {
  }
  if (state_ == State::kClosing) return;
  if (!busy()) return arm_timer();
  if (input.empty()) return;
  pending_ = input;
  if (!paused_) net_.pause(connection_);
  paused_ = true;
}

bool Connection::advance(std::string_view& input) {
  switch (parser_.feed(input)) {
    case RequestParser::Progress::kNeedMore:
      return false;
    case RequestParser::Progress::kHead:
      on_request_head();
      return true;
    case RequestParser::Progress::kDone:
      on_request();
      return true;
    case RequestParser::Progress::kRefused:
      refuse(parser_.error());
      return false;
  }
  return false;
}

// After a response: what has come meanwhile, then the next request.
void Connection::go_on() {
  if (!pending_.empty()) {
    const std::string input = std::exchange(pending_, {});
    process(input);
  } else {
    arm_timer();
  }
  if (state_ == State::kClosing || busy()) return;
  if (peer_ended_) return on_end();
  if (!paused_) return;
  paused_ = false;
  net_.resume(connection_);
}

void Connection::arm_timer() {
  const Settings& settings = server_.settings();
  const Timer wanted = parser_.idle()      ? (served_ ? Timer::kIdle : Timer::kNew)
                       : parser_.in_head() ? Timer::kHead
                                           : Timer::kBody;
  if (wanted == timer_ && wanted != Timer::kBody) return;
  timer_ = wanted;
  net_.set_timeout(connection_, wanted == Timer::kIdle   ? settings.keep_alive_ms
                                : wanted == Timer::kBody ? settings.body_timeout_ms
                                                         : settings.header_timeout_ms);
}

void Connection::begin_call(std::string_view operation) {
  const Services& services = server_.services();
  const RequestHead& head = parser_.head();
  metadata_ = head.metadata;
  metadata_.push_back({str("remote"), net_.peer(connection_)});
  const BufferRef body = parser_.take_body();

  bp_request request{};
  request.struct_size = sizeof(bp_request);
  request.id = str(request_id_);
  request.operation = str(operation);
  request.content_type = str("application/json");
  request.body = body.get();
  request.loop = net_.loop(connection_);
  request.metadata = metadata_.data();
  request.metadata_count = metadata_.size();

  const std::int64_t now_ns = services.clock->unix_ns(services.clock->context);
  reply_.start({operation, request_id_, now_ns / kNanosecondsPerSecond, head.http_11});
  bp_call* call = nullptr;
  bp_error error{};
  const std::uint32_t code =
      services.gateway->begin(services.gateway->context, &request, &sink_, &call, &error);
  if (code != BP_CODE_OK) {
    if (error.code == BP_CODE_OK) error.code = code;
    return respond_error(error_of(error));
  }
  call_ = call;
  timer_ = Timer::kNone;
  net_.set_timeout(connection_, 0);
}

std::uint32_t Connection::on_event(const bp_event& event) {
  Reply::Output out;
  if (!keep_alive()) closes_after_ = true;
  const std::string_view date = reply_.head_sent() ? std::string_view() : date_line();
  const Reply::Step step = reply_.on_event(event, date, !closes_after_, out);
  const std::uint32_t flow = send(out.head, out.body);
  if (step == Reply::Step::kMore) return flow;
  release_call();
  if (step == Reply::Step::kDone) {
    end_response();
  } else if (parser_.head().http_11) {
    close();
  } else {
    cut();
  }
  return BP_FLOW_CONTINUE;
}

void Connection::end_response() {
  served_ = true;
  if (closes_after_) return close();
  next_request();
  if (!blocked_) go_on();
}

void Connection::next_request() {
  parser_.reset();
  request_id_.clear();
  route_ = {};
}

void Connection::refuse(const Error& error) {
  if (request_id_.empty()) choose_request_id();
  closes_after_ = true;
  respond_error(error);
}

std::uint32_t Connection::send(std::string_view head, std::string_view body) {
  if (head.empty() && body.empty()) return blocked_ ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
  const bp_str pieces[] = {str(head), str(body)};
  const bool both = !head.empty() && !body.empty();
  const bp_str* first = head.empty() ? pieces + 1 : pieces;
  const std::uint32_t flow = net_.write(connection_, first, both ? 2 : 1);
  if (flow == BP_FLOW_PAUSE && !blocked_) {
    blocked_ = true;
    timer_ = Timer::kNone;
    net_.set_timeout(connection_, server_.settings().write_timeout_ms);
  }
  return flow;
}

std::string_view Connection::date_line() {
  const bp_clock& clock = *server_.services().clock;
  return siblings_->date_line(clock.unix_ns(clock.context));
}

void Connection::release_call() {
  if (call_ == nullptr) return;
  bp_call* call = std::exchange(call_, nullptr);
  call->release(call);
}

void Connection::close() {
  state_ = State::kClosing;
  net_.set_timeout(connection_, server_.settings().write_timeout_ms);
  net_.close(connection_);
}

void Connection::cut() {
  state_ = State::kClosing;
  release_call();
  net_.abort(connection_);
}

}  // namespace backplane::http
