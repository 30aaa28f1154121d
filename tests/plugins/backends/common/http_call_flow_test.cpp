// SPDX-License-Identifier: Apache-2.0
// Pausing, leaving, and the rules of a call whatever the receiver answers.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "call_rig.hpp"

namespace backplane::dialect {
namespace {

using testing::CallRig;
using testing::delta;
using testing::event;
using testing::kJsonBody;
using testing::kStop;
using testing::kUsage;
using Texts = std::vector<std::string>;

const std::string& three_chunks() {
  static const std::string kStream =
      event(delta("a")) + event(delta("b")) + event(kStop) + event(kUsage) + event("[DONE]");
  return kStream;
}
const Texts kThreeEvents = {"chunk " + delta("a"), "chunk " + delta("b"), "chunk " + kStop,
                            "usage 3 4", "end"};

TEST(HttpCallFlow, PausesAtEveryChunkAndLosesNothing) {
  for (const bool at_once : {true, false}) {
    CallRig rig;
    for (std::uint64_t at = 0; at < 3; ++at) rig.sink.answers[at] = BP_FLOW_PAUSE;
    rig.open(true);
    const std::string& stream = three_chunks();
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = at_once ? stream.size() : 1;
      const std::uint32_t flow = rig.host.data(std::string_view(stream).substr(at, size));
      EXPECT_EQ(flow == BP_FLOW_PAUSE, rig.sink.paused);
      at += size;
      while (rig.sink.paused) {
        const std::size_t before = rig.sink.events.size();
        rig.resume();
        EXPECT_TRUE(!rig.sink.paused || rig.sink.events.size() > before);
      }
    }
    EXPECT_EQ(rig.sink.events, kThreeEvents);
    EXPECT_GE(rig.host.resume_count, 1);
  }
}

TEST(HttpCallFlow, DeliversNothingWhilePaused) {
  CallRig rig;
  rig.sink.answers[0] = BP_FLOW_PAUSE;
  rig.open(true);
  EXPECT_EQ(rig.host.data(three_chunks()), BP_FLOW_PAUSE);
  rig.host.run();
  EXPECT_EQ(rig.sink.events.size(), 1U);
  EXPECT_EQ(rig.host.resume_count, 0);
}

TEST(HttpCallFlow, HoldsTheEndUntilResume) {
  CallRig rig;
  rig.sink.answers[2] = BP_FLOW_PAUSE;
  rig.open(true);
  rig.host.data(event(delta("a")) + event(delta("b")) + event(kStop));
  rig.host.done();
  rig.host.run();
  EXPECT_FALSE(rig.sink.ended);
  rig.resume();
  EXPECT_EQ(rig.sink.events.back(), "end");
  EXPECT_EQ(rig.host.resume_count, 0);  // the exchange has ended
}

TEST(HttpCallFlow, HoldsTheEndBehindAPausedBody) {
  CallRig rig(0);
  rig.sink.answers[0] = BP_FLOW_PAUSE;
  ASSERT_TRUE(rig.start());
  rig.host.head(200, kJsonBody);
  rig.host.data(R"({"usage":{"prompt_tokens":3}})");
  rig.host.done();
  EXPECT_EQ(rig.sink.events, Texts{"body"});
  rig.resume();
  EXPECT_EQ(rig.sink.events, (Texts{"body", "usage 3 0", "end"}));
}

TEST(HttpCallFlow, DeliversWhatCameBeforeABreakEvenWhenPaused) {
  CallRig rig;
  rig.sink.answers[0] = BP_FLOW_PAUSE;
  rig.open();
  rig.host.data(event(delta("a")) + event(delta("b")));
  rig.host.failed(BP_CODE_DATA_LOSS, "the response ended early");
  EXPECT_EQ(rig.sink.events.size(), 1U);
  rig.resume();
  EXPECT_EQ(rig.sink.events, (Texts{"chunk " + delta("a"), "chunk " + delta("b"), "error 15 502"}));
}

TEST(HttpCallFlow, ABreakWithNothingHeldIsToldAtOnce) {
  CallRig rig;
  rig.sink.answers[0] = BP_FLOW_PAUSE;
  rig.open();
  rig.host.data(event(delta("a")));
  rig.host.failed(BP_CODE_UNAVAILABLE, "the connection broke");
  EXPECT_EQ(rig.sink.events, (Texts{"chunk " + delta("a"), "error 14 502"}));
}

TEST(HttpCallFlow, ADeadlineIsNotHeldByAPause) {
  CallRig rig;
  rig.sink.answers[0] = BP_FLOW_PAUSE;
  rig.request.deadline_ns = rig.host.monotonic_ns + 1000;
  rig.open();
  rig.host.data(event(delta("a")) + event(delta("b")));
  rig.host.monotonic_ns += 1000;
  rig.host.failed(BP_CODE_DEADLINE_EXCEEDED, "total timeout");
  EXPECT_EQ(rig.sink.events, (Texts{"chunk " + delta("a"), "error 4 504"}));
}

TEST(HttpCallFlow, CancelsAtEveryPoint) {
  const std::string& stream = three_chunks();
  for (std::size_t size = 0; size <= stream.size(); size += 5) {
    for (const bool pauses : {false, true}) {
      SCOPED_TRACE("after " + std::to_string(size) + " bytes");
      CallRig rig;
      if (pauses) rig.sink.answers[0] = BP_FLOW_PAUSE;
      rig.open(true);
      if (size > 0) rig.host.data(stream.substr(0, size));
      const bool had_ended = rig.sink.ended;
      rig.cancel();
      rig.cancel();
      ASSERT_TRUE(rig.sink.ended);
      if (had_ended) continue;
      EXPECT_EQ(rig.sink.error.code, BP_CODE_CANCELLED);
      EXPECT_EQ(rig.host.cancel_count, 1);
      EXPECT_FALSE(rig.host.is_open());
    }
  }
}

TEST(HttpCallFlow, CancelsBeforeTheHeadAndAfterTheExchange) {
  CallRig waiting;
  ASSERT_TRUE(waiting.start());
  waiting.cancel();
  EXPECT_EQ(waiting.sink.events, Texts{"error 1 0"});

  CallRig over;
  over.sink.answers[0] = BP_FLOW_PAUSE;
  over.open();
  over.host.data(event(kStop));
  over.host.done();
  over.cancel();
  EXPECT_EQ(over.sink.events, (Texts{"chunk " + kStop, "error 1 0"}));
  EXPECT_EQ(over.host.cancel_count, 0);
}

TEST(HttpCallFlow, MetersACancelledCall) {
  for (const std::uint32_t overrun : {0U, 1U}) {
    CallRig rig;
    rig.sink.set_overrun(overrun);
    const std::string chunk =
        R"({"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":5,"completion_tokens":1}})";
    rig.sink.answers[0] = BP_FLOW_PAUSE;
    rig.open();
    rig.host.data(event(chunk));
    rig.cancel();
    const Texts told = overrun == 0 ? Texts{"chunk " + chunk, "error 1 0"}
                                    : Texts{"chunk " + chunk, "usage 5 1", "error 1 0"};
    EXPECT_EQ(rig.sink.events, told);
  }
}

TEST(HttpCallFlow, StopIsCancel) {
  for (std::uint64_t at = 0; at < 3; ++at) {
    CallRig rig;
    rig.sink.answers[at] = BP_FLOW_STOP;
    rig.open(true);
    EXPECT_EQ(rig.host.data(three_chunks()), BP_FLOW_STOP);
    EXPECT_EQ(rig.sink.events.size(), at + 2);
    EXPECT_EQ(rig.sink.error.code, BP_CODE_CANCELLED);
  }
}

TEST(HttpCallFlow, ATaskMayComeAfterTheRelease) {
  CallRig rig;
  rig.open();
  rig.call->cancel(rig.call);  // on its way to the loop
  rig.host.data(event(kStop) + event("[DONE]"));
  EXPECT_EQ(rig.sink.events.back(), "end");
  rig.call->release(std::exchange(rig.call, nullptr));
  rig.host.run();
  rig.host.done();
}

TEST(HttpCallFlow, CancelAndResumeComeFromAnyThread) {
  for (int round = 0; round < 50; ++round) {
    CallRig rig;
    rig.sink.answers[0] = BP_FLOW_PAUSE;
    rig.open(true);
    rig.host.data(three_chunks());
    rig.sink.paused = false;
    std::thread resuming([&] { rig.call->resume(rig.call); });
    std::thread cancelling([&] { rig.call->cancel(rig.call); });
    rig.host.run();
    resuming.join();
    cancelling.join();
    rig.host.run();
    EXPECT_TRUE(rig.sink.ended);
  }
}

TEST(HttpCallFlow, KeepsTheRulesUnderRandomAnswersAndSplits) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    CallRig rig;
    rig.open(true);
    std::string stream;
    Texts chunks;
    for (std::size_t count = random() % 12; count > 0; --count) {
      chunks.push_back(delta(std::to_string(count)));
      stream += event(chunks.back());
    }
    chunks.push_back(kStop);
    stream += event(kStop) + event(kUsage) + (random() % 2 == 0 ? event("[DONE]") : "");
    for (std::uint64_t at = 0; at < 20; ++at) {
      if (random() % 3 == 0) rig.sink.answers[at] = BP_FLOW_PAUSE;
    }
    for (std::size_t at = 0; at < stream.size() && rig.host.is_open();) {
      const std::size_t size = 1 + random() % 200;
      rig.host.data(stream.substr(at, size));
      at += size;
      while (rig.sink.paused && !rig.sink.ended) rig.resume();
    }
    rig.host.done();
    while (rig.sink.paused && !rig.sink.ended) rig.resume();
    ASSERT_EQ(rig.sink.chunks, chunks) << "round " << round;
    ASSERT_EQ(rig.sink.events.back(), "end") << "round " << round;
  }
}

}  // namespace
}  // namespace backplane::dialect
