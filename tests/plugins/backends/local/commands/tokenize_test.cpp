// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/commands/tokenize.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

std::string ids(const std::string& model, std::string_view text, EncodeOptions options = {}) {
  const auto line = tokenize(model, text, options);
  return line ? *line : line.error().message;
}

TEST(Tokenize, PrintsOneLineOfJson) {
  const std::string model = tiny_model().save("tokenize.gguf");
  EXPECT_EQ(ids(model, ""), "[]");
  EXPECT_EQ(ids(model, "a"), "[259, 260]");
  EXPECT_EQ(ids(model, "a", {true, false}), "[1, 259, 260]");
  EXPECT_EQ(ids(model, "a</s>", {false, true}), "[259, 260, 2]");
}

TEST(Tokenize, ReadsATokenizerOfAFolder) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "tokenize-folder";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "tokenizer.json")
      << R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 7}, "merges": []},
          "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}})";
  EXPECT_EQ(ids(folder, "ba"), "[7, 0]");
  EXPECT_EQ(ids(folder / "tokenizer.json", "ab"), "[0, 7]");
  std::filesystem::remove_all(folder);
  EXPECT_NE(ids(folder, "ab").find("tokenize-folder"), std::string::npos);
}

TEST(Tokenize, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(ids("none.gguf", "ab\xff"), "the text is not UTF-8 at byte 2");
}

}  // namespace
}  // namespace backplane::local
