// SPDX-License-Identifier: Apache-2.0
// One connection that never runs dry leaves every turn of its loop to the others as well.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "runtime/net/event_loop.hpp"
#include "tests/runtime/net/body_source.hpp"
#include "tests/runtime/net/recording_transport.hpp"
#include "tests/runtime/net/scripted_server.hpp"

namespace backplane {
namespace {

using testing::BodySource;
using testing::Fetch;
using testing::HttpWorld;
using testing::RawSocket;
using testing::ScriptedServer;
using testing::World;

constexpr std::size_t kTotalBytes = 64 * 1024 * 1024;
// What may be read at the end of one turn and at the beginning of the next.
constexpr std::size_t kTurnBytesMax = 2 * 4 * kScratchBytes;

// Counts what moves from one turn of the loop to the next. On the loop.
class Turns {
 public:
  Turns(const bp_loop_service& loops, bp_loop* loop) : loops_(loops), loop_(loop) {}
  void begin() { loops_.post(loop_, run, this); }
  void add(std::size_t bytes) { bytes_ += bytes; }
  void end() { ended_ = true; }
  std::size_t most_bytes() const { return most_bytes_; }

 private:
  static void run(void* argument) {
    auto& self = *static_cast<Turns*>(argument);
    self.most_bytes_ = std::max(self.most_bytes_, std::exchange(self.bytes_, 0));
    if (!self.ended_) self.begin();
  }

  const bp_loop_service& loops_;
  bp_loop* const loop_;
  std::size_t bytes_ = 0, most_bytes_ = 0;
  bool ended_ = false;
};

TEST(Fairness, OfAConnectionThatSendsWithoutEnd) {
  World world;
  Turns turns(*world.loops->table(), world.loop());
  std::size_t received = 0;
  world.transport.on_data = [&](auto* connection, auto bytes) {
    turns.add(bytes.size());
    received += bytes.size();
    if (received == kTotalBytes) world.transport.net.close(connection);
  };
  auto client = RawSocket::connect_to(world.net->table()->port(world.transport.listen()));
  world.run([&] { turns.begin(); });
  EXPECT_TRUE(client.send(std::string(kTotalBytes, 'x')));
  ASSERT_TRUE(world.transport.happened.wait([](const auto& h) { return h.closed == 1; }));
  world.run([&] { turns.end(); });
  world.run([] {});
  EXPECT_LE(turns.most_bytes(), kTurnBytesMax);
}

TEST(Fairness, OfAnUpstreamThatStreamsWithoutEnd) {
  const ScriptedServer server([](RawSocket& peer, int) {
    read_request(peer);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kTotalBytes) + "\r\n\r\n");
    peer.send(std::string(kTotalBytes, 'x'));
    peer.is_ended();
  });
  HttpWorld world;
  Turns turns(*world.loops->table(), world.loop());
  Fetch fetch(world, server.url());
  fetch.on_data = [&](std::string_view bytes) {
    turns.add(bytes.size());
    return BP_FLOW_CONTINUE;
  };
  world.run([&] {
    turns.begin();
    ASSERT_EQ(fetch.start_here(), BP_CODE_OK);
  });
  EXPECT_EQ(fetch.wait().body.size(), kTotalBytes);
  world.run([&] { turns.end(); });
  world.run([] {});
  EXPECT_LE(turns.most_bytes(), kTurnBytesMax);
}

// The sender has always more, and the upstream takes it as fast as it comes.
TEST(Fairness, OfABodyThatComesWithoutEnd) {
  const ScriptedServer server([](RawSocket& peer, int) {
    while (!peer.receive_some().empty()) {
    }
  });
  HttpWorld world;
  Turns turns(*world.loops->table(), world.loop());
  BodySource source(world);
  source.feed_endlessly(std::string(1'000, 'x'));
  source.on_read = [&](std::size_t bytes) { turns.add(bytes); };
  Fetch fetch(world, server.url());
  fetch.method = "POST";
  fetch.request.body_stream = source.stream();
  world.run([&] {
    turns.begin();
    ASSERT_EQ(fetch.start_here(), BP_CODE_OK);
  });
  while (source.bytes_read() < kTotalBytes / 16) std::this_thread::yield();
  fetch.cancel();
  world.run([&] { turns.end(); });
  world.run([] {});
  EXPECT_LE(turns.most_bytes(), kTurnBytesMax);
}

}  // namespace
}  // namespace backplane
