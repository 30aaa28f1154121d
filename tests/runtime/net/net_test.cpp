// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/net.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/runtime/net/raw_socket.hpp"
#include "tests/runtime/net/recording_transport.hpp"

namespace backplane {
namespace {

using testing::RawSocket;
using testing::World;

constexpr std::size_t kMegabyte = 1024 * 1024;

class NetTest : public ::testing::Test {
 protected:
  RawSocket connect(int receive_buffer_bytes = 0) {
    if (listener_ == nullptr) listener_ = world_.transport.listen(max_connections_);
    return RawSocket::connect_to(net_.port(listener_), receive_buffer_bytes);
  }
  bp_connection* accepted(int count = 1) {
    EXPECT_TRUE(happened([&](const auto& h) { return h.accepted >= count; }));
    return world_.transport.happened.get().connection;
  }
  template <class Condition>
  bool happened(Condition condition) {
    return world_.transport.happened.wait(condition);
  }

  World world_;
  const bp_net& net_ = *world_.net->table();
  testing::RecordingTransport& transport_ = world_.transport;
  bp_listener* listener_ = nullptr;
  std::uint32_t max_connections_ = 0;
};

TEST_F(NetTest, EchoesAndClosesOnce) {
  transport_.on_data = [&](auto* connection, auto bytes) { transport_.write(connection, bytes); };
  transport_.on_end = [&](auto* connection) { net_.close(connection); };
  auto client = connect();
  ASSERT_TRUE(client.send("hello"));
  EXPECT_EQ(client.receive(5), "hello");
  client.finish_sending();
  EXPECT_TRUE(client.is_ended());
  EXPECT_FALSE(client.was_reset());
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
  world_.net->abort_all();
  EXPECT_EQ(transport_.happened.get().closed, 1);
  EXPECT_EQ(world_.net->connection_count(), 0u);
}

TEST_F(NetTest, EchoesManyMegabytes) {
  transport_.on_data = [&](auto* connection, auto bytes) {
    if (transport_.write(connection, bytes) == BP_FLOW_PAUSE) net_.pause(connection);
  };
  transport_.on_drained = [&](auto* connection) { net_.resume(connection); };
  transport_.on_end = [&](auto* connection) { net_.close(connection); };
  auto client = connect();
  std::string sent;
  while (sent.size() < 8 * kMegabyte) sent += std::to_string(sent.size()) + ",";
  std::thread sender([&] {
    EXPECT_TRUE(client.send(sent));
    client.finish_sending();
  });
  const std::string received = client.receive_all();
  sender.join();
  EXPECT_TRUE(received == sent) << received.size() << " of " << sent.size();
}

TEST_F(NetTest, TheLaterWritesOfATurnLeaveInOnePacket) {
  transport_.on_data = [&](auto* connection, auto) {
    for (const char* part : {"HTTP/1.1 200 OK\r\n", "\r\n", "body"}) {
      EXPECT_EQ(transport_.write(connection, part), BP_FLOW_CONTINUE);
    }
  };
  auto client = connect();
  ASSERT_TRUE(client.send("go"));
  EXPECT_EQ(client.receive(17), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(client.receive_some(), "\r\nbody");
}

TEST_F(NetTest, GathersPiecesOfABigWriteBehindASmallOne) {
  const std::string big(3 * kMegabyte, 'b');
  transport_.on_data = [&](auto* connection, auto) {
    transport_.write(connection, "head ");
    const bp_str pieces[] = {{"first ", 6}, {nullptr, 0}, {big.data(), big.size()}, {" last", 5}};
    net_.write(connection, pieces, 4);
    net_.close(connection);
  };
  auto client = connect();
  ASSERT_TRUE(client.send("go"));
  EXPECT_TRUE(client.receive_all() == "head first " + big + " last");
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
}

TEST_F(NetTest, ASlowReaderIsToldToPauseAndDrains) {
  auto client = connect(4096);
  bp_connection* connection = accepted();
  const std::string part(16 * 1024 - 1, 'x');
  std::size_t written = 0;
  world_.run([&] {
    while (written < 15 * kMegabyte) {
      written += part.size();
      if (transport_.write(connection, part) == BP_FLOW_PAUSE) break;
    }
  });
  EXPECT_GT(written, kHighWaterBytes);
  EXPECT_LT(written, kHighWaterBytes + 2 * part.size());
  int drained_before = 0;
  world_.run([&] {
    for (int more = 0; more < 64; ++more, written += part.size()) {
      transport_.write(connection, part);
    }
    drained_before = transport_.happened.get().drained;
  });
  EXPECT_EQ(client.receive(written).size(), written);
  ASSERT_TRUE(happened([&](const auto& h) { return h.drained == drained_before + 1; }));
}

TEST_F(NetTest, AReaderThatNeverReadsIsCutAtTheBound) {
  auto client = connect(4096);
  bp_connection* connection = accepted();
  const std::string part(kMegabyte, 'x');
  world_.run([&] {
    // The kernel takes some of it, too.
    std::size_t parts = 0;
    while (transport_.write(connection, part) != BP_FLOW_STOP) ++parts;
    EXPECT_GE(parts, kPendingMaxBytes / kMegabyte - 1);
    EXPECT_LE(parts, kPendingMaxBytes / kMegabyte + 48);
    EXPECT_EQ(transport_.happened.get().closed, 0);
  });
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
}

TEST_F(NetTest, AfterThePeersEndItStillReads) {
  transport_.on_end = [&](auto* connection) {
    EXPECT_EQ(transport_.write(connection, "answer"), BP_FLOW_CONTINUE);
    net_.close(connection);
    EXPECT_EQ(transport_.write(connection, "more"), BP_FLOW_STOP);
  };
  auto client = connect();
  client.send("question");
  client.finish_sending();
  EXPECT_EQ(client.receive_all(), "answer");
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
  EXPECT_EQ(transport_.happened.get().received, "question");
  EXPECT_EQ(transport_.happened.get().ended, 1);
}

TEST_F(NetTest, PauseHoldsDataBackAndResumeDeliversIt) {
  transport_.on_data = [&](auto* connection, auto) { net_.pause(connection); };
  auto client = connect();
  client.send("one");
  ASSERT_TRUE(happened([](const auto& h) { return h.received == "one"; }));
  bp_connection* connection = accepted();
  client.send("two");
  world_.run([] {});
  EXPECT_EQ(transport_.happened.get().received, "one");
  world_.run([&] {
    net_.resume(connection);
    EXPECT_EQ(transport_.happened.get().received, "one");
  });
  ASSERT_TRUE(happened([](const auto& h) { return h.received == "onetwo"; }));
}

TEST_F(NetTest, APausedConnectionStillLearnsThatThePeerLeft) {
  transport_.on_data = [&](auto* connection, auto) { net_.pause(connection); };
  auto leaver = connect();
  leaver.send("x");
  ASSERT_TRUE(happened([](const auto& h) { return h.received == "x"; }));
  leaver.close();
  ASSERT_TRUE(happened([](const auto& h) { return h.ended == 1; }));
  auto hasty = connect();
  hasty.send("z");
  hasty.close();
  ASSERT_TRUE(happened([](const auto& h) { return h.ended == 2; }));
  auto cutter = connect();
  cutter.send("y");
  ASSERT_TRUE(happened([](const auto& h) { return h.received == "xzy"; }));
  cutter.reset();
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
}

TEST_F(NetTest, TimesOutOnceAndNotEarly) {
  std::chrono::steady_clock::time_point armed;
  transport_.on_accepted = [&](auto* connection) {
    net_.set_timeout(connection, 60'000);
    net_.set_timeout(connection, 30);
    armed = std::chrono::steady_clock::now();
  };
  transport_.on_timeout = [&](auto* connection) { net_.close(connection); };
  auto client = connect();
  EXPECT_TRUE(client.is_ended());
  EXPECT_GE(std::chrono::steady_clock::now() - armed, std::chrono::milliseconds(30));
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
  EXPECT_EQ(transport_.happened.get().timeouts, 1);
}

// Takes what is pending in steps, each well within the timeout, all of them far beyond it.
std::size_t read_slowly(World& world, RawSocket& client, std::size_t total) {
  constexpr int kSteps = 12;
  constexpr std::uint64_t kStepMs = 150;
  std::size_t received = 0;
  for (int step = 0; step < kSteps; ++step) {
    world.pass(kStepMs);
    received += client.receive(total / kSteps).size();
  }
  return received + client.receive_all().size();
}

TEST_F(NetTest, ASlowReaderIsNotTimedOutWhileItReads) {
  const std::string answer(24 * kMegabyte, 'x');
  for (const bool closes : {true, false}) {
    auto client = connect(4096);
    bp_connection* connection = accepted(closes ? 1 : 2);
    transport_.on_timeout = [&](auto* late) { net_.abort(late); };
    transport_.on_drained = [&](auto* done) { net_.close(done); };
    world_.run([&] {
      EXPECT_EQ(transport_.write(connection, answer), BP_FLOW_PAUSE);
      net_.set_timeout(connection, 800);
      if (closes) net_.close(connection);
    });
    EXPECT_EQ(read_slowly(world_, client, answer.size()), answer.size());
    EXPECT_FALSE(client.was_reset());
    EXPECT_EQ(transport_.happened.get().timeouts, 0);
  }
}

TEST_F(NetTest, AClosedConnectionNobodyReadsIsCutAtItsTimeout) {
  auto client = connect(4096);
  bp_connection* connection = accepted();
  world_.run([&] {
    transport_.write(connection, std::string(24 * kMegabyte, 'x'));
    net_.set_timeout(connection, 30);
    net_.close(connection);
  });
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
  EXPECT_EQ(transport_.happened.get().timeouts, 0);
}

TEST_F(NetTest, ADisarmedTimeoutDoesNotPass) {
  transport_.on_accepted = [&](auto* connection) {
    const bool first = transport_.happened.get().accepted == 0;
    net_.set_timeout(connection, 10);
    if (first) net_.set_timeout(connection, 0);
  };
  auto kept = connect();
  accepted();
  auto timed = connect();
  ASSERT_TRUE(happened([](const auto& h) { return h.timeouts == 1; }));
  EXPECT_EQ(transport_.happened.get().closed, 0);
}

TEST_F(NetTest, TheFirstWordOfATurnLeavesAtOnceTheOthersTogether) {
  RawSocket* peer = nullptr;
  transport_.on_data = [&](auto* connection, auto) {
    transport_.write(connection, "first");
    EXPECT_EQ(peer->receive(5), "first");
    transport_.write(connection, "second");
    transport_.write(connection, "third");
    net_.abort(connection);
  };
  auto client = connect();
  peer = &client;
  client.send("go");
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
  EXPECT_TRUE(client.is_ended());
  EXPECT_TRUE(client.was_reset());
}

TEST_F(NetTest, AbortResetsThePeer) {
  transport_.on_data = [&](auto* connection, auto) {
    net_.abort(connection);
    net_.abort(connection);
    net_.close(connection);
    EXPECT_EQ(transport_.write(connection, "x"), BP_FLOW_STOP);
    EXPECT_EQ(transport_.happened.get().closed, 0);
  };
  auto client = connect();
  client.send("go");
  EXPECT_TRUE(client.is_ended());
  EXPECT_TRUE(client.was_reset());
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
}

TEST_F(NetTest, TheLastWordArrivesThoughThePeerIsStillSending) {
  transport_.on_data = [&](auto* connection, auto) {
    transport_.write(connection, "413 too large");
    net_.close(connection);
  };
  auto client = connect();
  client.send("begin");
  ASSERT_TRUE(happened([](const auto& h) { return h.closed == 1; }));
  EXPECT_TRUE(client.send(std::string(kMegabyte, 'x')));
  EXPECT_EQ(client.receive_all(), "413 too large");
  EXPECT_FALSE(client.was_reset());
}

TEST_F(NetTest, AConnectionNobodyTakesIsClosed) {
  bp_listen_options options{sizeof(options), 0, {"127.0.0.1:0", 11}, {}, {}, {}, 0, 0};
  bp_listen_handler handler{sizeof(handler), 0, nullptr, [](void*, bp_connection*) {}};
  bp_listener* listener = nullptr;
  ASSERT_EQ(net_.listen(net_.context, &options, &handler, &listener, nullptr), BP_CODE_OK);
  auto client = RawSocket::connect_to(net_.port(listener));
  EXPECT_TRUE(client.is_ended());
}

TEST_F(NetTest, ConnectionsBeyondTheLimitWait) {
  max_connections_ = 2;
  transport_.on_end = [&](auto* connection) { net_.close(connection); };
  auto first = connect();
  auto second = connect();
  accepted(2);
  auto third = connect();
  world_.run([] {});
  EXPECT_EQ(transport_.happened.get().accepted, 2);
  first.close();
  accepted(3);
}

TEST_F(NetTest, AClosedListenerAcceptsNothingAndItsConnectionsLive) {
  transport_.on_data = [&](auto* connection, auto bytes) { transport_.write(connection, bytes); };
  auto client = connect();
  accepted();
  const auto port = net_.port(listener_);
  net_.close_listener(listener_);
  client.send("still here");
  EXPECT_EQ(client.receive(10), "still here");
  bp_listener* again = transport_.listen(0, {}, {}, "127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(net_.port(again), port);
}

TEST_F(NetTest, AbortAllEndsEveryConnection) {
  std::vector<RawSocket> clients;
  for (int count = 1; count <= 8; ++count) {
    clients.push_back(connect());
    accepted(count);
  }
  EXPECT_EQ(world_.net->connection_count(), 8u);
  world_.net->abort_all();
  EXPECT_EQ(transport_.happened.get().closed, 8);
  EXPECT_EQ(world_.net->connection_count(), 0u);
  for (auto& client : clients) EXPECT_TRUE(client.is_ended());
}

TEST_F(NetTest, LoopsMayStopBeforeTheService) {
  auto client = connect();
  accepted();
  world_.loops->stop();
  world_.net.reset();
  EXPECT_EQ(transport_.happened.get().closed, 1);
  EXPECT_TRUE(client.is_ended());
}

}  // namespace
}  // namespace backplane
