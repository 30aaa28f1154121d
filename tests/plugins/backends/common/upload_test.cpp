// SPDX-License-Identifier: Apache-2.0
// Bodies that are still on their way when the call is sent.
#include "common/upload.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "call_rig.hpp"

namespace backplane::dialect {
namespace {

using testing::CallRig;
using testing::event;
using testing::kJsonBody;
using testing::kStop;
using Texts = std::vector<std::string>;

// A sender whose bytes the test gives; after `gone` nobody may touch it.
class Sender {
 public:
  std::string next;
  std::uint32_t answer = BP_READ_WAIT;
  bool gone = false;
  int forgotten = 0;
  bp_body_stream table{sizeof(bp_body_stream), 0, 7, this, &read, &forget};

 private:
  static std::uint32_t read(void* context, bp_str* out, bp_task, void*) {
    auto& self = *static_cast<Sender*>(context);
    EXPECT_FALSE(self.gone) << "read after the call";
    *out = str(self.next);
    return self.answer;
  }
  static void forget(void* context) {
    auto& self = *static_cast<Sender*>(context);
    EXPECT_FALSE(self.gone) << "forgotten after the call";
    ++self.forgotten;
  }
};

std::uint32_t read(const CallRig& rig, std::string* bytes = nullptr) {
  const bp_body_stream* stream = rig.host.requests.at(0).raw.body_stream;
  bp_str out{};
  const std::uint32_t answer = stream->read(
      stream->context, &out, [](void*) {}, nullptr);
  if (bytes != nullptr && answer == BP_READ_BYTES) *bytes = view(out);
  return answer;
}

TEST(Upload, IsNoneWithoutASource) {
  CallRig rig;
  ASSERT_TRUE(rig.start());
  EXPECT_EQ(rig.host.requests.at(0).raw.body_stream, nullptr);
}

TEST(Upload, PassesOnWhatTheSourceGives) {
  Sender sender;
  CallRig rig(0);
  rig.request.body_stream = &sender.table;
  ASSERT_TRUE(rig.start());
  EXPECT_EQ(rig.host.requests.at(0).raw.body_stream->size, 7U);
  EXPECT_EQ(read(rig), BP_READ_WAIT);
  sender.answer = BP_READ_BYTES;
  sender.next = "abc";
  std::string bytes;
  EXPECT_EQ(read(rig, &bytes), BP_READ_BYTES);
  EXPECT_EQ(bytes, "abc");
  sender.answer = BP_READ_END;
  EXPECT_EQ(read(rig), BP_READ_END);
}

// The response came before the request was all sent: it counts, and the connection does not.
TEST(Upload, AnEarlyAnswerEndsTheReading) {
  Sender sender;
  CallRig rig;
  rig.request.body_stream = &sender.table;
  rig.open();
  EXPECT_EQ(rig.host.data(event(kStop) + event("[DONE]")), BP_FLOW_STOP);
  EXPECT_EQ(rig.sink.events.back(), "end");
  EXPECT_EQ(sender.forgotten, 1);
  sender.gone = true;
  EXPECT_EQ(read(rig), BP_READ_FAILED);
}

TEST(Upload, KeepsTheConnectionOfOneThatIsWhole) {
  Sender sender;
  CallRig rig;
  rig.request.body_stream = &sender.table;
  rig.open();
  sender.answer = BP_READ_END;
  EXPECT_EQ(read(rig), BP_READ_END);
  EXPECT_EQ(rig.host.data(event(kStop) + event("[DONE]")), BP_FLOW_CONTINUE);
  sender.gone = true;
  EXPECT_EQ(read(rig), BP_READ_END);
}

TEST(Upload, IsWholeWithItsLastByte) {
  Sender sender;
  CallRig rig;
  rig.request.body_stream = &sender.table;
  rig.open();
  sender.answer = BP_READ_BYTES;
  sender.next = "1234567";
  EXPECT_EQ(read(rig), BP_READ_BYTES);
  EXPECT_EQ(rig.host.data(event(kStop) + event("[DONE]")), BP_FLOW_CONTINUE);
}

// What its sender does is nothing to write into the log.
TEST(Upload, ASenderThatBreaksOffIsNoFailureOfTheProvider) {
  Sender sender;
  CallRig rig(0);
  rig.request.body_stream = &sender.table;
  ASSERT_TRUE(rig.start());
  rig.host.failed(BP_CODE_ABORTED, "the request's body was broken off by its sender");
  EXPECT_EQ(rig.sink.events, Texts{"error 1 0"});
  EXPECT_TRUE(rig.host.log_lines.empty());
}

TEST(Upload, ACancelStopsTheExchangeInTheMiddle) {
  Sender sender;
  CallRig rig(0);
  rig.request.body_stream = &sender.table;
  ASSERT_TRUE(rig.start());
  sender.answer = BP_READ_BYTES;
  EXPECT_EQ(read(rig), BP_READ_BYTES);
  rig.call->cancel(rig.call);
  rig.host.run();
  EXPECT_EQ(rig.host.cancel_count, 1);
  EXPECT_EQ(rig.sink.events, Texts{"error 1 0"});
  sender.gone = true;
  rig.release();
}

TEST(Upload, AnErrorAnswerEndsTheReading) {
  Sender sender;
  CallRig rig(0);
  rig.request.body_stream = &sender.table;
  ASSERT_TRUE(rig.start());
  rig.host.head(413, kJsonBody);
  rig.host.data(R"({"error":{"message":"too large"}})");
  rig.host.done();
  EXPECT_EQ(rig.sink.events, Texts{"error 3 413"});
  EXPECT_EQ(sender.forgotten, 1);
}

TEST(Upload, ForgetIsPassedOnOnce) {
  Sender sender;
  Upload upload(&sender.table);
  upload.stream()->forget(upload.stream()->context);
  upload.detach();
  EXPECT_EQ(sender.forgotten, 1);
}

}  // namespace
}  // namespace backplane::dialect
