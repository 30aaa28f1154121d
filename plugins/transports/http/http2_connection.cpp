// SPDX-License-Identifier: Apache-2.0
#include "http2_connection.hpp"

#include "http2_callbacks.hpp"

namespace backplane::http {
namespace {

constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr std::uint32_t kStreamWindowBytes = 256 * 1024;
constexpr std::int32_t kConnectionWindowBytes = 1024 * 1024;
// A client may give up so many streams at once, and so many a second (CVE-2023-44487).
constexpr std::int64_t kResetsMax = 200;
constexpr std::int64_t kResetsPerSecond = 20;
// Frames that move nothing: SETTINGS, PING, PRIORITY, empty DATA.
constexpr std::int64_t kIdleFramesMax = 2000;
constexpr std::int64_t kIdleFramesPerSecond = 200;
// Answers of nghttp2's own that wait for a client that reads nothing, over two for each stream.
constexpr std::size_t kQueuedFramesMax = 1000;

bool is_idle(const nghttp2_frame_hd& header) {
  switch (header.type) {
    case NGHTTP2_DATA:
      return header.length == 0 && (header.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    case NGHTTP2_HEADERS:
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_GOAWAY:
    case NGHTTP2_WINDOW_UPDATE:
    case NGHTTP2_CONTINUATION:
      return false;
    default:
      return true;
  }
}

// Given up by us for what the client did.
bool is_fault(std::uint32_t code) {
  return code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR && code != NGHTTP2_CANCEL;
}

}  // namespace

template <class Body>
void Http2Connection::guarded(void* context, Body&& body) noexcept {
  auto* self = static_cast<Http2Connection*>(context);
  self->enter();
  try {
    body(*self);
  } catch (...) {  // out of memory: nothing can be said any more
    self->cut();
  }
  self->leave();
}

const bp_connection_handler Http2Connection::kHandler = {
    sizeof(bp_connection_handler),
    0,
    [](void* self, bp_str bytes) {
      guarded(self, [&](Http2Connection& connection) { connection.on_data(view(bytes)); });
    },
    [](void* self) { guarded(self, [](Http2Connection& connection) { connection.on_end(); }); },
    [](void* self) { guarded(self, [](Http2Connection& connection) { connection.on_drained(); }); },
    [](void* self) { guarded(self, [](Http2Connection& connection) { connection.on_timeout(); }); },
    [](void* self) { delete static_cast<Http2Connection*>(self); }};

void Http2Connection::open(Server& server, std::shared_ptr<LoopShared> shared,
                           bp_connection* connection, std::string_view input) {
  auto* opened = new Http2Connection(server, std::move(shared), connection);
  server.services().net->set_handler(connection, &kHandler, opened);
  guarded(opened, [&](Http2Connection& self) {
    if (!self.start_session()) return self.cut();
    self.on_data(input);
    if (server.draining()) self.drain();
  });
}

Http2Connection::Http2Connection(Server& server, std::shared_ptr<LoopShared> shared,
                                 bp_connection* connection)
    : server_(server),
      shared_(std::move(shared)),
      connection_(connection),
      resets_(kResetsMax, kResetsPerSecond),
      idle_frames_(kIdleFramesMax, kIdleFramesPerSecond) {
  shared_->add(*this);
}

Http2Connection::~Http2Connection() {
  shared_->remove(*this);
}

bool Http2Connection::start_session() {
  session_.reset(Http2Callbacks::open_session(*this));
  if (session_ == nullptr) return false;
  const Settings& settings = server_.settings();
  const nghttp2_settings_entry entries[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.max_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.max_header_bytes},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}};
  idle_until_ns_ =
      now_ns() + static_cast<std::int64_t>(settings.header_timeout_ms) * kNanosecondsPerMillisecond;
  expect(idle_until_ns_);
  return nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, entries, std::size(entries)) ==
             0 &&
         nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0,
                                               kConnectionWindowBytes) == 0;
}

std::int64_t Http2Connection::now_ns() const {
  const bp_clock& clock = *server_.services().clock;
  return clock.monotonic_ns(clock.context);
}

void Http2Connection::on_data(std::string_view bytes) {
  if (closing_) return;
  in_session_ = true;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  in_session_ = false;
  if (taken == NGHTTP2_ERR_NOMEM || taken == NGHTTP2_ERR_CALLBACK_FAILURE) return cut();
  if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
    terminate(NGHTTP2_PROTOCOL_ERROR);
  } else if (taken < 0) {
    terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  }
  const std::size_t queued_max = kQueuedFramesMax + 2 * server_.settings().max_streams;
  if (blocked_ && nghttp2_session_get_outbound_queue_size(session_.get()) > queued_max) {
    return cut();
  }
  note_progress();
}

