// SPDX-License-Identifier: Apache-2.0
// Calls for embeddings and rankings: from a document to a document, or an error, once.
#include "plugins/backends/local/pooled_call.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <cmath>
#include <future>
#include <list>
#include <thread>

#include "plugins/backends/local/served_model.hpp"
#include "tests/plugins/backends/local/adapters/tiny_adapter.hpp"
#include "tests/plugins/backends/local/engine/heard.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

// The host's side of a call: its sink, and what came.
class HostSide {
 public:
  HostSide(Engine& engine, const ServedModel& served, const char* operation,
           const std::string& body, const char* model = "route") {
    const BufferRef buffer = BufferRef::adopt(make_buffer(body));
    bp_request request{};
    request.struct_size = sizeof(request);
    request.operation = str(operation);
    request.id = str("call-1");
    request.model = str(model);
    request.body = buffer.get();
    const std::string_view name = R"("public")";
    if (const std::size_t at = body.find(name); at != std::string::npos) {
      request.model_offset = at;
      request.model_size = name.size();
    }
    call = new PooledCall(engine, *served.adapters, served.pooled, request, sink_);
  }
  // Waits for the end.
  std::uint32_t code() { return code_.get(); }
  json::value document() const {
    EXPECT_EQ(error, "");
    return error.empty() ? json::parse(body_) : json::value();
  }
  std::string media_type, error;
  std::uint64_t prompt_tokens = 0;
  std::atomic<int> terminals{0};
  PooledCall* call;

 private:
  static std::uint32_t take(void* context, const bp_event* event) {
    auto* self = static_cast<HostSide*>(context);
    if (event->type == BP_EVENT_BODY) {
      self->body_ += view(event->data);
      self->media_type = view(event->detail);
    } else if (event->type == BP_EVENT_USAGE) {
      self->prompt_tokens = event->usage->prompt_tokens;
    } else if (event->type == BP_EVENT_ERROR) {
      self->error = event->error->message;
    }
    if (event->type != BP_EVENT_END && event->type != BP_EVENT_ERROR) return BP_FLOW_CONTINUE;
    if (++self->terminals == 1) {
      self->over_.set_value(event->type == BP_EVENT_END ? BP_CODE_OK : event->error->code);
    }
    return BP_FLOW_STOP;
  }
  const bp_sink sink_{sizeof(bp_sink), 1024, this, &take};
  std::string body_;
  std::promise<std::uint32_t> over_;
  const std::shared_future<std::uint32_t> code_ = over_.get_future().share();
};

class PooledCallTest : public testing::Test {
 protected:
  void SetUp() override { open(tiny_model(), {}); }
  void open(const GgufWriter& model, const json::object& settings) {
    engine.reset();
    EngineOptions options = tiny_options();
    options.model_path = model.save("pooled_call.gguf");
    options.allows_adapters = has_adapters(settings);
    options.queue_max = queue_max;
    engine = load(options);
    auto loaded = ServedModel::load(settings, *engine);
    ASSERT_TRUE(loaded) << loaded.error().message;
    served = std::move(*loaded);
  }
  HostSide& begin(const char* operation, const std::string& body, const char* model = "route") {
    return hosts.emplace_back(*engine, served, operation, body, model);
  }
  HostSide& run(const char* operation, const std::string& body, const char* model = "route") {
    HostSide& host = begin(operation, body, model);
    host.call->prepare(0);
    host.code();
    host.call->release(host.call);
    return host;
  }
  static std::vector<float> numbers(const json::value& list) {
    std::vector<float> out;
    for (const json::value& value : list.as_array()) {
      out.push_back(static_cast<float>(value.to_number<double>()));
    }
    return out;
  }
  std::vector<float> embedding(const std::string& fields, const char* model = "route") {
    const json::value document =
        run("embeddings", R"({"model":"public",)" + fields + "}", model).document();
    return numbers(document.at("data").at(0).at("embedding"));
  }
  static double length(const std::vector<float>& vector) {
    double squares = 0;
    for (const float value : vector) squares += double{value} * value;
    return std::sqrt(squares);
  }

  std::list<HostSide> hosts;  // outlive the engine, whose thread may still be in them
  std::uint32_t queue_max = 64;
  std::unique_ptr<Engine> engine;
  ServedModel served;
};

TEST_F(PooledCallTest, AnswersAsOpenAiDoes) {
  HostSide& host = run("embeddings", R"({"model":"public","input":["the","hi there"]})");
  const json::value document = host.document();
  EXPECT_EQ(host.media_type, "application/json");
  EXPECT_EQ(document.at("model"), "public");
  ASSERT_EQ(document.at("data").as_array().size(), 2U);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(document.at("data").at(static_cast<std::size_t>(i)).at("index"), i);
    const auto vector =
        numbers(document.at("data").at(static_cast<std::size_t>(i)).at("embedding"));
    EXPECT_EQ(vector.size(), 32U);
    EXPECT_NEAR(length(vector), 1, 1e-5);
  }
  const std::size_t tokens =
      engine->tokenize_text("the").size() + engine->tokenize_text("hi there").size();
  EXPECT_EQ(host.prompt_tokens, tokens);
  EXPECT_EQ(document.at("usage").at("prompt_tokens"), tokens);
  EXPECT_EQ(host.terminals, 1);
}

