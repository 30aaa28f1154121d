// SPDX-License-Identifier: Apache-2.0
// What a stream passes through: detokenizer and stop strings.
#include <gtest/gtest.h>

#include "plugins/backends/local/sampling/stop_matcher.hpp"
#include "plugins/backends/local/tokenizer/detokenizer.hpp"

namespace backplane::local {
namespace {

TEST(Detokenizer, NeverSplitsACharacter) {
  const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x99z";
  Detokenizer detokenizer;
  std::string out;
  for (const char byte : text) {
    const std::string part = detokenizer.push(std::string(1, byte));
    if (!part.empty()) {
      EXPECT_NE(static_cast<unsigned char>(part[0]) & 0xc0, 0x80);
    }
    out += part;
  }
  EXPECT_EQ(out + detokenizer.flush(), text);
}

TEST(Detokenizer, ReplacesWhatIsNoCharacter) {
  Detokenizer detokenizer;
  EXPECT_EQ(detokenizer.push("\xe2\x82"), "");
  EXPECT_EQ(detokenizer.push("x"), "\xef\xbf\xbd\xef\xbf\xbdx");
  EXPECT_EQ(detokenizer.push("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(detokenizer.push("\xf0\x9f"), "");
  EXPECT_EQ(detokenizer.flush(), "\xef\xbf\xbd\xef\xbf\xbd");
}

struct StopCase {
  std::vector<std::string> stops;
  std::string text;
  std::string expected;
  bool matched;
};

TEST(StopMatcher, CutsAtTheFirstStopHoweverTheTextIsSplit) {
  const StopCase cases[] = {
      {{"END"}, "abcENDdef", "abc", true},   {{"END"}, "abcEN", "abcEN", false},
      {{"END"}, "EEENDx", "EE", true},       {{"aab"}, "aaab", "a", true},
      {{"abcd", "bc"}, "xabcd", "xa", true}, {{"bc", "abc"}, "xabc", "x", true},
      {{}, "plain", "plain", false},         {{"\n\n"}, "a\nb\n\nc", "a\nb", true},
  };
  for (const StopCase& c : cases) {
    for (std::size_t step = 1; step <= c.text.size(); ++step) {
      StopMatcher matcher(c.stops);
      std::string out;
      for (std::size_t at = 0; at < c.text.size(); at += step) {
        out += matcher.push(c.text.substr(at, step));
        EXPECT_TRUE(c.expected.starts_with(out)) << c.text << " in steps of " << step;
      }
      if (!matcher.matched()) out += matcher.flush();
      EXPECT_EQ(out, c.expected) << c.text << " in steps of " << step;
      EXPECT_EQ(matcher.matched(), c.matched);
    }
  }
}

}  // namespace
}  // namespace backplane::local
