// SPDX-License-Identifier: Apache-2.0
// The header traceparent, by the rules of W3C Trace Context.
#include "runtime/telemetry/trace_context.hpp"

#include <gtest/gtest.h>

namespace backplane {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";

std::string traceparent(const std::string& version, const std::string& flags,
                        const std::string& rest = "") {
  return version + '-' + kTrace + '-' + kSpan + '-' + flags + rest;
}

TEST(TraceContext, ReadsWhatIsValid) {
  const std::pair<std::string, std::uint8_t> kCases[] = {
      {traceparent("00", "00"), 0},
      {traceparent("00", "01"), 1},
      {traceparent("00", "03"), 3},
      {traceparent("00", "ff"), 3},  // unknown flags are not passed on
      {traceparent("00", "08"), 0},
      {traceparent("01", "01"), 1},
      {traceparent("cc", "01", "-"), 1},
      {traceparent("cc", "01", "-what the future brings"), 1}};
  for (const auto& [text, flags] : kCases) {
    const auto context = parse_traceparent(text);
    ASSERT_TRUE(context) << text;
    EXPECT_EQ(hex_of(context->trace_id), kTrace);
    EXPECT_EQ(hex_of(context->span_id), kSpan);
    EXPECT_EQ(context->flags, flags) << text;
    EXPECT_EQ(context->sampled(), (flags & 1U) != 0);
  }
}

TEST(TraceContext, RefusesWhatIsNot) {
  const std::string zeros(32, '0');
  const std::string kCases[] = {"",
                                "00",
                                traceparent("00", "0"),
                                traceparent("00", "01", "-"),
                                traceparent("00", "01", "-more"),
                                traceparent("00", "011"),
                                traceparent("cc", "01", "more"),
                                traceparent("cc", "01", "."),
                                traceparent("ff", "01"),
                                traceparent("0x", "01"),
                                traceparent("FE", "01"),
                                traceparent("00", "0X"),
                                traceparent("00", "A1"),
                                " " + traceparent("00", "01"),
                                traceparent("00", "01", " "),
                                "00-" + zeros + '-' + kSpan + "-01",
                                "00-" + kTrace + '-' + zeros.substr(16) + "-01",
                                "00-0AF7651916cd43dd8448eb211c80319c-" + kSpan + "-01",
                                "00-" + kTrace + "-b7ad6b716920333G-01",
                                "00_" + kTrace + '-' + kSpan + "-01",
                                "00-" + kTrace + '_' + kSpan + "-01",
                                "00-" + kTrace + '-' + kSpan + "_01",
                                "00-" + kTrace + '-' + kSpan + "-\0" + "1"};
  for (const std::string& text : kCases) EXPECT_FALSE(parse_traceparent(text)) << text;
}

TEST(TraceContext, EveryPrefixIsRefused) {
  const std::string whole = traceparent("00", "01");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_traceparent(whole.substr(0, size))) << size;
  }
}

TEST(TraceContext, WritesVersionZero) {
  for (const char* flags : {"00", "01", "02", "03"}) {
    const std::string text = traceparent("00", flags);
    EXPECT_EQ(format_traceparent(*parse_traceparent(text)), text);
  }
  EXPECT_EQ(format_traceparent(*parse_traceparent(traceparent("cc", "ff", "-x"))),
            traceparent("00", "03"));
}

}  // namespace
}  // namespace backplane
