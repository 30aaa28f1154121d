// SPDX-License-Identifier: Apache-2.0
// Calls that ask the same at the same time: one asks the backend, the others get what it gets, and
// nobody pays for what another one does.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

constexpr const char* kBody = R"({"model":"m","temperature":0})";

class SingleFlightTest : public testing::Test {
 protected:
  SingleFlightTest() { world.add_model("m", {"a"}).cache.ttl_s = 60; }
  Client& begin(std::uint32_t loop = 0, const std::string& body = kBody) {
    clients.push_back(std::make_unique<Client>(world, loop));
    EXPECT_EQ(clients.back()->begin(body), BP_CODE_OK);
    world.run();
    return *clients.back();
  }
  void begin_many(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) begin(static_cast<std::uint32_t>(i % 2));
  }
  int count(const std::string& log) const {
    int found = 0;
    for (const auto& client : clients) found += client->log() == log ? 1 : 0;
    return found;
  }
  double counted(const std::string& what) const {
    return world.metric("backplane_cache_requests_total{model=\"m\",result=\"" + what + "\"}");
  }
  World world{2};
  ScriptedBackend& a = world.add_backend("a");
  std::vector<std::unique_ptr<Client>> clients;
  const Script later{{text("hi").after(100), end().turn()}};
  const Script failing{{error(Code::kInvalidArgument, 400).after(100)}};
};

TEST_F(SingleFlightTest, OneAsksForAllOnEveryLoop) {
  a.scripts = {later};
  world.open();
  begin_many(20);
  EXPECT_EQ(a.submitted, 1);
  EXPECT_EQ(count(""), 20);
  world.loops.advance(100);
  EXPECT_EQ(count("head text:hi end"), 20);
  EXPECT_EQ(a.submitted, 1);
  EXPECT_EQ(counted("shared"), 19.0);
  EXPECT_EQ(counted("miss"), 1.0);
  const auto& headers = clients[7]->events().front().headers;
  EXPECT_EQ(headers.at("x-backplane-cache"), "shared");
  EXPECT_EQ(headers.at("age"), "0");
}

TEST_F(SingleFlightTest, StreamsAreSharedWhenTheyAreWhole) {
  a.scripts = {{{text("1"), text("2").after(50), end().after(50)}}};
  world.open();
  const std::string body = R"({"model":"m","seed":1,"stream":true})";
  Client& leader = begin(0, body);
  Client& follower = begin(1, body);
  world.loops.advance(50);
  EXPECT_EQ(leader.log(), "head text:1 text:2");
  EXPECT_EQ(follower.log(), "");
  world.loops.advance(50);
  EXPECT_EQ(follower.log(), leader.log());
}

TEST_F(SingleFlightTest, OnlyWhatIsDeterministicAndAskedForIsShared) {
  a.scripts = {later};
  world.open();
  begin(0, R"({"model":"m"})");
  begin(0, R"({"model":"m"})");
  EXPECT_EQ(a.submitted, 2) << "each may say something else";
  begin(0, R"({"model":"m","temperature":0})");
  begin(0, R"({"model":"m","temperature":0.0})");
  EXPECT_EQ(a.submitted, 4) << "other bytes";
  clients.push_back(std::make_unique<Client>(world));
  clients.back()->metadata = {{"authorization", "Bearer other"}};
  clients.back()->begin(kBody);
  clients.push_back(std::make_unique<Client>(world));
  clients.back()->metadata = {{"cache-control", "no-cache"}};
  clients.back()->begin(kBody);
  world.run();
  EXPECT_EQ(a.submitted, 6);
  world.loops.advance(100);
}

TEST_F(SingleFlightTest, WhereTheLeaderFailsTheNextOneTries) {
  a.scripts = {failing, later};
  world.open();
  begin_many(6);
  world.loops.advance(100);
  EXPECT_EQ(a.submitted, 2) << "one, not all";
  EXPECT_EQ(count(""), 5);
  world.loops.advance(100);
  EXPECT_EQ(a.submitted, 2);
  EXPECT_EQ(count("error:SCRIPTED/400"), 1);
  EXPECT_EQ(count("head text:hi end"), 5);
}