TEST_F(PooledCallTest, WithoutAModelInTheBodyTheRoutesNameIsTold) {
  const json::value document = run("embeddings", R"({"input":"hi"})", "a \"b\"").document();
  EXPECT_EQ(document.at("model"), "a \"b\"");
}

std::string many_texts(json::array& inputs) {
  for (std::size_t i = 0; i < 100; ++i) {
    inputs.push_back(json::string(std::string(1 + i % 40, static_cast<char>('a' + i % 26))));
  }
  return json::serialize(json::object{{"model", "public"}, {"input", inputs}});
}

TEST_F(PooledCallTest, ManyTextsAreEachAsAlone) {
  json::array inputs;
  const std::string body = many_texts(inputs);
  HostSide& other = begin("embeddings", body);
  other.call->prepare(0);
  const json::value document = run("embeddings", body).document();
  EXPECT_EQ(other.code(), BP_CODE_OK);
  other.call->release(other.call);
  ASSERT_EQ(document.at("data").as_array().size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); i += 17) {
    EXPECT_EQ(numbers(document.at("data").at(i).at("embedding")),
              embedding("\"input\":" + json::serialize(inputs[i])));
  }
  EXPECT_EQ(other.document().at("data"), document.at("data"));
}

// Its own texts never fill the queue so that it fails.
TEST_F(PooledCallTest, MoreTextsThanTheQueueHolds) {
  queue_max = 3;
  open(tiny_model(), {});
  json::array inputs;
  const json::value document = run("embeddings", many_texts(inputs)).document();
  EXPECT_EQ(document.at("data").as_array().size(), inputs.size());
}

TEST_F(PooledCallTest, TokensAreTheTextTheyStandFor) {
  const auto tokens = engine->tokenize_text("the fox");
  EXPECT_EQ(embedding("\"input\":" + json::serialize(json::value_from(tokens))),
            embedding(R"("input":"the fox")"));
}

