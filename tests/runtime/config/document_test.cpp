// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/document.hpp"

#include <gtest/gtest.h>

#include "runtime/config/json.hpp"

namespace backplane::config {
namespace {

std::string errors_of(const std::string& text) {
  Diagnostics diagnostics;
  const std::optional<Node> tree = parse_document("f.yaml", text, diagnostics);
  EXPECT_EQ(tree.has_value(), !diagnostics.failed());
  return format(diagnostics.errors());
}

std::string json_of(const std::string& text) {
  Diagnostics diagnostics;
  const std::optional<Node> tree = parse_document("f.yaml", text, diagnostics);
  return tree ? to_canonical_json(*tree) : format(diagnostics.errors());
}

TEST(Document, ReadsScalarsByTheCoreSchema) {
  const std::pair<const char*, const char*> kCases[] = {
      {"no", "\"no\""},
      {"yes", "\"yes\""},
      {"on", "\"on\""},
      {"True", "true"},
      {"false", "false"},
      {"~", "null"},
      {"null", "null"},
      {"12", "12"},
      {"+12", "12"},
      {"-0x1", "\"-0x1\""},
      {"0x1F", "31"},
      {"0o17", "15"},
      {"017", "17"},
      {"1_000", "\"1_000\""},
      {"1.5", "1.5"},
      {".5", "0.5"},
      {"5.", "5"},
      {"1e3", "1000"},
      {"-1.5E-2", "-0.015"},
      {"1:30", "\"1:30\""},
      {"'12'", "\"12\""},
      {"\"true\"", "\"true\""},
      {"\"\"", "\"\""},
      {"!!str 12", "\"12\""},
      {"!!int 12", "12"},
      {"1.2.3", "\"1.2.3\""},
      {"0x", "\"0x\""},
      {"2001-01-01", "\"2001-01-01\""},
      {"9223372036854775807", "9223372036854775807"}};
  for (const auto& [text, json] : kCases) {
    EXPECT_EQ(json_of("[" + std::string(text) + "]"), "[" + std::string(json) + "]") << text;
  }
}

TEST(Document, BoundsDepth) {
  const std::string deep =
      std::string(kDepthMaxLevels + 1, '[') + std::string(kDepthMaxLevels + 1, ']');
  EXPECT_NE(errors_of(deep).find("f.yaml:1:65:"), std::string::npos) << errors_of(deep);
  EXPECT_NE(errors_of(std::string(100'000, '[')), "");
  EXPECT_EQ(errors_of(std::string(kDepthMaxLevels, '[') + std::string(kDepthMaxLevels, ']')), "");
}

TEST(Document, BoundsAliases) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) {
      bomb += ", " + before;
    }
    bomb += "]\n";
  }
  EXPECT_NE(errors_of(bomb).find("more than 50000 values"), std::string::npos) << errors_of(bomb);
}

TEST(Document, BoundsNodes) {
  std::string many = "[";
  for (std::size_t i = 0; i <= kNodesMax; ++i) {
    many += "1,";
  }
  EXPECT_NE(errors_of(many + "1]").find("more than 50000 values"), std::string::npos);
}

TEST(Document, PlacesAnAliasWhereItStands) {
  Diagnostics diagnostics;
  const auto tree = parse_document("f.yaml", "a: &x {k: 1}\nb: *x\n", diagnostics);
  ASSERT_TRUE(tree);
  EXPECT_EQ(format(tree->find("b")->position), "f.yaml:2:4");
  EXPECT_EQ(to_canonical_json(*tree), R"({"a":{"k":1},"b":{"k":1}})");
}

TEST(Document, CountsColumnsInCharacters) {
  Diagnostics diagnostics;
  const auto tree = parse_document("f.yaml", "\xEF\xBB\xBF{\"é€😀\": x}\n", diagnostics);
  ASSERT_TRUE(tree);
  EXPECT_EQ(format(tree->find("é€😀")->position), "f.yaml:1:9");
}

}  // namespace
}  // namespace backplane::config
