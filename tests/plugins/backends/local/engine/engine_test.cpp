// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "plugins/backends/local/model/model.hpp"
#include "tests/plugins/backends/local/engine/heard.hpp"
#include "tests/plugins/backends/local/recorded.hpp"

namespace backplane::local {
namespace {

TEST(Engine, TellsAboutItsModel) {
  EngineOptions options = tiny_options();
  const auto engine = load(options);
  EXPECT_EQ(engine->info().name, "tiny");
  EXPECT_EQ(engine->info().architecture, "llama");
  EXPECT_EQ(engine->info().file_type, "F32");
  EXPECT_EQ(engine->info().context_tokens, kTinyContext);
  EXPECT_GT(engine->info().parameters, 20000u);
  options.context_tokens = 100;
  EXPECT_EQ(load(options)->info().context_tokens, 100u);
  options.cache_bytes_max = 1 << 14;
  EXPECT_LT(load(options)->info().context_tokens, 100u);
}

TEST(Engine, ResultsDoNotDependOnWhatElseRuns) {
  for (const std::uint32_t type : {0u, 1u, 8u}) {
    EngineOptions options = tiny_options();
    options.model_path = tiny_model(type).save("crowd.gguf");
    const auto engine = load(options);
    constexpr int kRequests = 20;
    std::vector<std::string> alone;
    for (int i = 0; i < kRequests; ++i) alone.push_back(text_alone(*engine, request_for(i)));
    options.threads = 1;
    options.batch_tokens = 11;
    const auto crowded = load(options);
    std::vector<Heard> heard(kRequests);
    for (int i = 0; i < kRequests; ++i) {
      heard[static_cast<std::size_t>(i)].submit(*crowded, request_for(i));
    }
    for (std::size_t i = 0; i < kRequests; ++i) {
      heard[i].wait();
      EXPECT_EQ(heard[i].text(), alone[i]) << "request " << i << " type " << type;
      EXPECT_FALSE(heard[i].error());
    }
  }
}

TEST(Engine, CountsTokensAndStopsAtTheLimit) {
  const auto engine = load(tiny_options());
  Heard heard;
  heard.submit(*engine, request_for(2, 7));
  heard.wait();
  EXPECT_EQ(heard.reason(), FinishReason::kLength);
  EXPECT_EQ(heard.usage().prompt_tokens, 14u);
  EXPECT_EQ(heard.usage().completion_tokens, 7u);
}

TEST(Engine, NoLimitMeansTheRestOfTheContext) {
  const auto engine = load(tiny_options());
  Heard heard;
  heard.submit(*engine, request_for(2, 0));
  heard.wait();
  if (heard.reason() == FinishReason::kLength) {
    EXPECT_EQ(heard.usage().prompt_tokens + heard.usage().completion_tokens, kTinyContext);
  }
}

TEST(Engine, NoLimitMeansTheDefaultWhereThereIsOne) {
  EngineOptions options = tiny_options();
  options.answer_tokens_default = 5;
  const auto engine = load(options);
  Heard heard;
  heard.submit(*engine, request_for(2, 0));
  heard.wait();
  EXPECT_EQ(heard.reason(), FinishReason::kLength);
  EXPECT_EQ(heard.usage().completion_tokens, 5u);
}

TEST(Engine, ATextThatCannotFitIsRefusedBeforeItIsTokenized) {
  const auto engine = load(tiny_options());
  const std::size_t bytes = (kTinyContext + 1) * engine->tokenizer().vocabulary().longest_bytes();
  EXPECT_TRUE(engine->check_length(std::string(bytes - 1, 'x')));
  const Status refused = engine->check_length(std::string(bytes, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().type, "context_length_exceeded");
  EXPECT_NE(refused.error().message.find(std::to_string(bytes)), std::string::npos);
}

TEST(Engine, StopStringsEndTheTextBeforeThem) {
  const auto engine = load(tiny_options());
  const std::string whole = text_alone(*engine, request_for(4));
  ASSERT_GT(whole.size(), 12u);
  for (std::size_t at : {std::size_t{0}, std::size_t{5}, whole.size() - 4}) {
    GenerateRequest request = request_for(4);
    request.stop = {"never seen", whole.substr(at, 4)};
    Heard heard;
    heard.submit(*engine, request);
    heard.wait();
    EXPECT_EQ(heard.text(), whole.substr(0, whole.find(request.stop[1])));
    EXPECT_EQ(heard.reason(), FinishReason::kStop);
  }
}

// The greedy token after a prompt, from the model itself.
Token greedy_token(const std::string& path, const std::vector<Token>& prompt) {
  const auto file = ModelFile::open(path);
  const auto device = kernels::make_cpu_device(1);
  const auto model = Model::load(*file, *device, 64, 1);
  const auto cache = (*model)->new_pages(1);
  const PageId page = 0;
  std::vector<BatchEntry> batch;
  for (const Token token : prompt) {
    const auto position = static_cast<std::uint32_t>(batch.size());
    batch.push_back({&page, position, token, batch.size() + 1 == prompt.size()});
  }
  const auto logits = (*model)->forward(batch, **cache);
  return Sampler({0, 0, 1, 0}).pick({logits.data, logits.columns});
}

TEST(Engine, EndTokensEndTheTextAndAreNotInIt) {
  const GenerateRequest request = request_for(0);
  const Token last = greedy_token(tiny_model().save("end.gguf"), request.prompt_tokens);
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
    GgufWriter writer = tiny_model();
    writer.add_unsigned(key, static_cast<std::uint32_t>(last));
    EngineOptions options = tiny_options();
    options.model_path = writer.save("end.gguf");
    const auto engine = load(options);
    Heard heard;
    heard.submit(*engine, request);
    heard.wait();
    EXPECT_EQ(heard.reason(), FinishReason::kStop) << key;
    EXPECT_EQ(heard.text(), "");
    EXPECT_EQ(heard.usage().completion_tokens, 1u);
  }
}

TEST(Engine, CancelTakesEffectBeforeTheNextStep) {
  const auto engine = load(tiny_options());
  Heard heard;
  heard.on_first_text = [&](RequestId id) { engine->cancel(id); };
  heard.submit(*engine, request_for(0, 200));
  heard.wait();
  EXPECT_EQ(heard.reason(), FinishReason::kCancelled);
  EXPECT_LT(heard.usage().completion_tokens, 10u);
  engine->cancel(heard.id());
  engine->cancel(999);
}

TEST(Engine, APausedStreamWaitsAndGoesOnWhereItWas) {
  const auto engine = load(tiny_options());
  const std::string whole = text_alone(*engine, request_for(0, 100));
  Heard paused;
  paused.on_first_text = [&](RequestId id) { engine->pause(id); };
  paused.submit(*engine, request_for(0, 100));
  paused.wait_for_text();
  const std::string before = paused.text();
  text_alone(*engine, request_for(1, 50));
  EXPECT_EQ(paused.text(), before);
  EXPECT_FALSE(paused.over());
  engine->resume(paused.id());
  paused.wait();
  EXPECT_EQ(paused.text(), whole);
}

TEST(Engine, CacheMemoryBoundsWhatRunsTogether) {
  EngineOptions options = tiny_options();
  options.cache_bytes_max = 6 * 16 * 2 * 2 * 16 * sizeof(float);  // 6 pages
  const auto engine = load(options);
  EXPECT_EQ(engine->info().context_tokens, 96u);
  std::vector<Heard> heard(6);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    heard[i].submit(*engine, request_for(static_cast<int>(i), 60));
  }
  for (Heard& each : heard) {
    each.wait();
    EXPECT_FALSE(each.error());
  }
}

TEST(Engine, BadRequestsAreRefusedWithAReason) {
  struct Case {
    std::function<void(GenerateRequest&)> change;
    const char* expected;
  };
  const Case cases[] = {
      {[](GenerateRequest& r) { r.prompt_tokens.clear(); }, "no tokens"},
      {[](GenerateRequest& r) { r.prompt_tokens = {-1}; }, "prompt token -1"},
      {[](GenerateRequest& r) { r.prompt_tokens = {100000}; }, "prompt token 100000"},
      {[](GenerateRequest& r) { r.max_tokens = 250; },
       "the prompt has 9 tokens and up to 250 more are asked for; the context holds 256"},
      {[](GenerateRequest& r) { r.prompt_tokens.assign(256, 5); }, "the prompt has 256 tokens"},
      {[](GenerateRequest& r) { r.prompt_tokens.assign(256, 5), r.max_tokens = 0; },
       "the prompt has 256 tokens; the context holds 256: shorten the prompt"},
      {[](GenerateRequest& r) { r.stop.assign(17, "x"); }, "at most 16 stop strings"},
      {[](GenerateRequest& r) { r.stop = {""}; }, "1 to 1024 bytes"},
      {[](GenerateRequest& r) { r.sampling.temperature = 3; }, "temperature"},
  };
  const auto engine = load(tiny_options());
  for (const Case& c : cases) {
    GenerateRequest request = request_for(1);
    c.change(request);
    Heard heard;
    const auto id = engine->submit(request, heard);
    ASSERT_FALSE(id) << c.expected;
    EXPECT_EQ(id.error().code, Code::kInvalidArgument);
    EXPECT_NE(id.error().message.find(c.expected), std::string::npos) << id.error().message;
    const bool context = std::string(c.expected).find("the prompt has") == 0;
    EXPECT_EQ(id.error().type, context ? "context_length_exceeded" : "");
  }
}

TEST(Engine, StopEndsEverythingOnce) {
  const auto engine = load(tiny_options());
  std::vector<Heard> heard(12);
  for (Heard& each : heard) {
    each.on_first_text = [&](RequestId id) { engine->pause(id); };
    each.submit(*engine, request_for(0, 200));
  }
  heard[0].wait_for_text();
  engine->stop();
  engine->stop();
  for (Heard& each : heard) {
    ASSERT_TRUE(each.over());
    ASSERT_TRUE(each.error());
    EXPECT_EQ(each.error()->code, Code::kUnavailable);
  }
  Heard late;
  EXPECT_EQ(engine->submit(request_for(0), late).error().code, Code::kUnavailable);
}

TEST(Engine, RendersAndTokenizesConversations) {
  const auto engine = load(tiny_options());
  Object message;
  message.set("role", "user");
  message.set("content", "the <s> end");
  Object inputs;
  inputs.set("messages", List{Value(message)});
  inputs.set("add_generation_prompt", true);
  const auto text = engine->render_chat(inputs, 0);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, "<s>user: the <\xffs> end<|end|>assistant: ");  // marked as text
  const auto tokens = engine->tokenize_chat(*text);
  EXPECT_EQ(tokens[0], kTinyBos);
  EXPECT_NE(tokens[1], kTinyBos);
  EXPECT_EQ(std::count(tokens.begin(), tokens.end(), kTinyBos), 1);
  const auto plain = engine->tokenize_text("the <s>");
  EXPECT_EQ(std::count(plain.begin(), plain.end(), kTinyBos), 1);
}

