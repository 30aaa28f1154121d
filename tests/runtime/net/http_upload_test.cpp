// SPDX-License-Identifier: Apache-2.0
// Requests whose body is still on its way.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/runtime/net/body_source.hpp"
#include "tests/runtime/net/scripted_server.hpp"

namespace backplane {
namespace {

using testing::always;
using testing::BodySource;
using testing::Fetch;
using testing::HttpWorld;
using testing::Outcome;
using testing::RawSocket;
using testing::response_with;
using testing::ScriptedServer;
using testing::Watched;

// The body of a chunked request; `whole` tells whether its last chunk came.
std::string read_chunks(RawSocket& peer, bool& whole) {
  std::string body;
  for (;;) {
    const std::string line = peer.receive_through("\r\n");
    const std::size_t size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
    body += peer.receive(size);
    const bool closed = peer.receive(2) == "\r\n";
    whole = closed && size == 0;
    if (!closed || size == 0) return body;
  }
}

struct Seen {
  std::string head, body;
  bool whole = false;
  int count = 0;
};

// Answers each request, chunked or not, and tells what it was.
ScriptedServer::Script recording(Watched<Seen>& seen) {
  return [&](RawSocket& peer, int) {
    for (;;) {
      Seen now;
      now.head = peer.receive_through("\r\n\r\n");
      if (now.head.empty()) return;
      const std::string name = "Content-Length: ";
      const std::size_t at = now.head.find(name);
      if (at == std::string::npos) {
        now.body = read_chunks(peer, now.whole);
      } else {
        const std::size_t size = std::stoul(now.head.substr(at + name.size()));
        now.body = peer.receive(size);
        now.whole = now.body.size() == size;
      }
      seen.update([&](Seen& all) {
        now.count = all.count + 1;
        all = now;
      });
      if (!now.whole || !peer.send(response_with("thanks"))) return;
    }
  };
}

class HttpUpload : public ::testing::Test {
 protected:
  std::unique_ptr<Fetch> make(const BodySource& source) {
    auto fetch = std::make_unique<Fetch>(world_, server_.url());
    fetch->method = "POST";
    fetch->request.body_stream = source.stream();
    return fetch;
  }

  Watched<Seen> seen_;
  ScriptedServer server_{recording(seen_)};
  HttpWorld world_;
};

std::string numbers(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += std::to_string(text.size()) + ",";
  text.resize(bytes);
  return text;
}

TEST_F(HttpUpload, ArrivesWholeHoweverItIsSplit) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 40; ++round) {
    const std::size_t most = round % 4 == 0 ? 300'000 : 200;
    const std::string text = numbers(random() % most);
    const bool known = round % 2 == 0;
    const std::size_t before = random() % (text.size() + 1);  // in `body`
    BodySource source(world_, known ? text.size() - before : BP_SIZE_UNKNOWN);
    auto fetch = make(source);
    if (before != 0)
      fetch->body = {text.substr(0, before / 2), text.substr(before / 2, before - before / 2)};
    // Some of it is there before it is asked for.
    const auto feed = [&](std::size_t& at) {
      const std::size_t size = 1 + random() % (most / 8);
      source.feed(text.substr(at, size));
      at += size;
    };
    std::size_t at = before;
    while (at < text.size() && random() % 2 == 0) feed(at);
    if (at >= text.size()) source.finish();
    ASSERT_EQ(fetch->start(), BP_CODE_OK);
    while (at < text.size()) feed(at);
    source.finish();
    EXPECT_EQ(fetch->wait().body, "thanks");
    const Seen seen = seen_.get();
    EXPECT_TRUE(seen.whole);
    EXPECT_TRUE(seen.body == text) << seen.body.size() << " of " << text.size();
    EXPECT_EQ(seen.head.find("Transfer-Encoding: chunked") == std::string::npos, known);
    EXPECT_EQ(source.forgotten(), 1);
  }
}

TEST_F(HttpUpload, LeavesTogetherWithTheHead) {
  const ScriptedServer one([](RawSocket& peer, int) {
    // What one read finds is one packet.
    const std::string all = peer.receive_some();
    peer.send(response_with(all.substr(all.find("\r\n\r\n") + 4)));
  });
  BodySource source(world_);
  source.feed("stream");
  source.finish();
  Fetch fetch(world_, one.url());
  fetch.method = "POST";
  fetch.body = {"body "};
  fetch.request.body_stream = source.stream();
  EXPECT_EQ(fetch.get().body.substr(0, 21), "5\r\nbody \r\n6\r\nstream\r\n");
}

