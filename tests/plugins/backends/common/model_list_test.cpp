// SPDX-License-Identifier: Apache-2.0
#include "common/model_list.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace backplane::dialect {
namespace {

std::string described(const std::string& body) {
  const auto models = read_model_list(body);
  if (!models) return models.error().message;
  std::string out;
  for (const ListedModel& model : *models) out += model.describe(model.id);
  return out;
}

TEST(ModelList, ReadsTheListOfEveryProvider) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"object":"list","data":[{"id":"a","object":"model","owned_by":"b"},{"id":"c"}]})",
       R"({"id":"a","owned_by":"b"}{"id":"c"})"},
      {R"({"data":[{"id":"m","context_window":131072,"active":true}]})",
       R"({"id":"m","context_length":131072})"},
      {R"({"data":[{"id":"m","max_model_len":4096,"root":"r"}]})",
       R"({"id":"m","context_length":4096})"},
      {R"({"data":[{"id":"m","meta":{"n_ctx_train":2048}}]})",
       R"({"id":"m","context_length":2048})"},
      {R"({"data":[{"id":"v/m","context_length":9,"pricing":{"prompt":"0.00000059",)"
       R"("completion":"0.00000079","image":"0"},)"
       R"("architecture":{"input_modalities":["text","image"]}}]})",
       R"({"id":"v/m","context_length":9,"prices":{"input":0.59,"output":0.79},)"
       R"("modalities":{"input":["text","image"],"output":["text"]}})"},
      {R"([{"id":"t/M","context_length":8,"pricing":{"hourly":0,"input":0.88,"output":0.88}}])",
       R"({"id":"t/M","context_length":8,"prices":{"input":0.88,"output":0.88}})"},
      {R"({"data":[{"id":"x","model_spec":{"availableContextTokens":65536,"privacy":"private",)"
       R"("pricing":{"input":{"usd":0.7,"diem":7},"output":{"usd":2.8}},)"
       R"("capabilities":{"supportsVision":true}}}]})",
       R"({"id":"x","context_length":65536,"prices":{"input":0.7,"output":2.8},)"
       R"("modalities":{"input":["text","image"],"output":["text"]},"privacy":"private"})"},
      {R"({"data":[{"id":"e2ee-x","model_spec":{"privacy":"private",)"
       R"("capabilities":{"supportsTeeAttestation":true,"supportsE2EE":true}}}]})",
       R"({"id":"e2ee-x","privacy":"e2ee"})"},
      {R"({"data":[{"id":"d","metadata":{"context_length":7,"pricing":{"input_tokens":0.1,)"
       R"("output_tokens":0.2}}}]})",
       R"({"id":"d","context_length":7,"prices":{"input":0.1,"output":0.2}})"},
      {R"({"data":[]})", ""},
      // What makes no sense is passed over, not the rest.
      {R"({"data":[{"id":5},{},null,"x",{"id":""},{"id":"m","context_length":-5,)"
       R"("pricing":{"prompt":"-1","completion":"free"}}]})",
       R"({"id":"m"})"},
      {R"({"data":[{"id":"m","pricing":{"input":1e300,"output":"nan"}}]})", R"({"id":"m"})"},
      {R"({"error":{"message":"no"}})", "the list of models has no array \"data\""},
      {"<html>", "the list of models is not JSON"},
      {"", "the list of models is not JSON"},
  };
  for (const auto& [body, expected] : cases) EXPECT_EQ(described(body), expected) << body;
}

TEST(ModelList, IsBounded) {
  std::string body = R"({"data":[{"id":")" + std::string(kModelNameMaxBytes + 1, 'x') + "\"}";
  for (std::size_t i = 0; i <= kListedModelsMax; ++i) body += ",{\"id\":\"m\"}";
  const auto models = read_model_list(body + "]}");
  ASSERT_TRUE(models);
  EXPECT_EQ(models->size(), kListedModelsMax);
  EXPECT_EQ(models->front().id, "m");
}

}  // namespace
}  // namespace backplane::dialect