TEST(Engine, ConversationsWithToolsHaveATemplateOfTheirOwn) {
  GgufWriter writer = tiny_model();
  writer.add_text("tokenizer.chat_template.tool_use", "tools: {{ tools|length }}");
  EngineOptions options = tiny_options();
  options.model_path = writer.save("tool_template.gguf");
  const auto engine = load(options);
  const auto rendered = [&](const Value& tools) {
    Object inputs;
    inputs.set("messages", List());
    inputs.set("tools", tools);
    const auto text = engine->render_chat(inputs, 0);
    return text ? *text : text.error().message;
  };
  EXPECT_EQ(rendered(List{Value("a"), Value("b")}), "tools: 2");
  EXPECT_EQ(rendered(List()), "<s>");
  EXPECT_EQ(rendered(Value::None()), "<s>");
  EXPECT_EQ(engine->info().template_for(true), "tools: {{ tools|length }}");
  EXPECT_EQ(load(tiny_options())->info().template_for(true), engine->info().template_for(false));
}

TEST(Engine, SaysWhyAConversationCannotBeRendered) {
  GgufWriter writer = tiny_model();
  writer.add_text("tokenizer.chat_template", "line one\n{% include 'x' %}");
  EngineOptions options = tiny_options();
  options.model_path = writer.save("template.gguf");
  const auto text = load(options)->render_chat({}, 0);
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("line 2"), std::string::npos) << text.error().message;
}

