// SPDX-License-Identifier: Apache-2.0
// Every timeout names itself.
#include <gtest/gtest.h>

#include "tests/runtime/net/fetch.hpp"
#include "tests/runtime/net/scripted_server.hpp"

namespace backplane {
namespace {

using testing::Fetch;
using testing::HttpWorld;
using testing::Outcome;
using testing::RawSocket;
using testing::ScriptedServer;

// Says `begin` after it has read a request, and then nothing.
ScriptedServer::Script silent_after(std::string begin) {
  return [begin = std::move(begin)](RawSocket& peer, int) {
    read_request(peer);
    peer.send(begin);
    peer.is_ended();
  };
}

void expect_timeout(const Outcome& outcome, const std::string& message) {
  EXPECT_EQ(outcome.code, BP_CODE_DEADLINE_EXCEEDED);
  EXPECT_EQ(outcome.message, message);
}

TEST(HttpTimeout, OfTheConnection) {
  // A peer that accepts and never shakes hands.
  const ScriptedServer server([](RawSocket& peer, int) {
    while (!peer.receive(1).empty()) {
    }
  });
  HttpWorld world;
  Fetch fetch(world, "https://127.0.0.1:" + std::to_string(server.port()));
  fetch.request.connect_timeout_ms = 30;
  expect_timeout(fetch.get(), "no connection to the upstream within 30 ms");
}

TEST(HttpTimeout, OfAConnectionThatOthersHold) {
  const ScriptedServer server(silent_after(""));
  HttpClientOptions options;
  options.connections_per_host_max = 1;
  HttpWorld world(options);
  Fetch holder(world, server.url()), waiter(world, server.url());
  EXPECT_EQ(holder.start(), BP_CODE_OK);
  waiter.request.connect_timeout_ms = 30;
  expect_timeout(waiter.get(), "no connection to the upstream within 30 ms");
  holder.cancel();
}

TEST(HttpTimeout, OfTheFirstByte) {
  const ScriptedServer server(silent_after("HTTP/1.1 200 OK\r\nX-Part-Of-The-Head: "));
  HttpWorld world;
  Fetch fetch(world, server.url());
  fetch.request.first_byte_timeout_ms = 30;
  expect_timeout(fetch.get(), "the upstream sent no response head within 30 ms");
}

TEST(HttpTimeout, OfAnIdleBody) {
  const ScriptedServer server(silent_after("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"));
  HttpWorld world;
  Fetch fetch(world, server.url());
  fetch.request.idle_timeout_ms = 30;
  const Outcome outcome = fetch.get();
  expect_timeout(outcome, "the upstream sent no more of its response within 30 ms");
  EXPECT_EQ(outcome.body, "hello");
}

TEST(HttpTimeout, OfARequestNobodyTakes) {
  const ScriptedServer server([](RawSocket& peer, int) {
    peer.receive(1);
    peer.wait_for_hangup();
  });
  HttpWorld world;
  Fetch fetch(world, server.url());
  fetch.method = "POST";
  fetch.body = {std::string(32'000'000, 'x')};
  fetch.request.idle_timeout_ms = 30;
  expect_timeout(fetch.get(), "the upstream took no more of the request within 30 ms");
}

TEST(HttpTimeout, OfTheWhole) {
  const ScriptedServer server(silent_after("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"));
  HttpWorld world;
  Fetch fetch(world, server.url());
  fetch.request.total_timeout_ms = 1000;
  expect_timeout(fetch.get(), "the upstream did not complete its response within 1 s");
}

TEST(HttpTimeout, DoesNotRunWhileTheReceiverPauses) {
  const ScriptedServer server([](RawSocket& peer, int) {
    read_request(peer);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
    peer.is_ended();
  });
  HttpWorld world;
  Fetch paused(world, server.url()), timed(world, server.url());
  paused.on_data = [](std::string_view) { return BP_FLOW_PAUSE; };
  paused.request.idle_timeout_ms = 1;
  EXPECT_EQ(paused.start(), BP_CODE_OK);
  ASSERT_TRUE(paused.outcome.wait([](const Outcome& o) { return !o.body.empty(); }));
  timed.request.idle_timeout_ms = 300;
  EXPECT_EQ(timed.get().code, BP_CODE_DEADLINE_EXCEEDED);
  EXPECT_FALSE(paused.outcome.get().ended());
  paused.resume();
  expect_timeout(paused.wait(), "the upstream sent no more of its response within 1 ms");
}

}  // namespace
}  // namespace backplane
