// SPDX-License-Identifier: Apache-2.0
// Random bytes, and requests with random damage, in random pieces: nothing crashes, nothing is
// answered without a status, every call is released once. Replay with BACKPLANE_SEED.
#include "case_file.hpp"
#include "fake_host.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace backplane::test {
namespace {

constexpr int kRounds = 4000;
constexpr std::size_t kMaxBytes = 4096;

std::uint32_t seed() {
  const char* given = std::getenv("BACKPLANE_SEED");
  return given == nullptr ? std::random_device{}()
                          : static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10));
}

class Fuzz {
 public:
  explicit Fuzz(std::uint32_t from) : random_(from) {
    for (const Case& test : read_cases()) {
      if (test.request.size() <= kMaxBytes) requests_.push_back(test.request);
    }
    host_.start(R"({"listen":"x:0","max_body_bytes":4096,"max_header_bytes":1024})");
  }

  void round() {
    bp_connection& connection = host_.connect();
    std::string bytes = input();
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::size_t size = std::min(rest.size(), below(64) + 1);
      connection.data(rest.substr(0, size));
      rest.remove_prefix(size);
      act(connection);
    }
    if (below(2) == 0) connection.end();
    if (!connection.output.empty()) {
      const bool settings = connection.output.substr(3, 2) == std::string_view("\4\0", 2);
      EXPECT_TRUE(connection.output.substr(0, 9) == "HTTP/1.1 " || settings);
    }
    connection.leave();
    for (FakeCall& call : host_.calls) EXPECT_EQ(call.released, 1);
    calls_begun_ += static_cast<int>(host_.calls.size());
    host_.calls.clear();
  }
  int calls_begun() const { return calls_begun_; }

  // Frames of HTTP/2, most of them well formed.
  void http2_round() {
    bp_connection& connection = host_.connect();
    connection.data(std::string(kPreface) + frame(4, 0, 0, {}));
    std::size_t stream = 1;
    for (std::size_t left = below(40); left > 0; --left) {
      std::string bytes = http2_input(stream);
      if (below(20) == 0) bytes[below(bytes.size())] = static_cast<char>(random_());
      const std::size_t cut = below(bytes.size() + 1);
      connection.data(bytes.substr(0, cut));
      connection.data(bytes.substr(cut));
      act(connection);
    }
    if (below(2) == 0) connection.end();
    connection.leave();
    for (FakeCall& call : host_.calls) EXPECT_EQ(call.released, 1);
    calls_begun_ += static_cast<int>(host_.calls.size());
    host_.calls.clear();
  }

 private:
  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  static std::string frame(int type, int flags, std::size_t stream, std::string_view payload) {
    std::string bytes = {'\0', static_cast<char>(payload.size() >> 8),
                         static_cast<char>(payload.size()), static_cast<char>(type),
                         static_cast<char>(flags)};
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(stream >> shift);
    return bytes.append(payload);
  }

  std::string http2_input(std::size_t& stream) {
    constexpr int kEnd = 1, kEndHeaders = 4;
    constexpr std::string_view kForm = "\x5f\x1fmultipart/form-data; boundary=x";
    constexpr std::string_view kPath = "\x44\x14/v1/chat/completions";
    constexpr std::string_view kFormPath = "\x44\x18/v1/audio/transcriptions";
    const std::size_t some = below(stream) | 1;
    const bool form = below(2) == 0;
    switch (below(20)) {
      case 0:
        return frame(3, 0, some, "\0\0\0\x08");
      case 1:
        return frame(8, 0, below(2) * some, {"\0\0\1\0", 4});
      case 2:
        return frame(static_cast<int>(below(11)), static_cast<int>(below(256)), below(2) * some,
                     std::string(below(20), static_cast<char>(random_())));
      case 3:
      case 4:
      case 5:
        return frame(0, static_cast<int>(below(2)), some, std::string(below(3000), 'x'));
      default:
        stream += 2;
        return frame(1, kEndHeaders, stream,
                     "\x83\x86\x41\x01"
                     "a" +
                         std::string(form ? kFormPath : kPath) +
                         std::string(form ? kForm : std::string_view())) +
               frame(0, below(2) == 0 ? kEnd : 0, stream, "{}");
    }
  }

  std::size_t below(std::size_t limit) { return random_() % limit; }

  std::string input() {
    std::string bytes;
    if (below(4) == 0) {
      for (std::size_t left = below(200); left > 0; --left) bytes += static_cast<char>(random_());
      return bytes;
    }
    for (std::size_t left = below(3) + 1; left > 0; --left) {
      bytes += requests_[below(requests_.size())];
    }
    for (std::size_t left = below(4); left > 0 && !bytes.empty(); --left) {
      const std::size_t at = below(bytes.size());
      if (below(3) == 0) {
        bytes.erase(at, below(8) + 1);
      } else {
        bytes[at] = static_cast<char>(random_());
      }
    }
    return bytes;
  }

  void act(bp_connection& connection) {
    if (below(8) == 0) connection.answer = BP_FLOW_PAUSE;
    if (below(8) == 0) connection.drained();
    if (below(200) == 0) connection.time_out();
    if (host_.calls.empty()) return;
    FakeCall& call = host_.calls[below(host_.calls.size())];
    if (call.released != 0) return;
    std::string read;
    if (call.rest != nullptr && below(2) == 0) call.read_all(read);
    if (call.sequence == 0) {
      call.head(below(2) == 0 ? BP_REQUEST_STREAM | BP_REQUEST_USAGE : 0);
      return;
    }
    switch (below(8)) {
      case 0:
        call.end();
        break;
      case 1:
        call.error({Code::kUnavailable, "x", {}, 0, 0});
        break;
      case 2:
        call.finish("stop", static_cast<std::uint32_t>(below(3)));
        break;
      case 3:
        call.body_bytes("abc", "text/plain");
        break;
      case 4:
        call.chunk("{}");
        break;
      default:
        call.text("abc", static_cast<std::uint32_t>(below(130)));
    }
  }

  std::mt19937 random_;
  std::vector<std::string> requests_;
  FakeHost host_;
  int calls_begun_ = 0;
};

TEST(Random, bytes_never_break_the_transport) {
  const std::uint32_t from = seed();
  RecordProperty("seed", std::to_string(from));
  std::printf("seed %u\n", from);
  Fuzz fuzz(from);
  for (int i = 0; i < kRounds && !testing::Test::HasFailure(); ++i) fuzz.round();
  EXPECT_GT(fuzz.calls_begun(), kRounds / 20) << "too few requests are understood";
}

TEST(Random, frames_never_break_the_transport) {
  const std::uint32_t from = seed();
  RecordProperty("seed", std::to_string(from));
  std::printf("seed %u\n", from);
  Fuzz fuzz(from);
  for (int i = 0; i < kRounds && !testing::Test::HasFailure(); ++i) fuzz.http2_round();
  EXPECT_GT(fuzz.calls_begun(), kRounds / 2) << "too few requests are understood";
}

}  // namespace
}  // namespace backplane::test