TEST(Engine, LoadErrorsNameTheFile) {
  EngineOptions options;
  options.model_path = "/nonexistent/model.gguf";
  EXPECT_EQ(Engine::load(options).error().code, Code::kNotFound);
  GgufWriter writer = tiny_model();
  writer.add_texts("tokenizer.ggml.tokens", {"a", "b"});
  writer.add_integers("tokenizer.ggml.token_type", {1, 1});
  writer.add_reals("tokenizer.ggml.scores", {0, 0});
  options.model_path = writer.save("mismatch.gguf");
  const auto engine = Engine::load(options);
  ASSERT_FALSE(engine);
  EXPECT_NE(engine.error().message.find("has 2 tokens, the model"), std::string::npos)
      << engine.error().message;
}

TEST(GoldenEngine, ConcurrentGreedyTextsEqualTheRecording) {
  EngineOptions options;
  options.model_path = recorded_path("models/stories260K.gguf");
  const std::string golden = recorded_path("models/golden/stories260K.dev.jsonl");
  if (options.model_path.empty() || golden.empty()) GTEST_SKIP() << "no recorded model";
  options.sequences_max = 10;
  const auto engine = load(options);
  const auto lines = recorded_lines(golden);
  std::vector<Heard> heard(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    GenerateRequest request;
    request.prompt_tokens =
        engine->tokenize_text(std::string_view(lines[i].at("prompt").as_string()));
    request.max_tokens = static_cast<std::uint32_t>(lines[i].at("output_tokens").as_array().size());
    request.sampling.temperature = 0;
    heard[i].submit(*engine, request);
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    heard[i].wait();
    if (lines[i].at("min_margin").as_double() < 0.02) continue;
    EXPECT_EQ(heard[i].text(), std::string(lines[i].at("text").as_string()));
  }
}

}  // namespace
}  // namespace backplane::local
