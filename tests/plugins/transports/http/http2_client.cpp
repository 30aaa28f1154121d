// SPDX-License-Identifier: Apache-2.0
#include "http2_client.hpp"

#include <algorithm>

namespace backplane::test {
namespace {

std::vector<nghttp2_nv> fields_of(const Fields& fields) {
  std::vector<nghttp2_nv> made;
  for (const auto& [name, value] : fields) {
    const auto bytes = [](const std::string& text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    made.push_back({bytes(name), bytes(value), name.size(), value.size(), 0});
  }
  return made;
}

}  // namespace

struct ClientCallbacks {
  static Http2Client& client(void* self) { return *static_cast<Http2Client*>(self); }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* self) {
    const std::string key(reinterpret_cast<const char*>(name), name_size);
    const std::string text(reinterpret_cast<const char*>(value), value_size);
    Http2Answer& answer = client(self).answers_[frame->hd.stream_id];
    if (key == ":status" && text.front() == '1') {
      answer.interim.push_back(text);
    } else if (key == ":status") {
      answer.status = text;
    } else {
      answer.fields[key] = text;
    }
    return 0;
  }
  static int data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes,
                  std::size_t size, void* self) {
    client(self).answers_[stream].body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) client(self).goaway = frame->goaway.error_code;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      client(self).answers_[frame->hd.stream_id].reset = frame->rst_stream.error_code;
    }
    const bool body = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (body && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      client(self).answers_[frame->hd.stream_id].ended = true;
    }
    return 0;
  }
  static ssize_t read(nghttp2_session* session, std::int32_t stream, std::uint8_t* to,
                      std::size_t room, std::uint32_t* flags, nghttp2_data_source*, void* self) {
    Http2Client::Sending& sending = client(self).sending_[stream];
    const std::size_t size = std::min(room, sending.bytes.size());
    if (size == 0 && sending.more) return NGHTTP2_ERR_DEFERRED;
    std::copy_n(sending.bytes.begin(), size, to);
    sending.bytes.erase(0, size);
    if (!sending.bytes.empty() || sending.more) return static_cast<ssize_t>(size);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!sending.trailer.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const std::vector<nghttp2_nv> trailer = fields_of(sending.trailer);
      nghttp2_submit_trailer(session, stream, trailer.data(), trailer.size());
    }
    return static_cast<ssize_t>(size);
  }
};

Http2Client::Http2Client(FakeHost& host, std::uint32_t stream_window) : connection(host.connect()) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &ClientCallbacks::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &ClientCallbacks::data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &ClientCallbacks::frame);
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_http_messaging(options, 1);
  nghttp2_session_client_new2(&session_, callbacks, this, options);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(options);
  const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &window, 1);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 1 << 30);
  pump();
}

Http2Client::~Http2Client() {
  nghttp2_session_del(session_);
}

void Http2Client::pump() {
  for (bool moved = true; moved;) {
    moved = false;
    const std::uint8_t* bytes = nullptr;
    for (ssize_t size = nghttp2_session_mem_send(session_, &bytes); size > 0;
         size = nghttp2_session_mem_send(session_, &bytes)) {
      connection.data({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
      moved = true;
    }
    const std::string output = connection.take();
    if (output.empty()) continue;
    moved = true;
    nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(output.data()),
                             output.size());
  }
}

std::int32_t Http2Client::get(const std::string& path) {
  return request({{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}},
                 nullptr);
}

std::int32_t Http2Client::post(const std::string& path, const std::string& body,
                               const Fields& more) {
  Fields fields = {{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return request(fields, &body);
}

std::int32_t Http2Client::request(const Fields& fields, const std::string* body, bool more) {
  const std::vector<nghttp2_nv> made = fields_of(fields);
  nghttp2_data_provider provider{};
  provider.read_callback = &ClientCallbacks::read;
  const auto next = static_cast<std::int32_t>(nghttp2_session_get_next_stream_id(session_));
  if (body != nullptr) sending_[next] = {*body, more, {}};
  const std::int32_t stream = nghttp2_submit_request(
      session_, nullptr, made.data(), made.size(), body == nullptr ? nullptr : &provider, nullptr);
  pump();
  return stream;
}

void Http2Client::send_body(std::int32_t stream, const std::string& bytes, bool more) {
  sending_[stream].bytes += bytes;
  sending_[stream].more = more;
  nghttp2_session_resume_data(session_, stream);
  pump();
}

void Http2Client::send_trailer(std::int32_t stream, const Fields& fields) {
  sending_[stream].trailer = fields;
  send_body(stream, {}, false);
}

void Http2Client::reset(std::int32_t stream) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  pump();
}

void Http2Client::open_window(std::int32_t stream, std::int32_t bytes) {
  nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, stream, bytes);
  pump();
}

void Http2Client::raw(std::uint8_t type, std::uint8_t flags, std::int32_t stream,
                      const std::string& payload) {
  std::string bytes(9, '\0');
  for (std::size_t i = 0; i < 3; ++i) bytes[i] = static_cast<char>(payload.size() >> (16 - 8 * i));
  bytes[3] = static_cast<char>(type);
  bytes[4] = static_cast<char>(flags);
  for (std::size_t i = 0; i < 4; ++i) bytes[5 + i] = static_cast<char>(stream >> (24 - 8 * i));
  connection.data(bytes + payload);
  pump();
}

std::int32_t Http2Client::window_for(std::int32_t stream) const {
  return nghttp2_session_get_stream_remote_window_size(session_, stream);
}

}  // namespace backplane::test