// A head that has begun must end in time, whatever else the connection does.
void Http2Connection::note_progress() {
  if (open_head_ == 0) {
    head_until_ns_ = 0;
  } else if (head_until_ns_ == 0) {
    head_until_ns_ = now_ns() + static_cast<std::int64_t>(server_.settings().header_timeout_ms) *
                                    kNanosecondsPerMillisecond;
    expect(head_until_ns_);
  }
}

void Http2Connection::on_end() {
  if (!closing_) close();
}

void Http2Connection::on_drained() {
  if (closing_) return;
  blocked_ = false;
  armed_ns_ = 0;
  server_.services().net->set_timeout(connection_, 0);
  if (streams_.empty()) expect(idle_until_ns_);
  for (const auto& stream : streams_) {
    if (stream->deadline_ns() != 0) expect(stream->deadline_ns());
  }
  if (head_until_ns_ != 0) expect(head_until_ns_);
}

void Http2Connection::on_timeout() {
  if (closing_ || blocked_) return cut();
  armed_ns_ = 0;
  const std::int64_t now = now_ns();
  if (streams_.empty() && now >= idle_until_ns_) return terminate(NGHTTP2_NO_ERROR);
  if (head_until_ns_ != 0 && now >= head_until_ns_) return terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  for (std::size_t i = streams_.size(); i-- > 0;) {
    const std::int64_t deadline = i < streams_.size() ? streams_[i]->deadline_ns() : 0;
    if (deadline != 0 && now >= deadline) {
      streams_[i]->on_late();
    } else if (deadline != 0) {
      expect(deadline);
    }
  }
  if (streams_.empty()) expect(idle_until_ns_);
  if (head_until_ns_ != 0) expect(head_until_ns_);
}

void Http2Connection::expect(std::int64_t deadline_ns) {
  if (blocked_ || closing_ || (armed_ns_ != 0 && armed_ns_ <= deadline_ns)) return;
  armed_ns_ = deadline_ns;
  const std::int64_t left_ms = (deadline_ns - now_ns()) / kNanosecondsPerMillisecond + 1;
  server_.services().net->set_timeout(
      connection_, static_cast<std::uint64_t>(std::max<std::int64_t>(left_ms, 1)));
}

void Http2Connection::drain() {
  guarded(this, [](Http2Connection& self) {
    if (self.closing_) return;
    if (self.streams_.empty()) return self.terminate(NGHTTP2_NO_ERROR);
    nghttp2_session* session = self.session_.get();
    nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
                          nullptr, 0);
  });
}

void Http2Connection::on_frame_header(const nghttp2_frame_hd& header) {
  if (is_idle(header)) calm(idle_frames_);
}

void Http2Connection::on_begin_head(const nghttp2_frame& frame) {
  open_head_ = frame.hd.stream_id;
  if (frame.headers.cat != NGHTTP2_HCAT_REQUEST) return;
  std::unique_ptr<Http2Stream> stream = shared_->take_stream(server_);
  stream->open(*this, frame.hd.stream_id);
  stream->set_place(streams_.size());
  nghttp2_session_set_stream_user_data(session_.get(), frame.hd.stream_id, stream.get());
  streams_.push_back(std::move(stream));
}

bool Http2Connection::on_field(const nghttp2_frame& frame, nghttp2_rcbuf* name,
                               nghttp2_rcbuf* value) {
  Http2Stream* stream = stream_of(frame.hd.stream_id);
  if (stream == nullptr) return true;
  const Settings& settings = server_.settings();
  const auto outcome =
      stream->head().take(name, value, {settings.max_header_bytes, settings.max_headers});
  if (outcome == Http2RequestHead::Outcome::kTaken) return true;
  terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  return false;
}

void Http2Connection::on_frame(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_RST_STREAM) return calm(resets_);
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  const bool ended = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  Http2Stream* stream = stream_of(frame.hd.stream_id);
  if (frame.hd.type == NGHTTP2_HEADERS) open_head_ = 0;
  if (stream == nullptr) return;
  if (frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
    stream->on_head(ended);
  } else if (ended) {
    stream->on_request_end();
  }
}

void Http2Connection::on_frame_sent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_RST_STREAM && is_fault(frame.rst_stream.error_code)) calm(resets_);
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  Http2Stream* stream = stream_of(frame.hd.stream_id);
  if (stream != nullptr) stream->on_response_sent();
}

void Http2Connection::on_stream_close(Http2Stream& stream) {
  stream.on_close();
  if (open_head_ == stream.id()) open_head_ = 0;
  const std::size_t place = stream.place();
  std::swap(streams_[place], streams_.back());
  streams_[place]->set_place(place);
  closed_streams_.push_back(std::move(streams_.back()));
  streams_.pop_back();
  if (!streams_.empty() || closing_) return;
  idle_until_ns_ = now_ns() + static_cast<std::int64_t>(server_.settings().keep_alive_ms) *
                                  kNanosecondsPerMillisecond;
  expect(idle_until_ns_);
}

