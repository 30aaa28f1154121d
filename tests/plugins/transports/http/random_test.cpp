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

 private:
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
    if (host_.calls.empty() || host_.calls.back().released != 0) return;
    FakeCall& call = host_.calls.back();
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

}  // namespace
}  // namespace backplane::test
