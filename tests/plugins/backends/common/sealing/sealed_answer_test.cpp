// SPDX-License-Identifier: Apache-2.0
// A sealed answer on its way through a call: nothing but plaintext that was sealed comes out.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/sealing/answer_opener.hpp"
#include "common/sealing/chat_request.hpp"
#include "seal_rig.hpp"
#include "tests/plugins/backends/common/call_rig.hpp"

namespace backplane::sealing {
namespace {

using backplane::testing::CallRig;
using backplane::testing::delta;
using backplane::testing::event;
using backplane::testing::kEventStream;
using backplane::testing::kJsonBody;
using backplane::testing::kStop;
using backplane::testing::kUsage;
using testing::Ends;
using Chunks = std::vector<std::string>;

class SealedCall : public ::testing::Test {
 protected:
  explicit SealedCall(const Variant& variant = kNearV1) : ends(variant) {}

  void open(std::uint32_t flags = BP_REQUEST_STREAM) {
    rig = std::make_unique<CallRig>(flags);
    rig->filter = std::make_unique<AnswerOpener>(std::move(ends.seal), "m");
    ASSERT_TRUE(rig->start());
    rig->host.head(200, flags == 0 ? kJsonBody : kEventStream);
  }
  std::string seal(std::string_view text) const { return ends.answer({}, text); }
  // What the client is told, after nothing but `chunks`.
  std::string failed_after(const Chunks& chunks) const {
    EXPECT_EQ(rig->sink.chunks, chunks);
    EXPECT_EQ(rig->sink.events.back().substr(0, 5), "error");
    return rig->sink.error.message;
  }

  Ends ends;
  std::unique_ptr<CallRig> rig;
};

TEST_F(SealedCall, PassesAStreamOnInPlaintext) {
  const std::string first = event(delta(seal("The"))) + event(delta(seal(" answer")));
  const std::string rest = event(kStop) + event(kUsage) + event("[DONE]");
  for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, std::size_t{100'000}}) {
    Ends fresh(kNearV1);
    std::swap(ends.seal, fresh.seal);
    open();
    const std::string bytes = first + rest;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      rig->host.data(std::string_view(bytes).substr(at, piece));
    }
    EXPECT_EQ(rig->sink.chunks, (Chunks{delta("The"), delta(" answer"), kStop, kUsage}));
    EXPECT_EQ(rig->sink.events.back(), "end");
    EXPECT_EQ(rig->sink.usage.completion_tokens, 4U);
  }
}

TEST_F(SealedCall, EndsAtTheFirstPlaintext) {
  open();
  rig->host.data(event(delta(seal("The"))) + event(delta(" answer is 4")) + event(kStop));
  EXPECT_EQ(failed_after({delta("The")}),
            "the provider's sealed text cannot be opened: it is not hexadecimal text, so it was "
            "not sealed");
}

TEST_F(SealedCall, EndsAtWhatIsNoJson) {
  open();
  rig->host.data(event("The answer is 4") + event("[DONE]"));
  EXPECT_EQ(failed_after({}),
            "the provider's answer breaks the end-to-end encryption: a document is no JSON object");
}

TEST_F(SealedCall, EndsWhenItIsCutOff) {
  open();
  rig->host.data(event(delta(seal("The"))));
  rig->host.done();
  EXPECT_EQ(failed_after({delta("The")}), "the provider's response ended before it was complete");
}

TEST_F(SealedCall, TellsWhatTheProviderSaysWentWrong) {
  open();
  rig->host.data(event(R"({"error":{"message":"overloaded","code":503}})"));
  EXPECT_NE(failed_after({}).find("overloaded"), std::string::npos);
}

TEST_F(SealedCall, PassesAWholeAnswerOnInPlaintext) {
  const auto body = [](std::string_view text) {
    return R"({"choices":[{"index":0,"message":{"role":"assistant","content":")" +
           std::string(text) + R"("},"finish_reason":"stop"}]})";
  };
  ResponsePlace place;
  place.is_delta = false;
  const std::string sealed = body(ends.answer(place, "four"));
  open(0);
  rig->host.data(sealed);
  rig->host.done();
  EXPECT_EQ(rig->sink.body, body("four"));
  EXPECT_EQ(rig->sink.events.back(), "end");
}

TEST_F(SealedCall, HasNoWholeAnswerInTheClear) {
  open(0);
  rig->host.data(R"({"choices":[{"index":0,"message":{"content":"four"}}]})");
  rig->host.done();
  EXPECT_EQ(rig->sink.body, "");
  EXPECT_NE(failed_after({}).find("was not sealed"), std::string::npos);
}

TEST_F(SealedCall, EndsAtAHeadThatDeniesTheEncryption) {
  rig = std::make_unique<CallRig>();
  rig->filter = std::make_unique<AnswerOpener>(std::move(ends.seal), "m");
  ASSERT_TRUE(rig->start());
  rig->host.head(200, {{"content-type", "text/event-stream"}, {"x-e2ee-applied", "false"}});
  EXPECT_NE(failed_after({}).find("did not encrypt"), std::string::npos);
}

}  // namespace
}  // namespace backplane::sealing
