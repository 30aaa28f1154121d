// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/embeddings/embedding_request.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>
#include <limits>

#include "plugins/backends/local/embeddings/embedding_document.hpp"
#include "plugins/backends/local/embeddings/pooling.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

Result<EmbeddingRequest> parse(const std::string& body) {
  return parse_embedding_request(json::parse(body).as_object());
}

TEST(EmbeddingRequest, TakesAllFormsOfInput) {
  struct Case {
    const char* input;
    std::vector<std::string> texts;
    std::vector<std::vector<Token>> tokens;
  };
  const Case cases[] = {
      {R"("a")", {"a"}, {{}}},
      {R"(["a","b"])", {"a", "b"}, {{}, {}}},
      {"[1,2]", {""}, {{1, 2}}},
      {"[[1,2],[3]]", {"", ""}, {{1, 2}, {3}}},
      {R"(["a",[3]])", {"a", ""}, {{}, {3}}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.input);
    const auto request = parse(std::string(R"({"input":)") + one.input + "}");
    ASSERT_TRUE(request) << request.error().message;
    ASSERT_EQ(request->inputs.size(), one.texts.size());
    for (std::size_t i = 0; i < one.texts.size(); ++i) {
      EXPECT_EQ(request->inputs[i].text, one.texts[i]);
      EXPECT_EQ(request->inputs[i].tokens, one.tokens[i]);
    }
  }
}

TEST(EmbeddingRequest, ReadsItsOptions) {
  const auto plain = parse(R"({"input":"a","user":"u","dimensions":null})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->dimensions, 0U);
  EXPECT_FALSE(plain->is_base64);
  EXPECT_EQ(plain->truncation.cut, Truncation::Cut::kNothing);
  const auto full =
      parse(R"({"input":"a","dimensions":8,"encoding_format":"base64","truncate":"START"})");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->dimensions, 8U);
  EXPECT_TRUE(full->is_base64);
  EXPECT_EQ(full->truncation.cut, Truncation::Cut::kStart);
  const auto short_one = parse(R"({"input":"a","truncate_prompt_tokens":5})");
  EXPECT_EQ(short_one->truncation.cut, Truncation::Cut::kEnd);
  EXPECT_EQ(short_one->truncation.tokens_max, 5U);
  EXPECT_EQ(parse(R"({"input":"a","truncate_prompt_tokens":-1})")->truncation.tokens_max, 0U);
  EXPECT_EQ(parse(R"({"input":"a","truncate":true})")->truncation.cut, Truncation::Cut::kEnd);
}

TEST(EmbeddingRequest, RefusesWhatIsWrongByField) {
  const std::string many = "[" + [] {
    std::string list = R"("a")";
    for (std::size_t i = 0; i < kTextInputsMax; ++i) list += R"(,"a")";
    return list;
  }() + "]";
  const std::pair<std::string, const char*> cases[] = {
      {R"({})", "input"},
      {R"({"input":null})", "input"},
      {R"({"input":7})", "input"},
      {R"({"input":""})", "input"},
      {R"({"input":[]})", "input"},
      {R"({"input":[[]]})", "input[0]"},
      {R"({"input":["a",""]})", "input[1]"},
      {R"({"input":["a",7]})", "input[1]"},
      {R"({"input":[1,"a"]})", "input"},
      {R"({"input":[-1]})", "input"},
      {R"({"input":[1.5]})", "input"},
      {R"({"input":[99999999999]})", "input"},
      {R"({"input":)" + many + "}", "input"},
      {R"({"input":"a","dimensions":0})", "dimensions"},
      {R"({"input":"a","dimensions":"8"})", "dimensions"},
      {R"({"input":"a","encoding_format":"int8"})", "encoding_format"},
      {R"({"input":"a","truncate":"MIDDLE"})", "truncate"},
      {R"({"input":"a","truncate_prompt_tokens":0})", "truncate_prompt_tokens"},
      {R"({"input":"a","truncate_prompt_tokens":-2})", "truncate_prompt_tokens"},
  };
  for (const auto& [body, field] : cases) {
    const auto request = parse(body);
    ASSERT_FALSE(request) << body.substr(0, 80);
    EXPECT_EQ(request.error().http_status, 400U);
    EXPECT_TRUE(request.error().message.starts_with(std::string(field) + ":"))
        << request.error().message;
  }
}

