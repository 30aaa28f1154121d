// SPDX-License-Identifier: Apache-2.0
// A provider that breaks, at every point where it can.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "call_rig.hpp"

namespace backplane::dialect {
namespace {

using testing::CallRig;
using testing::delta;
using testing::event;
using testing::kJsonBody;
using testing::kStop;
using Texts = std::vector<std::string>;

struct FailureCase {
  std::uint32_t code;
  std::uint32_t told_code;
  std::uint32_t told_status;
};

TEST(HttpCallFault, TellsEveryFailureOfTheTransport) {
  const std::vector<FailureCase> cases = {
      {BP_CODE_UNAVAILABLE, BP_CODE_UNAVAILABLE, 502},
      {BP_CODE_DEADLINE_EXCEEDED, BP_CODE_UNAVAILABLE, 504},
      {BP_CODE_DATA_LOSS, BP_CODE_DATA_LOSS, 502},
      {BP_CODE_INVALID_ARGUMENT, BP_CODE_INTERNAL, 502},
      {BP_CODE_UNKNOWN, BP_CODE_INTERNAL, 502},
  };
  for (const FailureCase& given : cases) {
    for (int stage = 0; stage < 3; ++stage) {
      CallRig rig;
      ASSERT_TRUE(rig.start());
      if (stage > 0) rig.host.head(200, testing::kEventStream);
      if (stage > 1) rig.host.data(event(delta("a")) + "data: {\"half");
      rig.host.failed(given.code, "it broke");
      EXPECT_EQ(rig.sink.events.size(), stage > 1 ? 2U : 1U);
      EXPECT_EQ(rig.sink.error.code, given.told_code) << given.code;
      EXPECT_EQ(rig.sink.error.http_status, given.told_status) << given.code;
    }
  }
}

TEST(HttpCallFault, TheDeadlineOfTheCallIsToldAsSuch) {
  CallRig rig;
  rig.request.deadline_ns = rig.host.monotonic_ns + 5'000'000;
  rig.open();
  rig.host.monotonic_ns += 5'000'000;
  rig.host.failed(BP_CODE_DEADLINE_EXCEEDED, "total timeout");
  EXPECT_EQ(rig.sink.events, Texts{"error 4 504"});
}

// The chunks that were whole arrive, and then one terminal event: END only behind a finish reason.
TEST(HttpCallFault, AStreamMayBreakAtEveryByte) {
  const std::string stream = event(delta("a")) + event(kStop) + event("[DONE]");
  const std::size_t first = event(delta("a")).size();
  const std::size_t second = first + event(kStop).size();
  for (std::size_t size = 0; size <= stream.size(); ++size) {
    for (const bool breaks : {false, true}) {
      SCOPED_TRACE(std::to_string(size) + (breaks ? " bytes, broken" : " bytes, ended"));
      CallRig rig;
      rig.open();
      rig.host.data(std::string_view(stream).substr(0, size));
      const bool saw_done = rig.sink.ended;
      if (breaks) {
        rig.host.failed(BP_CODE_UNAVAILABLE, "the connection broke");
      } else {
        rig.host.done();
      }
      ASSERT_TRUE(rig.sink.ended);
      // At an orderly end the line ends behind the last chunk may be missing.
      const std::size_t read = saw_done || breaks ? size : size + 2;
      const std::size_t whole = (read >= first ? 1U : 0U) + (read >= second ? 1U : 0U);
      EXPECT_EQ(rig.sink.chunks.size(), whole);
      const bool expects_end = saw_done || (!breaks && whole == 2);
      EXPECT_EQ(rig.sink.events.back(),
                expects_end ? "end" : (breaks ? "error 14 502" : "error 15 502"));
    }
  }
}

TEST(HttpCallFault, AWholeResponseMayBreakAtEveryByte) {
  const std::string body = R"({"choices":[],"usage":{"prompt_tokens":3}})";
  for (std::size_t size = 0; size <= body.size(); ++size) {
    CallRig ended(0);
    ASSERT_TRUE(ended.start());
    ended.host.head(200, kJsonBody);
    ended.host.data(std::string_view(body).substr(0, size));
    ended.host.done();
    EXPECT_EQ(ended.sink.events.back(), size == body.size() ? "end" : "error 13 502") << size;

    CallRig broken(0);
    ASSERT_TRUE(broken.start());
    broken.host.head(200, kJsonBody);
    broken.host.data(std::string_view(body).substr(0, size));
    broken.host.failed(BP_CODE_DATA_LOSS, "the response ended early");
    EXPECT_EQ(broken.sink.events, Texts{"error 15 502"}) << size;
  }
}

TEST(HttpCallFault, AnErrorResponseMayBreakToo) {
  CallRig rig;
  ASSERT_TRUE(rig.start());
  rig.host.head(500, kJsonBody);
  rig.host.data("{\"err");
  rig.host.failed(BP_CODE_DATA_LOSS, "the response ended early");
  EXPECT_EQ(rig.sink.events, Texts{"error 15 502"});
}

TEST(HttpCallFault, MissingServicesAreNamed) {
  for (const char* id : {BP_HTTP_ID, BP_LOOP_ID, BP_CLOCK_ID}) {
    testing::FakeHost host;
    host.missing_interface = id;
    const auto services = find_services(Host(host.get()));
    ASSERT_FALSE(services);
    EXPECT_EQ(services.error().code, Code::kUnimplemented);
    EXPECT_NE(services.error().message.find(id), std::string::npos);
  }
}

}  // namespace
}  // namespace backplane::dialect
