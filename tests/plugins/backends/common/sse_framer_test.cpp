// SPDX-License-Identifier: Apache-2.0
#include "common/sse_framer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {
namespace {

using Events = std::vector<std::string>;

// Every payload, "!" in front of those of error events. Each input is gone before the next comes.
Events frame(const std::vector<std::string>& inputs) {
  SseFramer framer;
  Events events;
  const auto take = [&](const std::optional<SseEvent>& event) {
    events.push_back((event->is_error ? "!" : "") + std::string(event->data));
  };
  for (const std::string& input : inputs) {
    const std::vector<char> own(input.begin(), input.end());
    framer.feed({own.data(), own.size()});
    while (const auto event = framer.next()) take(event);
    EXPECT_TRUE(framer.unread().empty());
  }
  if (const auto event = framer.finish()) take(event);
  if (framer.overflowed()) events.emplace_back("overflow");
  return events;
}

struct Case {
  const char* name;
  std::string_view input;
  Events events;
};

std::vector<Case> cases() {
  using namespace std::string_view_literals;
  return {
      {"nothing", ""sv, {}},
      {"lf", "data: a\n\ndata: b\n\n"sv, {"a", "b"}},
      {"crlf", "data: a\r\n\r\ndata: b\r\n\r\n"sv, {"a", "b"}},
      {"cr", "data: a\r\rdata: b\r\r"sv, {"a", "b"}},
      {"mixed line ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n"sv, {"a", "b", "c"}},
      {"no space", "data:a\n\n"sv, {"a"}},
      {"one space goes, the second stays", "data:  a\n\n"sv, {" a"}},
      {"colons in the value", "data: {\"a\":1}\n\n"sv, {"{\"a\":1}"}},
      {"lines are joined", "data: a\ndata: b\ndata:c\n\n"sv, {"a\nb\nc"}},
      {"empty lines in the middle", "data: a\ndata:\ndata: b\n\n"sv, {"a\n\nb"}},
      {"comments", ": OPENROUTER PROCESSING\n\n:\n\ndata: a\n: x\n\n"sv, {"a"}},
      {"comment inside an event", "data: a\n: keep-alive\ndata: b\n\n"sv, {"a\nb"}},
      {"blank lines", "\n\n\r\n\rdata: a\n\n\n\n"sv, {"a"}},
      {"empty data", "data:\n\ndata\n\ndata: a\n\n"sv, {"", "", "a"}},
      {"other fields", "id: 1\nretry: 5\nfoo: x\nevent: message\ndata: a\n\n"sv, {"a"}},
      {"a field is not a prefix", "dat: x\ndatax: y\ndata: a\n\n"sv, {"a"}},
      {"error event", "event: error\ndata: a\n\ndata: b\n\n"sv, {"!a", "b"}},
      {"error field", "error: {\"m\":1}\n\n"sv, {"!{\"m\":1}"}},
      {"error name without data", "event: error\n\ndata: b\n\n"sv, {"b"}},
      {"byte order mark",
       "\xEF\xBB\xBF"sv
       "data: a\n\n"sv,
       {"a"}},
      {"byte order mark later is text",
       "data: a\n\n\xEF\xBB\xBF"sv
       "data: b\n\n"sv,
       {"a"}},
      {"byte order mark on a blank line", "\xEF\xBB\xBF\n\ndata: a\n\n"sv, {"a"}},
      {"utf-8", "data: \xF0\x9F\x98\x80\xC3\xA9\n\n"sv, {"\xF0\x9F\x98\x80\xC3\xA9"}},
      {"nul byte", "data: a\0b\n\n"sv, {std::string("a\0b", 3)}},
      {"end without a blank line", "data: a\n\ndata: b\n"sv, {"a", "b"}},
      {"end without a line end", "data: a\n\ndata: [DONE]"sv, {"a", "[DONE]"}},
      {"end in the middle of a field", "data: a\n\nda"sv, {"a"}},
      {"done", "data: {}\n\ndata: [DONE]\n\n"sv, {"{}", "[DONE]"}},
  };
}

TEST(SseFramer, GivesThePayloadsHoweverTheInputIsSplit) {
  for (const Case& given : cases()) {
    const std::string input(given.input);
    EXPECT_EQ(frame({input}), given.events) << given.name;
    for (std::size_t at = 0; at <= input.size(); ++at) {
      EXPECT_EQ(frame({input.substr(0, at), input.substr(at)}), given.events)
          << given.name << ", split at " << at;
    }
    std::vector<std::string> bytes;
    for (const char byte : input) bytes.emplace_back(1, byte);
    EXPECT_EQ(frame(bytes), given.events) << given.name << ", byte by byte";
  }
}

TEST(SseFramer, DoesNotCopyAnEventThatLiesInOneInput) {
  const std::string input = "data: first\n\nevent: x\ndata: second\r\n\r\n";
  SseFramer framer;
  framer.feed(input);
  for (const std::string_view text : {"first", "second"}) {
    const auto event = framer.next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->data.data(), input.data() + input.find(text));
  }
}

TEST(SseFramer, ShowsWhatItHasNotRead) {
  SseFramer framer;
  framer.feed("data: a\n\ndata: b\n\ndata: c");
  ASSERT_TRUE(framer.next());
  const std::string rest(framer.unread());
  EXPECT_EQ(rest, "data: b\n\ndata: c");
  framer.feed(rest);
  const auto event = framer.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->data, "b");
}

TEST(SseFramer, BoundsLinesAndPayloads) {
  const std::string most(kEventMaxBytes - 6, 'x');  // "data: " is part of the line
  EXPECT_EQ(frame({"data: " + most + "\n\n"}), Events{most});
  const std::string half(kEventMaxBytes / 2, 'x');
  const std::vector<std::string> too_much = {
      "data: x" + most + "\n\n",
      ":" + most + "xxxxxx\n\n",
      "data: " + half + "\ndata: " + half + "\n\n",
      most + "xxxxxxx",
  };
  for (const std::string& input : too_much) {
    const Events expected{"a", "overflow"};
    const std::string stream = "data: a\n\n" + input + "data: never\n\n";
    EXPECT_EQ(frame({stream}), expected) << input.substr(0, 10);
    EXPECT_EQ(frame({stream.substr(0, kEventMaxBytes), stream.substr(kEventMaxBytes)}), expected);
  }
}

TEST(SseFramer, GivesTheSameForEveryRandomSplit) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  static constexpr std::string_view kParts[] = {
      "data: ", "data:", "\n",           "\r",     "\r\n",         "\n\n",     ":",
      " ",      "x",     "event: error", "error:", "\xEF\xBB\xBF", "{\"a\":1}"};
  for (int round = 0; round < 2000; ++round) {
    std::string input;
    for (std::size_t count = random() % 40; count > 0; --count) {
      input += kParts[random() % std::size(kParts)];
    }
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < input.size();) {
      const std::size_t size = 1 + random() % 7;
      pieces.push_back(input.substr(at, size));
      at += size;
    }
    ASSERT_EQ(frame(pieces), frame({input})) << "round " << round;
  }
}

}  // namespace
}  // namespace backplane::dialect
