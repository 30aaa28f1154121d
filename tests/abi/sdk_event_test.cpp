// SPDX-License-Identifier: Apache-2.0
#include <backplane/plugin.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace backplane {
namespace {

struct Seen {
  std::uint32_t type;
  std::uint64_t sequence;
  std::uint32_t index;
  std::string data;
  std::string detail;
};

struct Receiver {
  std::vector<Seen> events;
  std::uint64_t completion_tokens = 0;
  bp_error error{};
  std::uint64_t requests_remaining = 0;
  std::uint64_t header_count = 0;
  std::uint32_t answer = BP_FLOW_CONTINUE;

  bp_sink sink() { return {sizeof(bp_sink), 8, this, &emit}; }
  static std::uint32_t emit(void* context, const bp_event* event) {
    auto* const self = static_cast<Receiver*>(context);
    EXPECT_EQ(event->struct_size, sizeof(bp_event));
    self->events.push_back({event->type, event->sequence, event->index,
                            std::string(view(event->data)), std::string(view(event->detail))});
    if (event->usage != nullptr) self->completion_tokens = event->usage->completion_tokens;
    if (event->error != nullptr) self->error = *event->error;
    if (event->rate_limit != nullptr) {
      EXPECT_EQ(event->rate_limit->struct_size, sizeof(bp_rate_limit));
      EXPECT_EQ(event->rate_limit->tokens_remaining, BP_RATE_UNKNOWN);
      self->requests_remaining = event->rate_limit->requests_remaining;
    }
    self->header_count += event->header_count;
    return self->answer;
  }
};

TEST(EventWriter, HeadAndErrorCarryRateLimits) {
  Receiver receiver;
  const bp_sink sink = receiver.sink();
  EventWriter events(sink);
  bp_rate_limit limit = unknown_rate_limit();
  limit.requests_remaining = 7;
  const bp_pair header{str("x-a"), str("1")};
  events.head(&header, 1, &limit);
  EXPECT_EQ(receiver.events.at(0).type, BP_EVENT_HEAD);
  EXPECT_EQ(receiver.header_count, 1U);
  EXPECT_EQ(receiver.requests_remaining, 7U);
  limit.requests_remaining = 0;
  events.error({Code::kResourceExhausted, "later", {}, 429, 1000}, &limit);
  EXPECT_EQ(receiver.requests_remaining, 0U);
  EXPECT_EQ(receiver.error.http_status, 429U);
}

TEST(EventWriter, NumbersWhatItWrites) {
  Receiver receiver;
  const bp_sink sink = receiver.sink();
  EventWriter events(sink);
  events.text("a", 1);
  events.chunk("{}");
  events.body("b", "text/plain");
  events.usage(3, 4);
  events.finish("stop", 1);
  events.receipt("{\"verdict\":\"accepted\"}");
  EXPECT_FALSE(events.ended());
  events.end();
  EXPECT_TRUE(events.ended());
  const std::vector<std::uint32_t> types{BP_EVENT_TEXT,  BP_EVENT_CHUNK,  BP_EVENT_BODY,
                                         BP_EVENT_USAGE, BP_EVENT_FINISH, BP_EVENT_RECEIPT,
                                         BP_EVENT_END};
  ASSERT_EQ(receiver.events.size(), types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    EXPECT_EQ(receiver.events[i].type, types[i]);
    EXPECT_EQ(receiver.events[i].sequence, i);
  }
  EXPECT_EQ(receiver.events[0].index, 1U);
  EXPECT_EQ(receiver.events[2].detail, "text/plain");
  EXPECT_EQ(receiver.events[4].data, "stop");
  EXPECT_EQ(receiver.events[5].data, "{\"verdict\":\"accepted\"}");
  EXPECT_EQ(receiver.completion_tokens, 4U);
}

TEST(EventWriter, AnswersWhatTheReceiverAnswers) {
  Receiver receiver;
  receiver.answer = BP_FLOW_PAUSE;
  const bp_sink sink = receiver.sink();
  EventWriter events(sink);
  EXPECT_EQ(events.text("a"), BP_FLOW_PAUSE);
  receiver.answer = BP_FLOW_STOP;
  EXPECT_EQ(events.text("b"), BP_FLOW_STOP);
}

TEST(EventWriter, CarriesAnError) {
  Receiver receiver;
  const bp_sink sink = receiver.sink();
  EventWriter events(sink);
  events.error({Code::kUnavailable, "try later", "UPSTREAM_DOWN", 503, 1500});
  EXPECT_TRUE(events.ended());
  const Error error = error_of(receiver.error);
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_EQ(error.message, "try later");
  EXPECT_EQ(error.type, "UPSTREAM_DOWN");
  EXPECT_EQ(error.http_status, 503U);
  EXPECT_EQ(error.retry_after_ms, 1500U);
}

TEST(Report, CutsLongTextsAndTerminatesThem) {
  bp_error error;
  std::memset(&error, 'x', sizeof(error));
  const Error from{Code::kInternal, std::string(1000, 'm'), std::string(100, 't'), 0, 0};
  EXPECT_EQ(report(from, &error), BP_CODE_INTERNAL);
  EXPECT_EQ(std::string(error.message), std::string(447, 'm'));
  EXPECT_EQ(std::string(error.type), std::string(47, 't'));
  EXPECT_EQ(report(from, nullptr), BP_CODE_INTERNAL);
}

}  // namespace
}  // namespace backplane
