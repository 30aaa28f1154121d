// SPDX-License-Identifier: Apache-2.0
// Receipts of calls: kept for those who may ask, no part of the answer.
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

using Metadata = std::vector<std::pair<std::string, std::string>>;

std::string ask(const World& world, const std::string& id, const Metadata& metadata = {}) {
  std::vector<bp_pair> pairs;
  for (const auto& [name, value] : metadata) pairs.push_back({str(name), str(value)});
  bp_buffer out{};
  bp_error error{};
  const bp_gateway& gateway = world.table();
  const std::uint32_t code =
      gateway.receipt(gateway.context, str(id), pairs.data(), pairs.size(), &out, &error);
  if (code != BP_CODE_OK) return error.type;
  return std::string(BufferRef::adopt(out).text());
}

class ReceiptTest : public testing::TestWithParam<When> {
 protected:
  Step at(const Step& step) const { return step.at(GetParam()); }
  World world;
  ScriptedBackend& a = world.add_backend("a");
  ScriptedBackend& b = world.add_backend("b");
};
INSTANTIATE_TEST_SUITE_P(Times, ReceiptTest,
                         testing::Values(When::kNow, When::kTurn, When::kElsewhere));

TEST_P(ReceiptTest, IsKeptAndNotSent) {
  a.scripts = {Script({at(text("hi")), at(receipt(R"({"a":1})")), at(end())})};
  world.add_model("m", {"a"});
  world.open();
  Client client(world);
  client.id = "x";
  client.answer = [&](Client&, const Client::Event& event) -> std::uint32_t {
    EXPECT_EQ(ask(world, "x"), event.type == BP_EVENT_END ? R"({"a":1})" : "RECEIPT_NOT_FOUND");
    return BP_FLOW_CONTINUE;
  };
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:hi end");
  EXPECT_EQ(ask(world, "x"), R"({"a":1})");
  EXPECT_EQ(ask(world, "x", {{"authorization", "Bearer 1"}}), "RECEIPT_NOT_FOUND");
  EXPECT_EQ(ask(world, "y"), "RECEIPT_NOT_FOUND");
}

TEST_P(ReceiptTest, IsForTheSameCredentials) {
  a.scripts = {Script({at(receipt("{}")), at(text("hi")), at(end())})};
  world.add_model("m", {"a"});
  world.open();
  Client client(world);
  client.id = "x";
  client.metadata = {{"authorization", "Bearer 1"}, {"user-agent", "one"}};
  client.begin();
  world.run();
  EXPECT_EQ(ask(world, "x", {{"authorization", "Bearer 1"}, {"user-agent", "two"}}), "{}");
  EXPECT_EQ(ask(world, "x", {{"authorization", "Bearer 2"}}), "RECEIPT_NOT_FOUND");
  EXPECT_EQ(ask(world, "x"), "RECEIPT_NOT_FOUND");
}

TEST_P(ReceiptTest, IsOfTheBackendThatAnswered) {
  a.scripts = {Script({at(receipt(R"({"of":"a"})")), at(error(Code::kDataLoss))})};
  b.scripts = {Script({at(text("b")), at(end())})};
  world.add_model("m", {"a", "b"});
  world.open();
  Client client(world);
  client.id = "x";
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:b end");
  EXPECT_EQ(ask(world, "x"), "RECEIPT_NOT_FOUND");
}

TEST_P(ReceiptTest, IsKeptOfACallThatFails) {
  a.scripts = {
      Script({at(text("hi")), at(receipt(R"({"bad":1})")), at(error(Code::kDataLoss, 502))})};
  world.add_model("m", {"a"});
  world.open();
  Client client(world);
  client.id = "x";
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:hi error:SCRIPTED/502");
  EXPECT_EQ(ask(world, "x"), R"({"bad":1})");
}

TEST(ReceiptLimitsTest, AreThoseOfTheGeneration) {
  World world;
  ScriptedBackend& a = world.add_backend("a");
  a.scripts = {Script({receipt("{}"), text("hi"), end()})};
  world.add_model("m", {"a"});
  world.options.receipts.count_max = 0;
  world.open();
  Client client(world);
  client.id = "x";
  client.begin();
  world.run();
  EXPECT_EQ(client.log(), "head text:hi end");
  EXPECT_EQ(ask(world, "x"), "RECEIPT_NOT_FOUND");
}

}  // namespace
}  // namespace backplane::test
