// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/word_pattern.hpp"

#include <gtest/gtest.h>

namespace backplane::local {
namespace {

using Pieces = std::vector<std::string_view>;

Pieces split(std::string_view pattern, std::string_view text) {
  const auto compiled = WordPattern::compile(pattern);
  EXPECT_TRUE(compiled) << compiled.error().message;
  Pieces pieces;
  if (compiled) compiled->split(text, pieces);
  return pieces;
}

TEST(WordPattern, GivesMatchesAndWhatLiesBetween) {
  EXPECT_EQ(split(R"(\p{N}+)", "ab12c3"), (Pieces{"ab", "12", "c", "3"}));
  EXPECT_EQ(split(R"(\p{N}+)", "abc"), (Pieces{"abc"}));
  EXPECT_EQ(split(R"(\p{Lu}\p{Ll}*)", "\u00c4pfelBaum"), (Pieces{"\u00c4pfel", "Baum"}));
  EXPECT_EQ(split("x*", "axxb"), (Pieces{"a", "xx", "b"}));
  EXPECT_EQ(split("a", ""), Pieces{});
}

TEST(WordPattern, LosesNoByteThatIsNotUtf8) {
  EXPECT_EQ(split(R"(\p{L}+)", "ab\xff\xc3!c"), (Pieces{"ab", "\xff", "\xc3", "!", "c"}));
}

TEST(WordPattern, GivesUpOnWhatTakesForEverAndLosesNothing) {
  std::string text(2000, 'a');
  std::string joined;
  for (const std::string_view piece : split("(a|aa|aaa)+b", text)) joined += piece;
  EXPECT_EQ(joined, text);
}

TEST(WordPattern, RefusesWithThePlace) {
  const auto error_of = [](const std::string& pattern) {
    const auto compiled = WordPattern::compile(pattern);
    return compiled ? "" : compiled.error().message;
  };
  EXPECT_EQ(error_of("a(b"), "the pattern a(b is wrong at byte 3: missing closing parenthesis");
  EXPECT_EQ(error_of("[a-z&&[^b]]"),
            "the pattern [a-z&&[^b]] has an intersection of classes (&&), which is not supported");
  EXPECT_NE(error_of(std::string(20'000, 'a')).find("is longer than 16 KiB"), std::string::npos);
}

}  // namespace
}  // namespace backplane::local
