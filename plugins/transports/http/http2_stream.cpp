// SPDX-License-Identifier: Apache-2.0
#include "http2_stream.hpp"

#include "error_envelope.hpp"
#include "http2_connection.hpp"

namespace backplane::http {
namespace {

constexpr std::size_t kHighWaterBytes = 32 * 1024;  // pending: the call waits
constexpr std::size_t kLowWaterBytes = 8 * 1024;    // pending: it goes on
constexpr std::size_t kPendingMaxBytes = 80 * 1024 * 1024;
constexpr std::size_t kLingerMaxBytes = 1024 * 1024;
constexpr std::uint64_t kLingerTimeoutMs = 2000;
constexpr std::size_t kKeptBytes = 16 * 1024;

}  // namespace

Http2Stream::Http2Stream(Server& server, LoopShared& shared)
    : server_(server), exchange_(server, shared), body_(server.bodies()) {}

void Http2Stream::open(Http2Connection& connection, std::int32_t id) {
  connection_ = &connection;
  id_ = id;
  exchange_.start(*this, connection.host_connection());
}

void Http2Stream::reset() {
  exchange_.reset();
  head_.reset();
  body_.clear();
  body_bytes_ = 0;
  body_pace_.stop();
  pending_.clear();
  if (pending_.capacity() > kKeptBytes) pending_.shrink_to_fit();
  pending_offset_ = 0;
  borrowed_ = {};
  write_pace_.stop();
  plan_ = Body::kNone;
  request_ended_ = answering_ = last_ = failed_ = paused_ = lingers_ = closed_ = false;
}

void Http2Stream::on_head(bool ended) {
  head_.close();
  request_ended_ = ended;
  if (head_.malformed()) return connection_->reset_stream(id_, NGHTTP2_PROTOCOL_ERROR);
  RequestHead& head = head_.head();
  head.has_body = !ended;
  const Exchange::Plan plan = exchange_.on_head(head);
  if (head_.refusal()) return refuse(*head_.refusal());
  if (plan == Exchange::Plan::kRefused || plan == Exchange::Plan::kNoWay) {
    plan_ = Body::kDrop;
    return exchange_.refuse_now();
  }
  plan_ = plan == Exchange::Plan::kGather   ? Body::kGather
          : plan == Exchange::Plan::kStream ? Body::kStream
                                            : Body::kDrop;
  if (ended) return on_request_end();
  if (!head.expect.empty()) connection_->submit_continue(id_);
  body_pace_.start(connection_->now_ns());
  if (plan_ == Body::kStream) exchange_.on_form(body_.take());
  connection_->expect(deadline_ns());
}

void Http2Stream::on_data(std::string_view bytes) {
  const bool streams = plan_ == Body::kStream && exchange_.running();
  connection_->consume(id_, bytes.size(), !streams);
  if (lingers_) {
    body_bytes_ += bytes.size();
    if (body_bytes_ > kLingerMaxBytes) connection_->reset_stream(id_, NGHTTP2_NO_ERROR);
    return;
  }
  if (last_ || plan_ == Body::kNone) return;
  body_bytes_ += bytes.size();
  if (body_bytes_ > server_.settings().max_body_bytes) {
    return answering_ ? give_up() : refuse(body_too_large());
  }
  if (streams) {
    exchange_.upload().incoming() += bytes;
    exchange_.upload().on_incoming();
  }
  if (plan_ == Body::kGather && !body_.append(bytes)) return refuse(too_many_bodies());
  body_pace_.add(bytes.size(), connection_->now_ns());
}

void Http2Stream::on_request_end() {
  request_ended_ = true;
  body_pace_.stop();
  if (last_ || plan_ == Body::kNone) return;
  if (plan_ == Body::kStream) {
    if (exchange_.running()) exchange_.upload().end();
    return;
  }
  exchange_.on_request(exchange_.wants_body() ? body_.take() : BufferRef());
}

void Http2Stream::refuse(const Error& error) {
  plan_ = Body::kDrop;
  body_.clear();
  exchange_.upload().fail();
  exchange_.release();
  exchange_.answer_error(error, head_.head().request_id);
}

// What the client still sends is for nobody, and may be stopped (RFC 9113, 8.1). Not at once: there
// are clients that lose the answer when the reset comes along with it.
void Http2Stream::on_response_sent() {
  if (request_ended_) return;
  lingers_ = true;
  body_bytes_ = 0;
  body_pace_.start(connection_->now_ns());
  connection_->expect(deadline_ns());
  const std::size_t held = exchange_.held_bytes();
  exchange_.upload().reset();
  if (held != 0) connection_->open_window(id_, held);
}

void Http2Stream::on_upload_read(std::size_t bytes) {
  if (body_pace_.running()) {
    // The client may have found its window shut.
    const bool held_back = bytes + exchange_.held_bytes() >= kUploadHeldBytes / 2;
    if (held_back) body_pace_.start(connection_->now_ns());
    connection_->expect(deadline_ns());
  }
  connection_->open_window(id_, bytes);
}

void Http2Stream::give_up() {
  exchange_.upload().fail();
  exchange_.release();
  connection_->reset_stream(id_, NGHTTP2_CANCEL);
}

void Http2Stream::on_close() {
  closed_ = true;
  exchange_.upload().fail();
  exchange_.release();
}

std::string_view Http2Stream::output() const {
  return pending_.empty() ? borrowed_ : std::string_view(pending_).substr(pending_offset_);
}

ssize_t Http2Stream::offer(std::size_t room, std::uint32_t& flags) {
  const std::size_t size = output().size();
  if (size == 0 && failed_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // INTERNAL_ERROR
  if (size == 0 && !last_) return NGHTTP2_ERR_DEFERRED;
  if (size <= room && last_ && !failed_) flags |= NGHTTP2_DATA_FLAG_EOF;
  if (size > 0) flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  return static_cast<ssize_t>(std::min(size, room));
}

void Http2Stream::take_output(std::size_t bytes) {
  if (pending_.empty()) {
    borrowed_.remove_prefix(bytes);
  } else {
    pending_offset_ += bytes;
    if (pending_offset_ == pending_.size()) {
      pending_.clear();
      pending_offset_ = 0;
    } else if (pending_offset_ > kHighWaterBytes && pending_offset_ > pending_.size() / 2) {
      pending_.erase(0, pending_offset_);
      pending_offset_ = 0;
    }
  }
  if (output().empty()) write_pace_.stop();
  if (write_pace_.running()) write_pace_.add(bytes, connection_->now_ns());
  if (!paused_ || output().size() > kLowWaterBytes) return;
  paused_ = false;
  connection_->resume_soon(*this);
}

std::int64_t Http2Stream::deadline_ns() const {
  // What waits to be read here is not the client's delay.
  if (lingers_) return body_pace_.deadline_ns({kLingerTimeoutMs, 0});
  const bool waits = body_pace_.running() && exchange_.held_bytes() == 0;
  const std::int64_t body = waits ? body_pace_.deadline_ns(body_limits()) : 0;
  const std::int64_t write = write_pace_.running() ? write_pace_.deadline_ns(write_limits()) : 0;
  return body == 0 || write == 0 ? body + write : std::min(body, write);
}

void Http2Stream::on_late() {
  if (lingers_) return connection_->reset_stream(id_, NGHTTP2_NO_ERROR);
  const bool body = body_pace_.running();
  body_pace_.stop();
  if (body && !answering_) {
    return refuse(protocol_error(408, "REQUEST_TIMEOUT", "the request did not come in time"));
  }
  give_up();
}

PaceLimits Http2Stream::body_limits() const {
  return {server_.settings().body_timeout_ms, server_.settings().min_body_rate};
}

PaceLimits Http2Stream::write_limits() const {
  return {server_.settings().write_timeout_ms, server_.settings().min_write_rate};
}

std::uint32_t Http2Stream::send_whole(const ResponseHead& head, std::string_view body) {
  send_head(head, !body.empty());
  return send(body, true);
}

std::uint32_t Http2Stream::send_part(const ResponseHead* head, ChunkBuffer& part, bool last) {
  if (head != nullptr) send_head(*head, true);
  return send(part.plain(), last);
}

void Http2Stream::send_head(const ResponseHead& head, bool has_body) {
  answering_ = true;
  body_pace_.stop();
  connection_->submit_head(id_, head, has_body);
}

std::uint32_t Http2Stream::send(std::string_view bytes, bool last) {
  last_ = last;
  if (closed_) return BP_FLOW_STOP;
  if (pending_.empty()) {
    borrowed_ = bytes;
  } else {
    pending_ += bytes;
  }
  connection_->send(id_);
  if (closed_) return BP_FLOW_STOP;
  if (!borrowed_.empty()) pending_ = borrowed_;
  borrowed_ = {};
  const std::size_t left = output().size();
  if (left == 0) return BP_FLOW_CONTINUE;
  if (left > kPendingMaxBytes) {
    connection_->reset_stream(id_, NGHTTP2_INTERNAL_ERROR);
    return BP_FLOW_STOP;
  }
  if (!write_pace_.running()) {
    write_pace_.start(connection_->now_ns());
    connection_->expect(deadline_ns());
  }
  if (left > kHighWaterBytes) paused_ = true;
  return flow();
}

void Http2Stream::on_complete() {
  exchange_.release();
}

void Http2Stream::on_cut() {
  failed_ = last_ = true;
  if (closed_) return;
  if (answering_) return connection_->send(id_);
  connection_->reset_stream(id_, NGHTTP2_INTERNAL_ERROR);
}

void Http2Stream::enter() {
  connection_->enter();
}

void Http2Stream::leave() {
  connection_->leave();
}

}  // namespace backplane::http