TEST_F(HttpUpload, ReadsNoMoreThanTheUpstreamTakes) {
  Watched<bool> go;
  Watched<std::size_t> received;
  const ScriptedServer slow([&](RawSocket& peer, int) {
    go.wait([](bool now) { return now; });
    for (std::string part; !(part = peer.receive_some()).empty();) {
      received.update([&](auto& all) { all += part.size(); });
    }
  });
  BodySource source(world_);
  source.feed_endlessly(std::string(100'000, 'x'));
  Fetch fetch(world_, slow.url());
  fetch.method = "POST";
  fetch.request.body_stream = source.stream();
  ASSERT_EQ(fetch.start(), BP_CODE_OK);
  std::size_t stuck_at = 0;
  for (std::size_t now = 1; now != stuck_at || now == 0;) {
    stuck_at = now;
    for (int turn = 0; turn < 50; ++turn) world_.run([] {});
    now = source.bytes_read();
  }
  EXPECT_LT(stuck_at, 64u * 1024 * 1024);
  go.update([](bool& now) { now = true; });
  EXPECT_TRUE(received.wait([&](std::size_t all) { return all > 2 * stuck_at; }));
  fetch.cancel();
  EXPECT_EQ(source.forgotten(), 1);
}

TEST_F(HttpUpload, ASenderThatFailsIsNoEndOfTheBody) {
  const struct {
    const char* name;
    std::uint64_t size;
    std::uint32_t end;
    const char* says;
  } cases[] = {{"chunked", BP_SIZE_UNKNOWN, BP_READ_FAILED, "broken off by its sender"},
               {"of known size", 100, BP_READ_FAILED, "broken off by its sender"},
               {"too short", 100, BP_READ_END, "shorter than announced"},
               {"too long", 4, BP_READ_END, "longer than announced"}};
  int count = 0;
  for (const auto& each : cases) {
    BodySource source(world_, each.size);
    auto fetch = make(source);
    ASSERT_EQ(fetch->start(), BP_CODE_OK);
    source.feed("hello");
    source.finish(each.end);
    const Outcome outcome = fetch->wait();
    EXPECT_EQ(outcome.code, BP_CODE_ABORTED) << each.name;
    EXPECT_NE(outcome.message.find(each.says), std::string::npos) << outcome.message;
    EXPECT_EQ(source.forgotten(), 1);
    ++count;
    ASSERT_TRUE(seen_.wait([&](const Seen& seen) { return seen.count == count; })) << each.name;
    EXPECT_FALSE(seen_.get().whole) << each.name;
  }
}

TEST_F(HttpUpload, CancelForgetsTheSenderAndCutsTheUpstream) {
  BodySource source(world_);
  auto fetch = make(source);
  ASSERT_EQ(fetch->start(), BP_CODE_OK);
  source.feed("hello");
  while (!source.is_waited_for()) std::this_thread::yield();
  fetch->cancel();
  EXPECT_EQ(source.forgotten(), 1);
  ASSERT_TRUE(seen_.wait([](const Seen& seen) { return seen.count == 1; }));
  EXPECT_FALSE(seen_.get().whole);
  EXPECT_FALSE(fetch->outcome.get().ended());
}

TEST_F(HttpUpload, AnEarlyResponseIsDeliveredAndTheRestNotSent) {
  for (const bool closes : {false, true}) {
    Watched<std::string> more;
    const ScriptedServer early([&](RawSocket& peer, int number) {
      peer.receive_through(number == 0 ? "5\r\nhello\r\n" : "\r\n\r\n");
      peer.send(response_with("no, thanks"));
      if (closes || number != 0) return;
      const std::string rest = peer.receive_all();
      more.update([&](auto& all) { all = "rest: " + rest; });
    });
    BodySource source(world_);
    Fetch fetch(world_, early.url());
    fetch.method = "POST";
    fetch.request.body_stream = source.stream();
    ASSERT_EQ(fetch.start(), BP_CODE_OK);
    source.feed("hello");
    const Outcome outcome = fetch.wait();
    EXPECT_EQ(outcome.done, 1);
    EXPECT_EQ(outcome.body, "no, thanks");
    EXPECT_EQ(source.forgotten(), 1);
    source.feed("never sent");
    if (!closes) {
      ASSERT_TRUE(more.wait([](const auto& all) { return !all.empty(); }));
      EXPECT_EQ(more.get(), "rest: ");
    }
    Fetch(world_, early.url()).get();
    EXPECT_EQ(early.connections(), 2);
  }
}

TEST_F(HttpUpload, GoesOnWhileTheResponseHasBegun) {
  const ScriptedServer echo([](RawSocket& peer, int number) {
    peer.receive_through("\r\n\r\n");
    if (number != 0) return;
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    bool whole = false;
    const std::string body = read_chunks(peer, whole);
    if (whole) peer.send(body);
    peer.is_ended();
  });
  BodySource source(world_);
  Fetch fetch(world_, echo.url());
  fetch.method = "POST";
  fetch.request.body_stream = source.stream();
  ASSERT_EQ(fetch.start(), BP_CODE_OK);
  ASSERT_TRUE(fetch.outcome.wait([](const Outcome& seen) { return seen.heads == 1; }));
  source.feed("01234");
  source.feed("56789");
  source.finish();
  EXPECT_EQ(fetch.wait().body, "0123456789");
  // It was answered before it was whole: that connection is not trusted again.
  Fetch(world_, echo.url()).get();
  EXPECT_EQ(echo.connections(), 2);
}

TEST_F(HttpUpload, AFailureAfterTheHeadFailsTheExchange) {
  const ScriptedServer early([](RawSocket& peer, int) {
    peer.receive_through("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    peer.is_ended();
  });
  BodySource source(world_);
  Fetch fetch(world_, early.url());
  fetch.method = "POST";
  fetch.request.body_stream = source.stream();
  ASSERT_EQ(fetch.start(), BP_CODE_OK);
  ASSERT_TRUE(fetch.outcome.wait([](const Outcome& seen) { return seen.body == "hello"; }));
  source.finish(BP_READ_FAILED);
  EXPECT_EQ(fetch.wait().code, BP_CODE_ABORTED);
}

TEST_F(HttpUpload, TakesAFreshConnectionEvenAtTheLimit) {
  HttpClientOptions options;
  options.connections_per_host_max = 1;
  HttpWorld narrow(options);
  const auto post = [&] {
    auto fetch = std::make_unique<Fetch>(narrow, server_.url());
    fetch->method = "POST";
    return fetch;
  };
  EXPECT_EQ(post()->get().body, "thanks");
  EXPECT_EQ(post()->get().body, "thanks");
  EXPECT_EQ(server_.connections(), 1);
  // An idle one makes room; then it waits behind one that is busy.
  BodySource first(narrow), second(narrow);
  auto busy = post(), waiting = post(), plain = post();
  busy->request.body_stream = first.stream();
  waiting->request.body_stream = second.stream();
  ASSERT_EQ(busy->start(), BP_CODE_OK);
  ASSERT_EQ(waiting->start(), BP_CODE_OK);
  ASSERT_EQ(plain->start(), BP_CODE_OK);
  for (BodySource* source : {&first, &second}) {
    source->feed("x");
    source->finish();
  }
  EXPECT_EQ(busy->wait().body, "thanks");
  EXPECT_EQ(waiting->wait().body, "thanks");
  EXPECT_EQ(plain->wait().body, "thanks");
  EXPECT_EQ(server_.connections(), 3);
}

TEST_F(HttpUpload, IsSentOnce) {
  const ScriptedServer cutting([](RawSocket& peer, int) {
    peer.receive_through("hello");
    peer.reset();
  });
  BodySource source(world_);
  Fetch fetch(world_, cutting.url());
  fetch.method = "POST";
  fetch.request.body_stream = source.stream();
  ASSERT_EQ(fetch.start(), BP_CODE_OK);
  source.feed("hello");
  EXPECT_EQ(fetch.wait().code, BP_CODE_UNAVAILABLE);
  EXPECT_EQ(cutting.connections(), 1);
  EXPECT_EQ(source.forgotten(), 1);
}

TEST_F(HttpUpload, ASilentSenderIsTimedOut) {
  BodySource source(world_);
  auto fetch = make(source);
  fetch->request.idle_timeout_ms = 30;
  ASSERT_EQ(fetch->start(), BP_CODE_OK);
  const Outcome outcome = fetch->wait();
  EXPECT_EQ(outcome.code, BP_CODE_DEADLINE_EXCEEDED);
  EXPECT_EQ(outcome.message, "the request's sender sent no more of it within 30 ms");
  EXPECT_EQ(source.forgotten(), 1);
}

TEST_F(HttpUpload, AnUpstreamThatTakesNothingIsTimedOut) {
  const ScriptedServer deaf([](RawSocket& peer, int) { peer.wait_for_hangup(); });
  BodySource source(world_);
  source.feed_endlessly(std::string(100'000, 'x'));
  Fetch fetch(world_, deaf.url());
  fetch.method = "POST";
  fetch.request.body_stream = source.stream();
  fetch.request.idle_timeout_ms = 30;
  ASSERT_EQ(fetch.start(), BP_CODE_OK);
  EXPECT_EQ(fetch.wait().message, "the upstream took no more of the request within 30 ms");
}

// Each part comes well within the time; all together they take longer than any timeout.
TEST_F(HttpUpload, ASlowSenderKeepsItAliveAndTheFirstByteCountsFromItsEnd) {
  struct Feeding {
    BodySource source;
    HttpWorld& world;
    int left = 8;
    static void run(void* argument) {
      auto& self = *static_cast<Feeding*>(argument);
      if (self.left-- == 0) return self.source.finish_here();
      self.source.feed_here("part,");
      const bp_loop_service& loops = *self.world.loops->table();
      loops.post_after(self.world.loop(), 150, run, argument);
    }
  } feeding{BodySource(world_), world_};
  auto fetch = make(feeding.source);
  fetch->request.idle_timeout_ms = 700;
  fetch->request.first_byte_timeout_ms = 700;
  ASSERT_EQ(fetch->start(), BP_CODE_OK);
  world_.run([&] { Feeding::run(&feeding); });
  EXPECT_EQ(fetch->wait().body, "thanks");
  EXPECT_EQ(seen_.get().body.size(), 40u);
}

TEST_F(HttpUpload, TheClientGoesWhileOneIsUnderWay) {
  BodySource source(world_);
  auto fetch = make(source);
  ASSERT_EQ(fetch->start(), BP_CODE_OK);
  source.feed("hello");
  world_.client.reset();
  EXPECT_FALSE(fetch->outcome.get().ended());
}

}  // namespace
}  // namespace backplane
