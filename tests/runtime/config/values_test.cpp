// SPDX-License-Identifier: Apache-2.0
// The small parts: prices, versions, suggestions, secrets.
#include <gtest/gtest.h>

#include "runtime/config/price.hpp"
#include "runtime/config/requirement.hpp"
#include "runtime/config/secrets.hpp"
#include "runtime/config/suggestion.hpp"

namespace backplane::config {
namespace {

TEST(Price, IsExact) {
  const std::pair<const char*, std::int64_t> kCases[] = {
      {"0", 0},
      {"0.59", 590'000'000},
      {".5", 500'000'000},
      {"5.", 5'000'000'000},
      {"0.000000001", 1},
      {"0.1", 100'000'000},
      {"9223372036.854775807", 9'223'372'036'854'775'807}};
  for (const auto& [text, nano_usd] : kCases) {
    const Result<std::int64_t> price = parse_nano_usd(text);
    ASSERT_TRUE(price) << text;
    EXPECT_EQ(*price, nano_usd) << text;
  }
}

TEST(Price, RefusesWhatItCannotKeep) {
  for (const char* text : {"", ".", "-1", "+1", "1e3", "1,5", "0x1", "1.2.3", " 1", "0.0000000001",
                           "9223372036.854775808", "99999999999", "1 "}) {
    EXPECT_FALSE(parse_nano_usd(text)) << text;
  }
}

TEST(Price, PrintsTheShortestDecimal) {
  for (const char* text : {"0", "0.59", "12", "0.000000001", "9223372036.854775807"}) {
    EXPECT_EQ(format_nano_usd(*parse_nano_usd(text)), text);
  }
}

TEST(Requirement, AcceptsVersions) {
  struct {
    const char* uses;
    const char* version;
    bool is_accepted;
  } const kCases[] = {
      {"p", "0.0.1", true},          {"p@>=1.2", "1.2.0", true},    {"p@>=1.2", "1.1.9", false},
      {"p@>=1.2", "10.0.0", true},   {"p@>1.2", "1.2.0", false},    {"p@>1.2", "1.2.1", true},
      {"p@<2", "1.99.99", true},     {"p@<2", "2.0.0", false},      {"p@<=2", "2.0.0", true},
      {"p@1.2", "1.2.0", true},      {"p@=1.2", "1.2.1", false},    {"p@>=1,<2", "1.5.0", true},
      {"p@>=1, <2", "2.0.0", false}, {"p@>=1.2", "1.2.0-rc1", true}};
  for (const auto& item : kCases) {
    const Result<Requirement> requirement = parse_requirement(item.uses);
    ASSERT_TRUE(requirement) << item.uses;
    EXPECT_EQ(requirement->name, "p");
    EXPECT_EQ(requirement->accepts(*parse_version(item.version)), item.is_accepted)
        << item.uses << " " << item.version;
  }
}

TEST(Requirement, RefusesWhatIsNone) {
  for (const char* uses : {"", "@1", "p@", "p@>=", "p@>=x", "p@1.", "p@1..2", "p@1,", "p@~1", "a b",
                           "p@1.2.3.4", "p@99999999999", "-p", "p@1,1,1,1,1,1,1,1,1"}) {
    EXPECT_FALSE(parse_requirement(uses)) << uses;
  }
}

TEST(Suggestion, FindsSlipsOfTheKeyboardOnly) {
  const std::vector<std::string> known = {"model", "backend", "weight", "a"};
  EXPECT_EQ(nearest("modle", known), "model");
  EXPECT_EQ(nearest("backends", known), "backend");
  EXPECT_EQ(nearest("wieght", known), "weight");
  EXPECT_EQ(nearest("colour", known), "");
  EXPECT_EQ(nearest("b", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(10'000, 'm'), known), "");
}

TEST(Suggestion, QuotesAnything) {
  EXPECT_EQ(quote("a\n"), "\"a\\x0a\"");
  EXPECT_EQ(quote("\xff"), "\"\\xff\"");
  EXPECT_EQ(quote("é"), "\"é\"");
  EXPECT_EQ(quote(std::string(59, 'x') + "éy"), "\"" + std::string(59, 'x') + "…\"");
}

TEST(Secrets, AreFoundByNameAndMove) {
  Secrets first;
  first.put("secret:a", "one");
  first.put("secret:a", "two");
  Secrets second = std::move(first);
  ASSERT_TRUE(second.find("secret:a"));
  EXPECT_EQ(*second.find("secret:a"), "two");
  EXPECT_FALSE(second.find("secret:b"));
  Secrets third;
  third.put("secret:c", "gone");
  third = std::move(second);
  EXPECT_EQ(third.names(), std::vector<std::string>{"secret:a"});
}

TEST(Secrets, WipeLeavesNothingBehind) {
  std::string text(100, 's');
  const char* data = text.data();
  wipe(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string(data, 1), std::string(1, '\0'));
}

}  // namespace
}  // namespace backplane::config