TEST_F(PooledCallTest, DimensionsAreTheFirstOnesNormalisedAgain) {
  const auto whole = embedding(R"("input":"the")");
  auto expected = std::vector<float>(whole.begin(), whole.begin() + 8);
  normalise(expected);
  const auto some = embedding(R"("input":"the","dimensions":8)");
  ASSERT_EQ(some.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(some[i], expected[i], 1e-6);
  HostSide& host = run("embeddings", R"({"input":"a","dimensions":33})");
  EXPECT_EQ(host.code(), BP_CODE_INVALID_ARGUMENT);
}

TEST_F(PooledCallTest, ATextTooLongIsRefusedOrCut) {
  const std::string letters(1000, 'x');
  HostSide& refused = run("embeddings", R"({"input":["a",")" + letters + R"("]})");
  EXPECT_EQ(refused.code(), BP_CODE_INVALID_ARGUMENT);
  EXPECT_NE(refused.error.find("input[1]: has"), std::string::npos) << refused.error;
  EXPECT_EQ(refused.terminals, 1);
  HostSide& cut = run("embeddings", R"({"truncate":true,"input":")" + letters + R"("})");
  EXPECT_EQ(cut.code(), BP_CODE_OK);
  EXPECT_EQ(cut.prompt_tokens, kTinyContext);
  HostSide& few = run("embeddings", R"({"truncate_prompt_tokens":7,"input":")" + letters + R"("})");
  EXPECT_EQ(few.prompt_tokens, 7U);
}

TEST_F(PooledCallTest, AWrongTokenAmongManyEndsTheCallOnce) {
  std::string inputs = "[5]";
  for (int i = 0; i < 40; ++i) inputs += ",[7,8,9]";
  HostSide& host = run("embeddings", R"({"input":[)" + inputs + ",[99999]]}");
  EXPECT_EQ(host.code(), BP_CODE_INVALID_ARGUMENT);
  EXPECT_NE(host.error.find("99999"), std::string::npos);
  EXPECT_EQ(host.terminals, 1);
}

TEST_F(PooledCallTest, ACancelEndsIt) {
  std::string inputs = R"("a")";
  for (int i = 0; i < 500; ++i) inputs += R"(,"the fox and the fox and the fox")";
  HostSide& host = begin("embeddings", R"({"input":[)" + inputs + "]}");
  host.call->prepare(0);
  host.call->cancel(host.call);
  EXPECT_EQ(host.code(), BP_CODE_CANCELLED);
  host.call->release(host.call);
  HostSide& waiting = begin("embeddings", R"({"input":"a"})");
  waiting.call->cancel(waiting.call);
  EXPECT_EQ(waiting.code(), BP_CODE_CANCELLED);
  PooledCall* const call = waiting.call;
  call->release(call);
  call->prepare(0);  // the preparer comes to it last
  EXPECT_EQ(waiting.terminals, 1);
}

TEST_F(PooledCallTest, WhatIsNoRequestIsRefused) {
  for (const char* body : {"", "[]", "{", R"({"input":5})", R"({"input":"a","adapter":"x"})",
                           R"({"input":"a","keep_alive":"x"})"}) {
    HostSide& host = run("embeddings", body);
    EXPECT_NE(host.code(), BP_CODE_OK) << body;
    EXPECT_EQ(host.terminals, 1);
  }
}

TEST_F(PooledCallTest, AdaptersChangeVectors) {
  open(tiny_model(), {{"adapters", {{"one", tiny_adapter(3).save("one.gguf")}}}});
  const auto plain = embedding(R"("input":"the")");
  const auto adapted = embedding(R"("input":"the","adapter":"one")");
  EXPECT_NE(plain, adapted);
  EXPECT_EQ(embedding(R"("input":"the")", "one"), adapted);
  EXPECT_EQ(embedding(R"("input":"the")", "tiny:one"), adapted);
  EXPECT_EQ(embedding(R"("input":"the","adapter":"")", "one"), plain);
  EXPECT_EQ(embedding(R"("input":"the","adapter":{"name":"one","scale":0})"), plain);
  EXPECT_EQ(run("embeddings", R"({"input":"a","adapter":"two"})").code(), BP_CODE_NOT_FOUND);
}

TEST_F(PooledCallTest, ARankingComparesEmbeddings) {
  const json::value document =
      run("rerank", R"({"model":"public","query":"the fox","documents":["zz","the fox","a"]})")
          .document();
  EXPECT_EQ(document.at("model"), "public");
  EXPECT_EQ(document.at("id"), "call-1");
  const json::array& results = document.at("results").as_array();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].at("index"), 1);
  EXPECT_NEAR(results[0].at("relevance_score").to_number<double>(), 1, 1e-5);
  EXPECT_GE(results[1].at("relevance_score").to_number<double>(),
            results[2].at("relevance_score").to_number<double>());
  EXPECT_GT(document.at("usage").at("total_tokens").to_number<int>(), 0);
}

// A classifier reads query and document together, as its template says.
TEST_F(PooledCallTest, ARankingByAClassifier) {
  GgufWriter model = tiny_model();
  const auto weights = kernels::random_floats(2 * 32, 8);
  model.add_tensor("cls.output.weight", 0, {32, 2}, float_bytes(weights));
  model.add_unsigned("llama.pooling_type", 4);
  model.add_text("tokenizer.chat_template.rerank", "{query} or {document}<|end|>");
  open(model, {});
  EXPECT_EQ(served.operations, (std::vector<std::string>{"embeddings", "rerank"}));
  const json::value document =
      run("rerank", R"({"query":"the","documents":["a","zebra"]})").document();
  const std::string texts[] = {"the or a<|end|>", "the or zebra<|end|>"};
  for (const json::value& result : document.at("results").as_array()) {
    GenerateRequest request;
    request.prompt_tokens = engine->tokenizer().encode(
        texts[result.at("index").to_number<std::size_t>()], {false, true});
    request.pooling = Pooling::kLast;
    Heard heard;
    heard.submit(*engine, request);
    heard.wait();
    double evidence = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      evidence += double{heard.embedding()[i]} * (double{weights[i]} - weights[32 + i]);
    }
    EXPECT_NEAR(result.at("relevance_score").to_number<double>(), 1 / (1 + std::exp(-evidence)),
                1e-5);
  }
}

TEST_F(PooledCallTest, ADocumentTooLongToRankIsRefusedOrCut) {
  GgufWriter model = tiny_model();
  model.add_tensor("cls.output.weight", 0, {32, 1}, float_bytes(kernels::random_floats(32, 8)));
  open(model, {});
  const std::string letters(1000, 'x');
  HostSide& refused = run("rerank", R"({"query":"q","documents":["a",")" + letters + R"("]})");
  EXPECT_EQ(refused.code(), BP_CODE_INVALID_ARGUMENT);
  EXPECT_NE(refused.error.find("documents[1]"), std::string::npos) << refused.error;
  HostSide& cut =
      run("rerank", R"({"query":"q","truncate":"END","documents":[")" + letters + R"("]})");
  EXPECT_EQ(cut.code(), BP_CODE_OK);
  EXPECT_EQ(cut.prompt_tokens, kTinyContext);
}

}  // namespace
}  // namespace backplane::local