TEST(EmbeddingDocument, NumbersReadAsTheSameFloats) {
  const std::vector<float> vector = {0.1f,       -1e-30f, 1, 0, std::numeric_limits<float>::min(),
                                     0.33333334f};
  const std::string text = embedding_document({embedding_item(0, vector, false)}, R"("m \" n")", 7);
  const json::value document = json::parse(text);
  EXPECT_EQ(document.at("object"), "list");
  EXPECT_EQ(document.at("model"), "m \" n");
  EXPECT_EQ(document.at("usage").at("prompt_tokens"), 7);
  EXPECT_EQ(document.at("usage").at("total_tokens"), 7);
  const json::value& item = document.at("data").at(0);
  EXPECT_EQ(item.at("object"), "embedding");
  EXPECT_EQ(item.at("index"), 0);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    EXPECT_EQ(static_cast<float>(item.at("embedding").at(i).to_number<double>()), vector[i]);
  }
}

TEST(EmbeddingDocument, Base64) {
  const std::pair<std::string_view, const char*> cases[] = {{"", ""},
                                                            {"f", "Zg=="},
                                                            {"fo", "Zm8="},
                                                            {"foo", "Zm9v"},
                                                            {"foob", "Zm9vYg=="},
                                                            {"fooba", "Zm9vYmE="},
                                                            {"foobar", "Zm9vYmFy"},
                                                            {"\xfb\xff", "+/8="}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(base64_of(std::as_bytes(std::span(bytes))), text);
  }
  const float one[] = {1.0f};
  EXPECT_EQ(embedding_item(3, one, true),
            R"({"object":"embedding","index":3,"embedding":"AACAPw=="})");
}

TEST(Pooling, OfEachKind) {
  const std::vector<std::vector<float>> states = {{1, 2}, {3, -2}, {8, 3}};
  const std::pair<Pooling, std::vector<float>> cases[] = {
      {Pooling::kMean, {4, 1}}, {Pooling::kCls, {1, 2}}, {Pooling::kLast, {8, 3}}};
  for (const auto& [pooling, expected] : cases) {
    Pooler pooler(pooling, states.size());
    for (int round = 0; round < 2; ++round) {
      pooler.restart();
      for (std::size_t i = 0; i < states.size(); ++i) {
        if (pooler.wants(i)) pooler.add(states[i]);
      }
      EXPECT_EQ(pooler.pooled(), expected);
    }
  }
}

TEST(Pooling, Normalises) {
  std::vector<float> vector = {3, 0, -4};
  normalise(vector);
  EXPECT_EQ(vector, (std::vector<float>{0.6f, 0, -0.8f}));
  std::vector<float> zeros = {0, 0};
  normalise(zeros);
  EXPECT_EQ(zeros, (std::vector<float>{0, 0}));
}

TEST(Pooling, IsWhatTheFileSays) {
  const auto of_file = [](std::optional<std::uint32_t> type) {
    GgufWriter writer = tiny_model();
    if (type) writer.add_unsigned("llama.pooling_type", *type);
    const auto file = ModelFile::open(writer.save("pooling.gguf"));
    return pooling_of(*file);
  };
  EXPECT_FALSE(of_file(std::nullopt)->is_given);
  EXPECT_FALSE(of_file(0)->is_given);
  EXPECT_EQ(of_file(1)->pooling, Pooling::kMean);
  EXPECT_EQ(of_file(2)->pooling, Pooling::kCls);
  EXPECT_EQ(of_file(3)->pooling, Pooling::kLast);
  EXPECT_EQ(of_file(4)->pooling, Pooling::kLast);
  EXPECT_FALSE(of_file(9));
  EXPECT_EQ(pooling_of("mean"), Pooling::kMean);
  EXPECT_EQ(pooling_of("none"), std::nullopt);
}

}  // namespace
}  // namespace backplane::local
