// SPDX-License-Identifier: Apache-2.0
// What a backend says of its models, right and wrong.
#include "runtime/plugin/description.hpp"

#include <gtest/gtest.h>

namespace backplane {
namespace {

DescribedModel read(const std::string& members) {
  const auto description = read_description(
      R"({"operations":["chat.completions"],"models":[{"id":"m")" + members + "}]}");
  EXPECT_TRUE(description) << description.error().message;
  return description ? description->models.at(0) : DescribedModel{};
}

TEST(Description, ReadsWhatAModelCostsAndTakes) {
  const DescribedModel model = read(
      R"(,"prices":{"input":"0.59","output":0.79},"context_length":131072,)"
      R"("modalities":{"input":["text","image"],"output":["text"]},"privacy":"tee","more":{})");
  EXPECT_EQ(model.id, "m");
  EXPECT_EQ(model.input_price, 590'000'000);
  EXPECT_EQ(model.output_price, 790'000'000);
  EXPECT_EQ(model.context_length, 131072U);
  EXPECT_EQ(model.input_modalities, (std::vector<std::string>{"text", "image"}));
  EXPECT_EQ(model.output_modalities, std::vector<std::string>{"text"});
  EXPECT_EQ(model.privacy, "tee");
}

TEST(Description, WhatCannotBeUsedIsUnknown) {
  for (const char* const members :
       {"", R"(,"prices":{"input":"-1","output":-1})", R"(,"prices":{"input":"x","output":1e300})",
        R"(,"prices":5,"context_length":-4,"modalities":[],"privacy":7)",
        R"(,"context_length":"8192","modalities":{"input":"text","output":[1]})"}) {
    const DescribedModel model = read(members);
    EXPECT_LT(model.input_price, 0) << members;
    EXPECT_LT(model.output_price, 0) << members;
    EXPECT_EQ(model.context_length, 0U) << members;
    EXPECT_TRUE(model.input_modalities.empty()) << members;
    EXPECT_TRUE(model.output_modalities.empty()) << members;
    EXPECT_EQ(model.privacy, "") << members;
  }
}

}  // namespace
}  // namespace backplane
