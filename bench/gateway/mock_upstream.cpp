// SPDX-License-Identifier: Apache-2.0
// A server that answers every request at once, so that what is measured is what stands before it.
//   mock_upstream BODY_BYTES FRAMES INTERVAL_MS
// Prints its port. A request with "stream":true gets FRAMES events, all at once, or one every
// INTERVAL_MS for the model "paced"; any other request a chat completion of BODY_BYTES.
#include "answers.hpp"
#include "http_text.hpp"
#include "socket.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

namespace backplane::bench {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::int64_t kMillisecondNs = 1'000'000;

struct Connection {
  int socket = -1;
  std::uint64_t id = 0;
  std::string input;
  std::size_t request_bytes = 0;  // 0: the head has not come whole
  std::string output;             // what the socket did not take
  std::size_t next_frame = 0;
};

class MockUpstream {
 public:
  MockUpstream(Answers answers, std::int64_t interval_ns)
      : answers_(std::move(answers)), interval_ns_(interval_ns), listener_(listen_on_loopback(0)) {
    epoll_.watch(listener_, nullptr);
    std::printf("%u\n", static_cast<unsigned>(port_of(listener_)));
    std::fflush(stdout);
  }

  void turn() {
    for (void* context : epoll_.wait(wait_ms())) {
      if (context == nullptr) {
        accept_all();
      } else {
        serve(*static_cast<Connection*>(context));
      }
    }
    send_due_frames();
  }

 private:
  // A connection that waits for its next frame; all wait equally long, so the first is due first.
  struct Due {
    std::int64_t at_ns;
    std::uint64_t id;
  };

  int wait_ms() const {
    if (due_.empty()) return -1;
    const std::int64_t left_ns = due_.front().at_ns - now_ns();
    return left_ns <= 0 ? 0 : static_cast<int>(left_ns / kMillisecondNs) + 1;
  }

  void accept_all() {
    for (int socket = accept_connection(listener_); socket >= 0;
         socket = accept_connection(listener_)) {
      auto connection = std::make_unique<Connection>();
      connection->socket = socket;
      connection->id = ++last_id_;
      epoll_.watch(socket, connection.get());
      connections_.emplace(connection->id, std::move(connection));
    }
  }

  void serve(Connection& connection) {
    if (!connection.output.empty()) send(connection, {});
    for (;;) {
      const Transfer got = receive(connection.socket, buffer_.data(), buffer_.size());
      if (got.ended) return drop(connection);
      if (got.bytes == 0) return;
      connection.input.append(buffer_.data(), got.bytes);
      while (take_request(connection)) {
      }
    }
  }

  bool take_request(Connection& connection) {
    std::string& input = connection.input;
    if (connection.request_bytes == 0) {
      const auto head = head_size(input);
      if (!head) return false;
      connection.request_bytes = *head + content_length(std::string_view(input).substr(0, *head));
    }
    if (input.size() < connection.request_bytes) return false;
    answer(connection, std::string_view(input).substr(0, connection.request_bytes));
    input.erase(0, connection.request_bytes);
    connection.request_bytes = 0;
    return !input.empty();
  }

  void answer(Connection& connection, std::string_view request) {
    // In the last bytes: a long prompt is not searched.
    const std::string_view tail = request.substr(request.size() - std::min(request.size(), kTail));
    if (tail.find("\"stream\":true") == std::string_view::npos) {
      return send(connection, answers_.whole);
    }
    if (tail.find("\"paced\"") == std::string_view::npos) return send(connection, answers_.burst);
    send(connection, answers_.stream_head + answers_.frames.front());
    connection.next_frame = 1;
    due_.push_back({now_ns() + interval_ns_, connection.id});
  }

  void send_due_frames() {
    while (!due_.empty() && due_.front().at_ns <= now_ns()) {
      const Due due = due_.front();
      due_.pop_front();
      const auto found = connections_.find(due.id);
      if (found == connections_.end()) continue;
      Connection& connection = *found->second;
      send(connection, answers_.frames[connection.next_frame++]);
      if (connection.next_frame == answers_.frames.size()) continue;
      due_.push_back({due.at_ns + interval_ns_, due.id});
    }
  }

  void send(Connection& connection, std::string_view bytes) {
    if (!connection.output.empty()) {
      connection.output += bytes;
      const Transfer put = transmit(connection.socket, connection.output);
      connection.output.erase(0, put.bytes);
      return;
    }
    const Transfer put = transmit(connection.socket, bytes);
    connection.output = bytes.substr(put.bytes);
  }

  void drop(Connection& connection) {
    close(connection.socket);
    connections_.erase(connection.id);
  }

  static constexpr std::size_t kTail = 200;

  const Answers answers_;
  const std::int64_t interval_ns_;
  Epoll epoll_;
  const int listener_;
  std::string buffer_ = std::string(kReadBytes, '\0');
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::deque<Due> due_;
};

}  // namespace
}  // namespace backplane::bench

int main(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "usage: mock_upstream BODY_BYTES FRAMES INTERVAL_MS\n");
    return 2;
  }
  const auto number = [&](int index) { return std::strtoull(arguments[index], nullptr, 10); };
  const std::size_t frames = number(2);
  if (frames < 4) {
    std::fprintf(stderr, "a stream has at least 4 frames\n");
    return 2;
  }
  backplane::bench::MockUpstream mock(backplane::bench::make_answers(number(1), frames),
                                      static_cast<std::int64_t>(number(3)) * 1'000'000);
  for (;;) mock.turn();
}
