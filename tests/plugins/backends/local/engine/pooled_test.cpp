// SPDX-License-Identifier: Apache-2.0
// Requests for vectors, and requests with adapters, among others.
#include <gtest/gtest.h>

#include <future>
#include <list>

#include "plugins/backends/local/adapters/placed_adapters.hpp"
#include "tests/plugins/backends/local/adapters/tiny_adapter.hpp"
#include "tests/plugins/backends/local/engine/heard.hpp"

namespace backplane::local {
namespace {

using Adapter = std::shared_ptr<const LoraAdapter>;

EngineOptions adapter_options() {
  EngineOptions options = tiny_options();
  options.allows_adapters = true;
  return options;
}

Adapter load_adapter(const Engine& engine, std::uint32_t seed) {
  auto adapter = LoraAdapter::load(tiny_adapter(seed).save("pooled_lora.gguf"), engine.file());
  EXPECT_TRUE(adapter) << adapter.error().message;
  return *adapter;
}

GenerateRequest pooled_request(int number, Pooling pooling, const Adapter& adapter = nullptr) {
  GenerateRequest request = request_for(number, 0);
  request.pooling = pooling;
  request.adapter = adapter;
  return request;
}

std::vector<float> vector_of(Engine& engine, GenerateRequest request) {
  Heard heard;
  heard.submit(engine, std::move(request));
  heard.wait();
  EXPECT_FALSE(heard.error()) << heard.error()->message;
  EXPECT_EQ(heard.reason(), FinishReason::kStop);
  return heard.embedding();
}

// Straight from the model, in one batch.
std::vector<float> expected_vector(const GenerateRequest& request) {
  const auto file = ModelFile::open(tiny_model().save("expected.gguf"));
  const auto device = kernels::make_cpu_device(1);
  const auto model = Model::load(*file, *device, 256, 256);
  EXPECT_TRUE((*model)->allow_adaptations());
  PlacedAdapters adapters(*device, **model);
  const Adaptation* adaptation =
      request.adapter == nullptr ? nullptr : *adapters.place(request.adapter);
  const auto cache = (*model)->new_pages(16);
  std::vector<PageId> pages;
  for (PageId page = 0; page < 16; ++page) pages.push_back(page);
  std::vector<BatchEntry> batch;
  Pooler pooler(*request.pooling, request.prompt_tokens.size());
  for (const Token token : request.prompt_tokens) {
    const auto position = static_cast<std::uint32_t>(batch.size());
    batch.push_back({pages.data(), position, token, false, pooler.wants(position), adaptation,
                     request.adapter_scale});
  }
  (*model)->forward(batch, **cache);
  const auto rows = (*model)->hidden_rows();
  for (std::size_t row = 0; row < rows.rows; ++row) pooler.add({rows.row(row), rows.columns});
  return pooler.pooled();
}

TEST(EnginePooled, StatesOfAllStepsArePooled) {
  const auto engine = load(adapter_options());
  const Adapter adapter = load_adapter(*engine, 3);
  EXPECT_EQ(engine->info().embedding_size, 32U);
  for (const Pooling pooling : {Pooling::kMean, Pooling::kCls, Pooling::kLast}) {
    for (const int number : {0, 3, 9, 40}) {  // up to 204 tokens, 16 in a step
      const GenerateRequest request = pooled_request(number, pooling);
      EXPECT_EQ(vector_of(*engine, request), expected_vector(request)) << number;
      const GenerateRequest adapted = pooled_request(number, pooling, adapter);
      EXPECT_EQ(vector_of(*engine, adapted), expected_vector(adapted)) << number;
    }
  }
}

TEST(EnginePooled, TheWholeContextFitsAndNoMore) {
  const auto engine = load(tiny_options());
  GenerateRequest request;
  request.prompt_tokens.assign(kTinyContext, kTinyFirstByte);
  request.pooling = Pooling::kMean;
  EXPECT_EQ(vector_of(*engine, request).size(), 32U);
  request.prompt_tokens.push_back(kTinyFirstByte);
  Heard heard;
  const auto refused = engine->submit(request, heard);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().type, "context_length_exceeded");
}

TEST(EnginePooled, UsageIsThatOfThePrompt) {
  const auto engine = load(tiny_options());
  Heard heard;
  const GenerateRequest request = pooled_request(4, Pooling::kMean);
  heard.submit(*engine, request);
  heard.wait();
  EXPECT_EQ(heard.usage().prompt_tokens, request.prompt_tokens.size());
  EXPECT_EQ(heard.usage().completion_tokens, 0U);
  EXPECT_TRUE(heard.text().empty());
}

TEST(EnginePooled, CachedPrefixesChangeNoVector) {
  const auto engine = load(tiny_options());
  text_alone(*engine, request_for(20, 4));  // leaves its pages in the cache
  for (const Pooling pooling : {Pooling::kMean, Pooling::kCls, Pooling::kLast}) {
    const GenerateRequest request = pooled_request(20, pooling);
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(vector_of(*engine, request), expected_vector(request));
    }
  }
  Heard heard;
  heard.submit(*engine, pooled_request(20, Pooling::kLast));
  heard.wait();
  EXPECT_GT(heard.usage().cached_prompt_tokens, 0U);
}