// Else the last one would wait as long as all before it together.
TEST_F(SingleFlightTest, AfterTheSecondFailureAllTryForThemselves) {
  a.scripts = {failing, failing, later};
  world.open();
  begin_many(6);
  world.loops.advance(200);
  EXPECT_EQ(a.submitted, 6);
  world.loops.advance(100);
  EXPECT_EQ(count("error:SCRIPTED/400"), 2);
  EXPECT_EQ(count("head text:hi end"), 4);
}

TEST_F(SingleFlightTest, ALeaderThatLeavesFailsNobody) {
  a.scripts = {later};
  world.open();
  begin_many(10);
  for (std::size_t i = 0; i < 8; ++i) {
    world.loops.advance(60);
    if (i % 2 == 0) clients[i]->leave();
    if (i % 2 == 1) clients[i]->cancel();
    world.run();
  }
  world.loops.advance(100);
  EXPECT_EQ(a.submitted, 9) << "one after the other";
  EXPECT_EQ(count("head text:hi end"), 2);
  EXPECT_EQ(count("error:CANCELLED/499"), 4);
}

TEST_F(SingleFlightTest, AFollowerThatLeavesHarmsNobody) {
  a.scripts = {later};
  world.open();
  begin_many(8);
  for (std::size_t i = 1; i < 7; ++i) i % 2 == 0 ? clients[i]->leave() : clients[i]->cancel();
  world.loops.advance(100);
  EXPECT_EQ(a.submitted, 1);
  EXPECT_EQ(clients.front()->log(), "head text:hi end");
  EXPECT_EQ(clients.back()->log(), "head text:hi end");
  EXPECT_EQ(counted("shared"), 1.0);
}

// The turn in which it is to lead finds it gone.
TEST_F(SingleFlightTest, WhoIsToLeadMayHaveLeft) {
  a.scripts = {later};
  world.open();
  begin_many(4);
  clients[0]->cancel();
  clients[0]->leave();
  clients[1]->leave();
  world.run();
  EXPECT_EQ(a.submitted, 2);
  world.loops.advance(100);
  EXPECT_EQ(count("head text:hi end"), 2);
}

TEST_F(SingleFlightTest, AFollowerKeepsToItsOwnDeadline) {
  a.scripts = {later};
  world.open();
  begin(0);
  clients.push_back(std::make_unique<Client>(world, 1));
  clients.back()->deadline_ns = world.loops.now_ns() + 50'000'000;
  clients.back()->begin(kBody);
  world.loops.advance(60);
  EXPECT_EQ(clients[1]->log(), "error:TIMEOUT/504");
  world.loops.advance(50);
  EXPECT_EQ(clients[0]->log(), "head text:hi end");
}

TEST_F(SingleFlightTest, WhatIsTooLongToShareEachAsksFor) {
  world.cache.set_bounds({std::uint64_t{1} << 20U, 4096});
  a.scripts = {{{text("x").after(10), text(std::string(5000, 'y')).after(10), end().after(10)}}};
  world.open();
  begin_many(4);
  world.loops.advance(15);
  EXPECT_EQ(a.submitted, 1);
  world.loops.advance(10);
  EXPECT_EQ(a.submitted, 4) << "as soon as it is known";
  world.loops.advance(100);
  for (const auto& client : clients) EXPECT_EQ(client->last().type, BP_EVENT_END);
}

TEST_F(SingleFlightTest, EveryCallIsPaidForOnce) {
  ScriptedPayment& p = world.add_payment("p");
  a.scripts = {{{text("hi").after(100), usage(3, 4), end()}}};
  world.open();
  begin_many(6);
  clients[3]->leave();
  world.loops.advance(100);
  EXPECT_EQ(p.asked, 6);
  EXPECT_EQ(p.settled, 1);
  EXPECT_EQ(p.released, 5);
}

TEST_F(SingleFlightTest, AShutdownEndsThemAll) {
  a.scripts = {later};
  world.open();
  begin_many(6);
  world.gateway->shut_down_calls();
  world.run();
  EXPECT_EQ(count("error:SHUTTING_DOWN/503"), 6);
}

}  // namespace
}  // namespace backplane::test
