// SPDX-License-Identifier: Apache-2.0
// A client of HTTP/2 for the fake host's connections. It may break the rules of HTTP's messages,
// and opens windows only when told to.
#pragma once

#include "fake_host.hpp"

#include <nghttp2/nghttp2.h>

#include <map>
#include <optional>

namespace backplane::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Http2Answer {
  std::string status;
  std::vector<std::string> interim;  // statuses below 200
  std::map<std::string, std::string> fields;
  std::string body;
  bool ended = false;
  std::optional<std::uint32_t> reset;
};

class Http2Client {
 public:
  static constexpr std::uint32_t kDefaultWindow = 65535;

  explicit Http2Client(FakeHost& host, std::uint32_t stream_window = 1 << 20);
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;
  ~Http2Client();

  // Each sends at once and reads what comes back. `body` null: the request ends with its head;
  // `more`: the body goes on.
  std::int32_t get(const std::string& path);
  std::int32_t post(const std::string& path, const std::string& body, const Fields& more = {});
  std::int32_t request(const Fields& fields, const std::string* body, bool more = false);
  void send_body(std::int32_t stream, const std::string& bytes, bool more);
  void send_trailer(std::int32_t stream, const Fields& fields);
  void reset(std::int32_t stream);
  void open_window(std::int32_t stream, std::int32_t bytes);
  void raw(std::uint8_t type, std::uint8_t flags, std::int32_t stream, const std::string& payload);
  void pump();

  const Http2Answer& answer(std::int32_t stream) { return answers_[stream]; }
  std::int32_t window_for(std::int32_t stream) const;  // what the server lets it send
  std::optional<std::uint32_t> goaway;
  bp_connection& connection;

 private:
  friend struct ClientCallbacks;
  struct Sending {
    std::string bytes;
    bool more = false;
    Fields trailer;
  };

  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Http2Answer> answers_;
  std::map<std::int32_t, Sending> sending_;
};

}  // namespace backplane::test