Http2Stream* Http2Connection::stream_of(std::int32_t id) const {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_.get(), id));
}

void Http2Connection::submit_head(std::int32_t stream, const ResponseHead& head, bool has_body) {
  Http2Stream* from = stream_of(stream);
  if (from == nullptr) return;
  std::vector<nghttp2_nv>& fields = shared_->fields();
  append_fields(fields, shared_->scratch(), head);
  // Streams of events take turns; what has a length is sent one after the other.
  const nghttp2_extpri turns{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
  if (head.length == BP_SIZE_UNKNOWN) {
    nghttp2_session_change_extpri_stream_priority(session_.get(), stream, &turns, 1);
  }
  const nghttp2_data_provider body = Http2Callbacks::provider(*from);
  nghttp2_submit_response(session_.get(), stream, fields.data(), fields.size(),
                          has_body ? &body : nullptr);
}

void Http2Connection::submit_continue(std::int32_t stream) {
  ResponseHead head;
  head.status = 100;
  std::vector<nghttp2_nv>& fields = shared_->fields();
  append_fields(fields, shared_->scratch(), head);
  nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream, nullptr, fields.data(), 1,
                         nullptr);
}

void Http2Connection::send(std::int32_t stream) {
  nghttp2_session_resume_data(session_.get(), stream);
  flush();
}

void Http2Connection::reset_stream(std::int32_t stream, std::uint32_t code) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, code);
}

// The connection's window is open to all; what a stream holds is bounded by its own.
void Http2Connection::consume(std::int32_t stream, std::size_t bytes, bool all) {
  nghttp2_session_consume_connection(session_.get(), bytes);
  if (all) nghttp2_session_consume_stream(session_.get(), stream, bytes);
}

void Http2Connection::open_window(std::int32_t stream, std::size_t bytes) {
  nghttp2_session_consume_stream(session_.get(), stream, bytes);
  flush();
}

void Http2Connection::flush() {
  if (in_session_ || closing_) return;
  in_session_ = true;
  send_pending();
  in_session_ = false;
}

void Http2Connection::send_pending() {
  while (!blocked_ && !closing_) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) return cut();
    if (size == 0) return;
    const bp_str piece{reinterpret_cast<const char*>(bytes), static_cast<std::uint64_t>(size)};
    if (!write(&piece, 1)) return;
  }
}

bool Http2Connection::write(const bp_str* pieces, std::uint64_t count) {
  const bp_net& net = *server_.services().net;
  const std::uint32_t flow = net.write(connection_, pieces, count);
  if (flow == BP_FLOW_STOP) closing_ = true;
  if (flow == BP_FLOW_PAUSE && !blocked_) {
    blocked_ = true;
    armed_ns_ = 0;
    net.set_timeout(connection_, server_.settings().write_timeout_ms);
  }
  return flow != BP_FLOW_STOP;
}

void Http2Connection::leave() {
  if (depth_ == 1) {
    try {
      flush();
      resume_streams();
      finish_session();
    } catch (...) {  // out of memory
      cut();
    }
  }
  --depth_;
  if (depth_ == 0) bury();
}

void Http2Connection::resume_streams() {
  while (!to_resume_.empty()) {
    for (Http2Stream* stream : std::exchange(to_resume_, {})) {
      if (!stream->closed()) stream->resume();
    }
    flush();
  }
}

void Http2Connection::finish_session() {
  nghttp2_session* session = session_.get();
  const bool over = session != nullptr && nghttp2_session_want_read(session) == 0 &&
                    nghttp2_session_want_write(session) == 0;
  if (over && !closing_) close();
}

// Nobody is inside a stream any more.
void Http2Connection::bury() {
  for (auto& stream : std::exchange(closed_streams_, {})) shared_->give_back(std::move(stream));
}

void Http2Connection::terminate(std::uint32_t code) {
  nghttp2_session_terminate_session(session_.get(), code);
}

void Http2Connection::calm(FloodGuard& guard) {
  if (!guard.take(now_ns())) terminate(NGHTTP2_ENHANCE_YOUR_CALM);
}

void Http2Connection::release_all() {
  closing_ = true;
  for (const auto& stream : streams_) stream->on_close();
}

void Http2Connection::close() {
  release_all();
  const bp_net& net = *server_.services().net;
  net.set_timeout(connection_, server_.settings().write_timeout_ms);
  net.close(connection_);
}

void Http2Connection::cut() {
  release_all();
  server_.services().net->abort(connection_);
}

}  // namespace backplane::http