// What an adapter computed is no prefix for others, nor for another scale of itself.
TEST(EnginePooled, PrefixesAreThoseOfTheAdapter) {
  const auto engine = load(adapter_options());
  const Adapter first = load_adapter(*engine, 3), second = load_adapter(*engine, 4);
  const std::pair<Adapter, float> kinds[] = {
      {nullptr, 1.0f}, {first, 1.0f}, {first, 0.5f}, {second, 1.0f}};
  for (int round = 0; round < 2; ++round) {
    for (const auto& [adapter, scale] : kinds) {
      GenerateRequest request = pooled_request(20, Pooling::kLast, adapter);
      request.adapter_scale = scale;
      EXPECT_EQ(vector_of(*engine, request), expected_vector(request));
    }
  }
}

// Vectors and texts, with and without adapters, all at once and with too little room: each as
// alone.
TEST(EnginePooled, NothingDependsOnWhatElseRuns) {
  EngineOptions options = adapter_options();
  const auto roomy = load(options);
  const Adapter adapters[] = {nullptr, load_adapter(*roomy, 3), load_adapter(*roomy, 4)};
  std::vector<GenerateRequest> requests;
  for (int i = 0; i < 24; ++i) {
    const auto pooling = static_cast<Pooling>(i / 2 % 3);
    requests.push_back(i % 2 == 0 ? pooled_request(i, pooling) : request_for(i % 10, 30));
    requests.back().adapter = adapters[i % 3];
    requests.back().adapter_scale = i % 5 == 0 ? 0.5f : 1.0f;
  }
  std::vector<std::vector<float>> vectors;
  std::vector<std::string> texts;
  for (const GenerateRequest& request : requests) {
    Heard alone;
    alone.submit(*roomy, request);
    alone.wait();
    vectors.push_back(alone.embedding());
    texts.push_back(alone.text());
  }
  options.cache_bytes_max = 256 * 1024;  // a quarter of what they would like
  const auto crowded = load(options);
  for (int round = 0; round < 2; ++round) {
    std::list<Heard> heard;
    for (const GenerateRequest& request : requests) {
      heard.emplace_back().submit(*crowded, request);
    }
    std::size_t index = 0;
    for (Heard& each : heard) {
      each.wait();
      EXPECT_EQ(each.embedding(), vectors[index]) << index;
      EXPECT_EQ(each.text(), texts[index]) << index;
      ++index;
    }
  }
  EXPECT_NE(texts[1], text_alone(*roomy, request_for(1, 30))) << "adapters change nothing";
}

TEST(EnginePooled, ACancelledOneHasNoVector) {
  EngineOptions options = tiny_options();
  options.sequences_max = 1;
  const auto engine = load(options);
  Heard first, second;
  std::promise<void> go_on;
  first.on_first_text = [&](RequestId) { go_on.get_future().wait(); };
  first.submit(*engine, request_for(0, 60));
  first.wait_for_text();
  second.submit(*engine, pooled_request(3, Pooling::kMean));
  engine->cancel(second.id());
  go_on.set_value();
  second.wait();
  first.wait();
  EXPECT_EQ(second.reason(), FinishReason::kCancelled);
  EXPECT_TRUE(second.embedding().empty());
}

}  // namespace
}  // namespace backplane::local
