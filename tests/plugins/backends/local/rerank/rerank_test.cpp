// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>

#include "plugins/backends/local/rerank/rank_head.hpp"
#include "plugins/backends/local/rerank/rerank_request.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "tests/kernels/random_tensors.hpp"
#include "tests/plugins/backends/local/adapters/tiny_adapter.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::size_t kEmbedding = 32;

Result<RerankRequest> parse(const std::string& body) {
  return parse_rerank_request(json::parse(body).as_object());
}

TEST(RerankRequest, ReadsDocumentsOfBothForms) {
  const auto request = parse(
      R"({"query":"q","documents":["a",{"text":"b","title":"t"}],"top_n":9,"truncate":true,
          "return_documents":true})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->query, "q");
  EXPECT_EQ(request->documents, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request->top_n, 2U);
  EXPECT_TRUE(request->returns_documents);
  EXPECT_EQ(request->truncation.cut, Truncation::Cut::kEnd);
}

TEST(RerankRequest, RefusesWhatIsWrongByField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"documents":["a"]})", "query"},
      {R"({"query":"","documents":["a"]})", "query"},
      {R"({"query":"q"})", "documents"},
      {R"({"query":"q","documents":[]})", "documents"},
      {R"({"query":"q","documents":"a"})", "documents"},
      {R"({"query":"q","documents":["a",1]})", "documents[1]"},
      {R"({"query":"q","documents":[{"title":"t"}]})", "documents[0]"},
      {R"({"query":"q","documents":["a"],"top_n":0})", "top_n"},
      {R"({"query":"q","documents":["a"],"top_n":"1"})", "top_n"},
      {R"({"query":"q","documents":["a"],"return_documents":1})", "return_documents"},
  };
  for (const auto& [body, field] : cases) {
    const auto request = parse(body);
    ASSERT_FALSE(request) << body;
    EXPECT_TRUE(request.error().message.starts_with(std::string(field) + ":"))
        << request.error().message;
  }
}

TEST(RerankDocument, BestFirst) {
  auto request = parse(R"({"query":"q","documents":["a","b","c","d"],"top_n":3})");
  ASSERT_TRUE(request);
  const std::vector<float> scores = {0.25f, 0.5f, 0.75f, 0.5f};
  const json::value document = json::parse(rerank_document(*request, scores, R"("m")", "id-1", 12));
  EXPECT_EQ(document.at("id"), "id-1");
  EXPECT_EQ(document.at("model"), "m");
  EXPECT_EQ(document.at("usage").at("total_tokens"), 12);
  const json::array& results = document.at("results").as_array();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].at("index"), 2);
  EXPECT_EQ(results[0].at("relevance_score"), 0.75);
  EXPECT_EQ(results[1].at("index"), 1);
  EXPECT_EQ(results[2].at("index"), 3);
  EXPECT_FALSE(results[0].as_object().contains("document"));
  request->returns_documents = true;
  const json::value full = json::parse(rerank_document(*request, scores, R"("m")", "", 12));
  EXPECT_EQ(full.at("results").at(0).at("document").at("text"), "c");
}

class RankHeadTest : public testing::Test {
 protected:
  Result<std::optional<RankHead>> load(const GgufWriter& writer) {
    auto opened = ModelFile::open(writer.save("rank.gguf"));
    EXPECT_TRUE(opened);
    file = std::make_unique<ModelFile>(std::move(*opened));
    return RankHead::load(*file);
  }
  static double dot(const std::vector<float>& a, const std::vector<float>& b, std::size_t row = 0) {
    double sum = 0;
    for (std::size_t i = 0; i < b.size(); ++i) sum += double{a[row * b.size() + i]} * b[i];
    return sum;
  }
  std::unique_ptr<ModelFile> file;
  const std::vector<float> state = kernels::random_floats(kEmbedding, 1);
};

TEST_F(RankHeadTest, OneLabelIsAProbability) {
  const auto weights = kernels::random_floats(kEmbedding, 2);
  GgufWriter writer = tiny_model();
  writer.add_tensor("cls.output.weight", 0, {kEmbedding, 1}, float_bytes(weights));
  writer.add_tensor("cls.output.bias", 0, {1}, float_bytes({0.5f}));
  const auto head = load(writer);
  ASSERT_TRUE(head && head->has_value());
  EXPECT_NEAR((*head)->score(state), 1 / (1 + std::exp(-dot(weights, state) - 0.5)), 1e-6);
}

TEST_F(RankHeadTest, OfTwoLabelsTheFirstIsThatItFits) {
  const auto weights = kernels::random_floats(2 * kEmbedding, 3);
  GgufWriter writer = tiny_model();
  writer.add_tensor("cls.output.weight", 0, {kEmbedding, 2}, float_bytes(weights));
  const auto head = load(writer);
  ASSERT_TRUE(head && head->has_value());
  const double yes = std::exp(dot(weights, state, 0)), no = std::exp(dot(weights, state, 1));
  EXPECT_NEAR((*head)->score(state), yes / (yes + no), 1e-6);
}

TEST_F(RankHeadTest, ALayerInBetween) {
  const auto dense = kernels::random_floats(kEmbedding * kEmbedding, 4);
  const auto weights = kernels::random_floats(kEmbedding, 5);
  GgufWriter writer = tiny_model();
  writer.add_tensor("cls.weight", 0, {kEmbedding, kEmbedding}, float_bytes(dense));
  writer.add_tensor("cls.output.weight", 0, {kEmbedding}, float_bytes(weights));
  const auto head = load(writer);
  ASSERT_TRUE(head && head->has_value());
  std::vector<float> middle;
  for (std::size_t i = 0; i < kEmbedding; ++i) {
    middle.push_back(static_cast<float>(std::tanh(dot(dense, state, i))));
  }
  EXPECT_NEAR((*head)->score(state), 1 / (1 + std::exp(-dot(weights, middle))), 1e-5);
}

TEST_F(RankHeadTest, NoClassifierIsNone) {
  const auto head = load(tiny_model());
  ASSERT_TRUE(head);
  EXPECT_FALSE(head->has_value());
}

TEST_F(RankHeadTest, WrongClassifiersAreRefused) {
  GgufWriter labels = tiny_model();
  labels.add_tensor("cls.output.weight", 0, {kEmbedding, 3},
                    float_bytes(kernels::random_floats(3 * kEmbedding, 1)));
  EXPECT_NE(load(labels).error().message.find("3 labels"), std::string::npos);
  GgufWriter width = tiny_model();
  width.add_tensor("cls.output.weight", 0, {8, 1}, float_bytes(kernels::random_floats(8, 1)));
  EXPECT_NE(load(width).error().message.find("cls.output.weight"), std::string::npos);
  GgufWriter bias = tiny_model();
  bias.add_tensor("cls.output.weight", 0, {kEmbedding, 1},
                  float_bytes(kernels::random_floats(kEmbedding, 1)));
  bias.add_tensor("cls.output.bias", 0, {2}, float_bytes({1, 2}));
  EXPECT_NE(load(bias).error().message.find("cls.output.bias"), std::string::npos);
}

}  // namespace
}  // namespace backplane::local
