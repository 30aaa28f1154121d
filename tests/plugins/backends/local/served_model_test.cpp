// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/served_model.hpp"

#include <gtest/gtest.h>

#include "tests/plugins/backends/local/engine/heard.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

using Names = std::vector<std::string>;

class ServedModelTest : public testing::Test {
 protected:
  Result<ServedModel> open(const GgufWriter& model, const json::object& settings) {
    EngineOptions options = tiny_options();
    options.model_path = model.save("served.gguf");
    engine = load(options);
    return ServedModel::load(settings, *engine);
  }
  std::unique_ptr<Engine> engine;
};

TEST_F(ServedModelTest, AModelThatWritesServesAll) {
  const auto served = open(tiny_model(), {});
  ASSERT_TRUE(served);
  EXPECT_EQ(served->operations, (Names{"chat.completions", "completions", "embeddings", "rerank"}));
  EXPECT_TRUE(served->serves("rerank"));
  EXPECT_FALSE(served->serves("responses"));
  EXPECT_EQ(served->pooled.pooling, Pooling::kLast);
  EXPECT_FALSE(served->pooled.rank_head);
  EXPECT_FALSE(served->adapters->is_open());
}

TEST_F(ServedModelTest, AModelForVectorsServesVectors) {
  GgufWriter model = tiny_model();
  model.add_unsigned("llama.pooling_type", 1);
  const auto served = open(model, {});
  ASSERT_TRUE(served);
  EXPECT_EQ(served->operations, (Names{"embeddings", "rerank"}));
  EXPECT_EQ(served->pooled.pooling, Pooling::kMean);
}

TEST_F(ServedModelTest, SettingsGoFirst) {
  GgufWriter model = tiny_model();
  model.add_unsigned("llama.pooling_type", 1);
  const auto served = open(model, {{"pooling", "cls"}, {"operations", json::array{"completions"}}});
  ASSERT_TRUE(served);
  EXPECT_EQ(served->operations, Names{"completions"});
  EXPECT_EQ(served->pooled.pooling, Pooling::kCls);
}

TEST_F(ServedModelTest, ATemplateNeedsItsAnswers) {
  const json::object settings{{"rerank_template", "{query} {document}"}};
  const auto without = open(tiny_model(), settings);
  ASSERT_FALSE(without);
  EXPECT_NE(without.error().message.find("rerank_template"), std::string::npos);
}

TEST_F(ServedModelTest, AdaptersThatAreNotThereAreTold) {
  const auto error_of = [&](const json::object& settings) {
    const auto served = open(tiny_model(), settings);
    return served ? std::string() : served.error().message;
  };
  EXPECT_EQ(error_of({{"adapters", {{"a", "/nowhere.gguf"}}}}),
            "adapters.a: /nowhere.gguf: no such file or folder");
  EXPECT_EQ(error_of({{"adapters_folder", "/nowhere"}}).rfind("adapters_folder: /nowhere: ", 0),
            0U);
  EXPECT_EQ(error_of({{"adapters", {{"a", "/"}}}, {"adapters_folder", "/"}}), "");
}

TEST_F(ServedModelTest, KnowsWhetherThereMayBeAdapters) {
  EXPECT_FALSE(has_adapters({}));
  EXPECT_FALSE(has_adapters({{"adapters", json::object()}}));
  EXPECT_TRUE(has_adapters({{"adapters", {{"a", "/a.gguf"}}}}));
  EXPECT_TRUE(has_adapters({{"adapters_folder", "/adapters"}}));
}

}  // namespace
}  // namespace backplane::local
