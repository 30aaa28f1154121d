// SPDX-License-Identifier: Apache-2.0
// Connections kept, retried, limited, held back and cut.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>

#include "tests/runtime/net/fetch.hpp"
#include "tests/runtime/net/scripted_server.hpp"

namespace backplane {
namespace {

using testing::always;
using testing::Fetch;
using testing::HttpWorld;
using testing::Outcome;
using testing::RawSocket;
using testing::response_with;
using testing::ScriptedServer;
using testing::Watched;

constexpr char kChunkedHead[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(HttpConnection, ServesManyRequests) {
  const ScriptedServer server(always(response_with("x")));
  HttpWorld world;
  for (int count = 0; count < 20; ++count) EXPECT_EQ(Fetch(world, server.url()).get().body, "x");
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpConnection, IsNotKeptWhenTheResponseSaysSoOrSaysTooMuch) {
  for (const char* response : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
                               "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
                               "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy"}) {
    const ScriptedServer server(always(response));
    HttpWorld world;
    for (int count = 0; count < 3; ++count) EXPECT_EQ(Fetch(world, server.url()).get().body, "x");
    EXPECT_EQ(server.connections(), 3) << response;
  }
}

TEST(HttpConnection, IsUsedAgainFromInsideDone) {
  const ScriptedServer server(always(response_with("x")));
  HttpWorld world;
  Fetch first(world, server.url()), second(world, server.url());
  first.on_end = [&] { EXPECT_EQ(second.start_here(), BP_CODE_OK); };
  EXPECT_EQ(first.get().body, "x");
  EXPECT_EQ(second.wait().body, "x");
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpConnection, AStaleOneIsReplacedOnce) {
  const ScriptedServer server([](RawSocket& peer, int number) {
    read_request(peer);
    peer.send(response_with("first of " + std::to_string(number)));
    // The second request is read, and the connection cut without a word.
    if (!read_request(peer).empty() && number == 0) peer.reset();
  });
  HttpWorld world;
  Fetch first(world, server.url()), second(world, server.url());
  EXPECT_EQ(first.get().body, "first of 0");
  second.method = "POST";
  second.body = {"a body"};
  EXPECT_EQ(second.get().body, "first of 1");
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpConnection, AFreshOneIsNotRetried) {
  const ScriptedServer server([](RawSocket& peer, int) { read_request(peer); });
  HttpWorld world;
  EXPECT_EQ(Fetch(world, server.url()).get().code, BP_CODE_UNAVAILABLE);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpConnection, AnAnswerBegunIsNotRetried) {
  const ScriptedServer server([](RawSocket& peer, int) {
    read_request(peer);
    peer.send(response_with("x"));
    read_request(peer);
    peer.send("H");
  });
  HttpWorld world;
  EXPECT_EQ(Fetch(world, server.url()).get().body, "x");
  EXPECT_EQ(Fetch(world, server.url()).get().code, BP_CODE_DATA_LOSS);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpConnection, AnIdleOneThePeerClosedIsForgotten) {
  Watched<int> closed;
  const ScriptedServer server([&](RawSocket& peer, int) {
    read_request(peer);
    peer.send(response_with("x"));
    peer.finish_sending();
    peer.is_ended();
    closed.update([](int& count) { ++count; });
  });
  HttpWorld world;
  EXPECT_EQ(Fetch(world, server.url()).get().body, "x");
  EXPECT_TRUE(closed.wait([](int count) { return count == 1; }));
  EXPECT_EQ(Fetch(world, server.url()).get().body, "x");
}

TEST(HttpConnection, RequestsBeyondTheLimitWaitTheirTurn) {
  std::atomic<int> open{0}, most{0};
  const ScriptedServer server([&](RawSocket& peer, int) {
    const int now = ++open;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    always(response_with("x"))(peer, 0);
    --open;
  });
  HttpClientOptions options;
  options.connections_per_host_max = 2;
  HttpWorld world(options);
  std::vector<std::unique_ptr<Fetch>> fetches;
  for (int count = 0; count < 50; ++count) {
    fetches.push_back(std::make_unique<Fetch>(world, server.url()));
  }
  world.run([&] {
    for (auto& fetch : fetches) EXPECT_EQ(fetch->start_here(), BP_CODE_OK);
  });
  for (auto& fetch : fetches) EXPECT_EQ(fetch->wait().body, "x");
  EXPECT_LE(most, 2);
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpConnection, ManyThatFailAtOnceDoSoOneByOne) {
  std::uint16_t free_port = 0;
  {
    const testing::RawListener listener;
    free_port = listener.port();
  }
  HttpClientOptions options;
  options.connections_per_host_max = 1;
  HttpWorld world(options);
  std::vector<std::unique_ptr<Fetch>> fetches;
  const std::string url = "http://127.0.0.1:" + std::to_string(free_port);
  for (int count = 0; count < 2'000; ++count)
    fetches.push_back(std::make_unique<Fetch>(world, url));
  world.run([&] {
    for (auto& fetch : fetches) EXPECT_EQ(fetch->start_here(), BP_CODE_OK);
    fetches[1'000]->cancel_here();
  });
  for (std::size_t index = 0; index < fetches.size(); ++index) {
    if (index == 1'000) continue;
    EXPECT_EQ(fetches[index]->wait().code, BP_CODE_UNAVAILABLE);
  }
  EXPECT_FALSE(fetches[1'000]->outcome.get().ended());
}

TEST(HttpFlow, APausedReceiverStopsTheUpstream) {
  constexpr std::size_t kTotal = 64 * 1024 * 1024;
  Watched<std::size_t> stuck_at;
  const ScriptedServer server([&](RawSocket& peer, int) {
    read_request(peer);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kTotal) + "\r\n\r\n");
    const timeval brief{0, 300'000};
    setsockopt(peer.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof(brief));
    const std::string part(64 * 1024, 'x');
    std::size_t sent = 0;
    bool reported = false;
    while (sent < kTotal) {
      const ssize_t count = ::send(peer.descriptor(), part.data(),
                                   std::min(part.size(), kTotal - sent), MSG_NOSIGNAL);
      if (count > 0) sent += static_cast<std::size_t>(count);
      if (count < 0 && errno != EAGAIN) return;
      if (count < 0 && !std::exchange(reported, true)) {
        stuck_at.update([&](auto& at) { at = sent; });
      }
    }
    peer.is_ended();
  });
  HttpWorld world;
  Fetch fetch(world, server.url());
  std::size_t received = 0;
  bool paused_once = false;
  fetch.on_data = [&](std::string_view bytes) {
    received += bytes.size();
    return std::exchange(paused_once, true) ? BP_FLOW_CONTINUE : BP_FLOW_PAUSE;
  };
  EXPECT_EQ(fetch.start(), BP_CODE_OK);
  ASSERT_TRUE(stuck_at.wait([](std::size_t at) { return at != 0; }));
  EXPECT_LT(stuck_at.get(), kTotal / 2);
  world.run([&] { EXPECT_LE(received, 64u * 1024); });
  fetch.resume();
  EXPECT_EQ(fetch.wait().done, 1);
  EXPECT_EQ(received, kTotal);
}

TEST(HttpFlow, PausesBetweenChunksAndBeforeTheEnd) {
  const ScriptedServer server([](RawSocket& peer, int) {
    read_request(peer);
    peer.send(std::string(kChunkedHead) + "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n");
    peer.is_ended();
  });
  HttpWorld world;
  Fetch fetch(world, server.url());
  fetch.on_data = [](std::string_view) { return BP_FLOW_PAUSE; };
  EXPECT_EQ(fetch.start(), BP_CODE_OK);
  for (const std::string expected : {"a", "ab", "abc"}) {
    ASSERT_TRUE(
        fetch.outcome.wait([&](const Outcome& o) { return o.body.size() == expected.size(); }));
    world.run([] {});
    EXPECT_EQ(fetch.outcome.get().body, expected);
    EXPECT_FALSE(fetch.outcome.get().ended());
    fetch.resume();
  }
  EXPECT_EQ(fetch.wait().done, 1);
}

TEST(HttpCancel, MidBodyClosesTheUpstreamWithin100Ms) {
  using Clock = std::chrono::steady_clock;
  Watched<Clock::time_point> noticed;
  const ScriptedServer server([&](RawSocket& peer, int) {
    read_request(peer);
    peer.send(std::string(kChunkedHead) + "1\r\na\r\n");
    peer.is_ended();
    noticed.update([](auto& time) { time = Clock::now(); });
  });
  HttpWorld world;
  Clock::duration least = Clock::duration::max();
  // The bound is the client's, not this machine's: one undisturbed run out of some is enough.
  for (int run = 0; run < 5 && least >= std::chrono::milliseconds(100); ++run) {
    Fetch fetch(world, server.url());
    EXPECT_EQ(fetch.start(), BP_CODE_OK);
    ASSERT_TRUE(fetch.outcome.wait([](const Outcome& o) { return o.body == "a"; }));
    const auto cancelled = Clock::now();
    fetch.cancel();
    ASSERT_TRUE(noticed.wait([&](auto time) { return time >= cancelled; }));
    least = std::min(least, noticed.get() - cancelled);
    EXPECT_FALSE(fetch.outcome.get().ended());
  }
  EXPECT_LT(least, std::chrono::milliseconds(100));
}

TEST(HttpCancel, NothingFollowsWhereverItHappens) {
  const ScriptedServer server(always(std::string(kChunkedHead) + "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"));
  HttpWorld world;
  Fetch in_head(world, server.url()), in_data(world, server.url()), by_stop(world, server.url());
  in_head.on_head = [&] { in_head.cancel_here(); };
  in_data.on_data = [&](std::string_view) {
    in_data.cancel_here();
    return BP_FLOW_CONTINUE;
  };
  by_stop.on_data = [](std::string_view) { return BP_FLOW_STOP; };
  for (Fetch* fetch : {&in_head, &in_data, &by_stop}) {
    EXPECT_EQ(fetch->start(), BP_CODE_OK);
    ASSERT_TRUE(fetch->outcome.wait([](const Outcome& o) { return o.heads == 1; }));
  }
  ASSERT_TRUE(by_stop.outcome.wait([](const Outcome& o) { return !o.body.empty(); }));
  ASSERT_TRUE(in_data.outcome.wait([](const Outcome& o) { return !o.body.empty(); }));
  EXPECT_EQ(Fetch(world, server.url()).get().body, "ab");
  EXPECT_EQ(in_head.outcome.get().body, "");
  EXPECT_EQ(in_data.outcome.get().body, "a");
  EXPECT_EQ(by_stop.outcome.get().body, "a");
  for (Fetch* fetch : {&in_head, &in_data, &by_stop}) EXPECT_FALSE(fetch->outcome.get().ended());
}

TEST(HttpCancel, BeforeItBegan) {
  HttpWorld world;
  Fetch resolving(world, "http://localhost:1/"), failing(world, "http://127.0.0.1:1/");
  world.run([&] {
    for (Fetch* fetch : {&resolving, &failing}) {
      EXPECT_EQ(fetch->start_here(), BP_CODE_OK);
      fetch->cancel_here();
    }
  });
  world.run([] {});
  EXPECT_FALSE(resolving.outcome.get().ended());
  EXPECT_FALSE(failing.outcome.get().ended());
}

TEST(HttpCancel, WithARequestOfTheSameTurnInItsPlace) {
  const ScriptedServer server(always(std::string(kChunkedHead) + "1\r\na\r\n0\r\n\r\n"));
  HttpWorld world;
  Fetch first(world, server.url()), second(world, server.url());
  first.on_data = [&](std::string_view) {
    first.cancel_here();
    EXPECT_EQ(second.start_here(), BP_CODE_OK);
    return BP_FLOW_PAUSE;
  };
  EXPECT_EQ(first.start(), BP_CODE_OK);
  ASSERT_TRUE(first.outcome.wait([](const Outcome& o) { return o.body == "a"; }));
  EXPECT_EQ(second.wait().body, "a");
  EXPECT_FALSE(first.outcome.get().ended());
}

TEST(HttpClient, GoesWithExchangesStillRunning) {
  const ScriptedServer server([](RawSocket& peer, int) { peer.wait_for_hangup(); });
  HttpWorld world;
  Fetch waiting(world, server.url()), resolving(world, "http://localhost:1/");
  EXPECT_EQ(waiting.start(), BP_CODE_OK);
  EXPECT_EQ(resolving.start(), BP_CODE_OK);
  world.client.reset();
  EXPECT_FALSE(waiting.outcome.get().ended());
}

}  // namespace
}  // namespace backplane
