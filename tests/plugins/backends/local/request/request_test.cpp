// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request/request.hpp"

#include <gtest/gtest.h>

#include "plugins/backends/local/request/message_fields.hpp"

namespace backplane::local {
namespace {

constexpr char kChat[] = "chat.completions";
constexpr char kText[] = "completions";

std::string chat_with(const std::string& members) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" +
         (members.empty() ? "" : "," + members) + "}";
}

ParsedRequest parsed(const std::string& body, const char* operation = kChat) {
  RequestDefaults defaults;
  defaults.seed = 99;
  defaults.temperature = 0.5;
  auto request = parse_request(operation, body, defaults);
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::move(*request) : ParsedRequest{};
}

const ChatFields& chat_of(const ParsedRequest& request) {
  return std::get<ChatFields>(request.input);
}

std::string input(const ParsedRequest& request, const char* name) {
  const Value* value = chat_of(request).template_inputs.find(name);
  return value == nullptr ? "nothing" : to_json(*value);
}

TEST(Request, says_nothing_and_gets_the_defaults) {
  const ParsedRequest request = parsed(chat_with(""));
  const GenerateFields& generate = request.generate;
  EXPECT_EQ(generate.max_tokens, 0U);
  EXPECT_FLOAT_EQ(generate.sampling.temperature, 0.5F);
  EXPECT_FLOAT_EQ(generate.sampling.top_p, 1.0F);
  EXPECT_EQ(generate.sampling.seed, 99U);
  EXPECT_EQ(generate.choices, 1U);
  EXPECT_TRUE(generate.stop.empty());
  EXPECT_FALSE(chat_of(request).top_logprobs);
  EXPECT_EQ(chat_of(request).tool_choice, ToolChoice::kNone);
  EXPECT_EQ(input(request, "tools"), "null");
  EXPECT_EQ(input(request, "documents"), "null");
  EXPECT_EQ(input(request, "add_generation_prompt"), "true");
}

TEST(Request, says_everything_and_is_heard) {
  const ParsedRequest request = parsed(chat_with(
      R"("temperature":1.5,"top_p":0.25,"top_k":7,"seed":-1,"max_tokens":3,"stop":["a","b"],
         "min_p":0.5,"typical_p":0.75,"repetition_penalty":1.25,"presence_penalty":-2,
         "frequency_penalty":2,"logit_bias":{"5":-100,"7":1.5},"stop_token_ids":[9,2],"n":3,
         "min_tokens":2,"ignore_eos":true,"priority":-3,"logprobs":true,"top_logprobs":4)"));
  const GenerateFields& generate = request.generate;
  const SamplingOptions& sampling = generate.sampling;
  EXPECT_FLOAT_EQ(sampling.temperature, 1.5F);
  EXPECT_FLOAT_EQ(sampling.top_p, 0.25F);
  EXPECT_EQ(sampling.top_k, 7U);
  EXPECT_EQ(sampling.seed, UINT64_MAX);
  EXPECT_FLOAT_EQ(sampling.min_p, 0.5F);
  EXPECT_FLOAT_EQ(sampling.typical_p, 0.75F);
  EXPECT_FLOAT_EQ(sampling.penalties.repetition, 1.25F);
  EXPECT_FLOAT_EQ(sampling.penalties.presence, -2.0F);
  EXPECT_FLOAT_EQ(sampling.penalties.frequency, 2.0F);
  ASSERT_EQ(sampling.logit_bias.size(), 2U);
  EXPECT_EQ(sampling.logit_bias[0].token, 5);
  EXPECT_FLOAT_EQ(sampling.logit_bias[1].bias, 1.5F);
  EXPECT_EQ(generate.max_tokens, 3U);
  EXPECT_EQ(generate.min_tokens, 2U);
  EXPECT_TRUE(generate.ignore_eos);
  EXPECT_EQ(generate.priority, -3);
  EXPECT_EQ(generate.choices, 3U);
  EXPECT_EQ(generate.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(generate.stop_tokens, (std::vector<Token>{2, 9}));
  EXPECT_EQ(chat_of(request).top_logprobs, 4U);
}

TEST(Request, messages_become_roles_and_text) {
  const ParsedRequest request = parsed(
      R"({"messages":[{"role":"developer","content":"be kind"},
          {"role":"user","content":[{"type":"text","text":"one "},{"type":"text","text":"two"}]},
          {"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"c1",
           "type":"function","function":{"name":"f","arguments":"{\"a\": [1]}"}}]},
          {"role":"tool","tool_call_id":"c1","content":"7"}]})");
  EXPECT_EQ(input(request, "messages"),
            R"([{"role": "system", "content": "be kind"}, )"
            R"({"role": "user", "content": "one two"}, )"
            R"({"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": )"
            R"([{"id": "c1", "type": "function", "function": )"
            R"({"name": "f", "arguments": {"a": [1]}}}]}, )"
            R"({"role": "tool", "content": "7", "tool_call_id": "c1"}])");
  const Value texts = with_argument_texts(*chat_of(request).template_inputs.find("messages"));
  EXPECT_NE(to_json(texts).find(R"("arguments": "{\"a\": [1]}")"), std::string::npos);
  EXPECT_NE(input(request, "messages").find(R"("arguments": {"a": [1]})"), std::string::npos);
}

TEST(Request, prompts_are_texts_or_tokens) {
  const auto prompts = [](const char* body) {
    return std::get<CompletionFields>(parsed(body, kText).input).prompts;
  };
  EXPECT_EQ(prompts(R"({"prompt":"once"})"), (std::vector<Prompt>{"once"}));
  EXPECT_EQ(prompts(R"({"prompt":["a","b"]})"), (std::vector<Prompt>{"a", "b"}));
  EXPECT_EQ(prompts(R"({"prompt":[1,2]})"), (std::vector<Prompt>{std::vector<Token>{1, 2}}));
  EXPECT_EQ(prompts(R"({"prompt":[[1],[2,3]]})"),
            (std::vector<Prompt>{std::vector<Token>{1}, std::vector<Token>{2, 3}}));
  for (const char* wrong : {R"({})", R"({"prompt":7})", R"({"prompt":[1,"a"]})",
                            R"({"prompt":[-1]})", R"({"prompt":[["a"]]})", R"({"prompt":{}})"}) {
    const auto request = parse_request(kText, wrong, {});
    ASSERT_FALSE(request) << wrong;
    EXPECT_EQ(request.error().message.rfind("prompt: ", 0), 0U) << request.error().message;
  }
  EXPECT_FALSE(parse_request(kText, R"({"prompt":["a","b"],"n":65})", {})) << "too many choices";
}

TEST(Request, logprobs_of_completions_are_a_number) {
  const auto logprobs = [](const char* body) {
    return std::get<CompletionFields>(parsed(body, kText).input).top_logprobs;
  };
  EXPECT_EQ(logprobs(R"({"prompt":"a"})"), std::nullopt);
  EXPECT_EQ(logprobs(R"({"prompt":"a","logprobs":0})"), 0U);
  EXPECT_EQ(logprobs(R"({"prompt":"a","logprobs":20})"), 20U);
  EXPECT_FALSE(parse_request(kText, R"({"prompt":"a","logprobs":21})", {}));
}

constexpr char kTools[] = R"("tools":[{"type":"function","function":{"name":"f","strict":true,
    "parameters":{"type":"object"}}},{"type":"function","function":{"name":"g"}}])";

TEST(Request, tools_are_read_and_shown_to_the_template) {
  const ParsedRequest request = parsed(chat_with(kTools));
  const ChatFields& chat = chat_of(request);
  ASSERT_EQ(chat.tools.size(), 2U);
  EXPECT_EQ(chat.tools[0].name, "f");
  EXPECT_EQ(chat.tools[0].parameters, R"({"type":"object"})");
  EXPECT_TRUE(chat.tools[0].strict);
  EXPECT_EQ(chat.tools[1].parameters, "");
  EXPECT_EQ(chat.tool_choice, ToolChoice::kAuto);
  EXPECT_TRUE(chat.parallel_tool_calls);
  EXPECT_NE(input(request, "tools").find("\"strict\": true"), std::string::npos);

  const std::string tools = kTools;
  const ParsedRequest none = parsed(chat_with(tools + R"(,"tool_choice":"none")"));
  EXPECT_EQ(chat_of(none).tool_choice, ToolChoice::kNone);
  EXPECT_EQ(input(none, "tools"), "null");
  const ParsedRequest required =
      parsed(chat_with(tools + R"(,"tool_choice":"required","parallel_tool_calls":false)"));
  EXPECT_EQ(chat_of(required).tool_choice, ToolChoice::kRequired);
  EXPECT_FALSE(chat_of(required).parallel_tool_calls);
  const ParsedRequest named =
      parsed(chat_with(tools + R"(,"tool_choice":{"type":"function","function":{"name":"g"}})"));
  EXPECT_EQ(chat_of(named).tool_choice, ToolChoice::kNamed);
  EXPECT_EQ(chat_of(named).tool_name, "g");
}

TEST(Request, says_what_form_the_answer_has) {
  EXPECT_EQ(chat_of(parsed(chat_with(R"("response_format":{"type":"text"})"))).form,
            AnswerForm::kText);
  EXPECT_EQ(chat_of(parsed(chat_with(R"("response_format":{"type":"json_object"})"))).form,
            AnswerForm::kJsonObject);
  const ParsedRequest request = parsed(chat_with(
      R"("response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"a":1}}})"));
  EXPECT_EQ(chat_of(request).form, AnswerForm::kJsonSchema);
  EXPECT_EQ(chat_of(request).schema, R"({"a":1})");
}

TEST(Request, reasoning_is_told_to_the_template_in_its_words) {
  const ParsedRequest none = parsed(chat_with(R"("reasoning_effort":"none")"));
  EXPECT_EQ(input(none, "enable_thinking"), "false");
  EXPECT_EQ(input(none, "thinking"), "false");
  const ParsedRequest low = parsed(chat_with(R"("reasoning_effort":"low")"));
  EXPECT_EQ(input(low, "reasoning_effort"), "\"low\"");
  EXPECT_EQ(input(low, "enable_thinking"), "true");
  EXPECT_EQ(input(parsed(chat_with(R"("enable_thinking":false)")), "enable_thinking"), "false");
  const ParsedRequest own = parsed(chat_with(
      R"("chat_template_kwargs":{"enable_thinking":false,"x":[1.5,null],"messages":7},
         "documents":[{"text":"d"}])"));
  EXPECT_EQ(input(own, "enable_thinking"), "false");
  EXPECT_EQ(input(own, "x"), "[1.5, null]");
  EXPECT_NE(input(own, "messages"), "7");
  EXPECT_EQ(input(own, "documents"), R"([{"text": "d"}])");
  EXPECT_EQ(input(parsed(chat_with("")), "enable_thinking"), "nothing");
}

TEST(Request, says_how_long_the_weights_stay) {
  const std::pair<const char*, std::int64_t> cases[] = {{"0", 0},
                                                        {"\"0\"", 0},
                                                        {"1.5", 1500},
                                                        {"300", 300'000},
                                                        {"-1", -1},
                                                        {"-0.5", -1},
                                                        {"\"-1m\"", -1},
                                                        {"\"30s\"", 30'000},
                                                        {"\"5m\"", 300'000},
                                                        {"\"1h\"", 3'600'000},
                                                        {"\"1h30m\"", 5'400'000},
                                                        {"\"250ms\"", 250},
                                                        {"\"720h\"", 2'592'000'000}};
  for (const auto& [text, expected_ms] : cases) {
    const auto keep = parsed(chat_with(std::string(R"("keep_alive":)") + text)).generate.keep_alive;
    ASSERT_TRUE(keep) << text;
    EXPECT_EQ(keep->count(), expected_ms) << text;
  }
  EXPECT_FALSE(parsed(chat_with("")).generate.keep_alive);
  EXPECT_FALSE(parsed(chat_with(R"("keep_alive":null)")).generate.keep_alive);
}

TEST(Request, neutral_values_pass) {
  parsed(chat_with(R"("n":1,"tools":[],"tool_choice":"auto","response_format":{"type":"text"},
      "logprobs":false,"logit_bias":{},"frequency_penalty":0,"presence_penalty":0.0,"top_k":-1,
      "temperature":null,"stop":null,"user":"someone","metadata":{"a":"b"},"best_of":1,
      "functions":[],"modalities":["text"],"stop_token_ids":[],"store":false)"));
}

class Refused : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Refused, names_the_field) {
  const auto [members, field] = GetParam();
  const auto request = parse_request(kChat, chat_with(members), {});
  ASSERT_FALSE(request) << members;
  EXPECT_EQ(request.error().code, Code::kInvalidArgument);
  EXPECT_EQ(request.error().message.rfind(std::string(field) + ": ", 0), 0U)
      << request.error().message;
}

using RefusedCase = std::pair<const char*, const char*>;
INSTANTIATE_TEST_SUITE_P(
    Fields, Refused,
    testing::ValuesIn(std::vector<RefusedCase>{
        {R"("keep_alive":true)", "keep_alive"},
        {R"("keep_alive":"")", "keep_alive"},
        {R"("keep_alive":"-")", "keep_alive"},
        {R"("keep_alive":"5")", "keep_alive"},
        {R"("keep_alive":"5 m")", "keep_alive"},
        {R"("keep_alive":"5d")", "keep_alive"},
        {R"("keep_alive":"1h-1m")", "keep_alive"},
        {R"("keep_alive":"infs")", "keep_alive"},
        {R"("keep_alive":"721h")", "keep_alive"},
        {R"("keep_alive":1e300)", "keep_alive"},
        {R"("n":0)", "n"},
        {R"("n":129)", "n"},
        {R"("n":2,"best_of":3)", "best_of"},
        {R"("tools":[{"type":"function"}])", "tools[0]"},
        {R"("tools":[{"type":"web_search"}])", "tools[0]"},
        {R"("tools":[{"type":"function","function":{}}])", "tools[0].function.name"},
        {R"("tools":[{"type":"function","function":{"name":"f","parameters":7}}])",
         "tools[0].function.parameters"},
        {R"("tools":7)", "tools"},
        {R"("tool_choice":"required")", "tool_choice"},
        {R"("tool_choice":"sometimes")", "tool_choice"},
        {R"("tool_choice":{"type":"function","function":{"name":"f"}})", "tool_choice"},
        {R"("parallel_tool_calls":1)", "parallel_tool_calls"},
        {R"("response_format":{"type":"xml"})", "response_format.type"},
        {R"("response_format":{"type":"json_schema"})", "response_format.json_schema.schema"},
        {R"("logprobs":5)", "logprobs"},
        {R"("top_logprobs":2)", "top_logprobs"},
        {R"("logprobs":true,"top_logprobs":21)", "top_logprobs"},
        {R"("logit_bias":[1])", "logit_bias"},
        {R"("logit_bias":{"the":5})", "logit_bias"},
        {R"("logit_bias":{"5":"x"})", "logit_bias"},
        {R"("logit_bias":{"99999999999":1})", "logit_bias"},
        {R"("frequency_penalty":2.5)", "frequency_penalty"},
        {R"("presence_penalty":"0")", "presence_penalty"},
        {R"("repetition_penalty":11)", "repetition_penalty"},
        {R"("temperature":2.1)", "temperature"},
        {R"("temperature":"hot")", "temperature"},
        {R"("top_p":-0.1)", "top_p"},
        {R"("top_k":-2)", "top_k"},
        {R"("min_p":1.1)", "min_p"},
        {R"("min_tokens":-1)", "min_tokens"},
        {R"("min_tokens":4,"max_tokens":3)", "min_tokens"},
        {R"("ignore_eos":1)", "ignore_eos"},
        {R"("max_tokens":0)", "max_tokens"},
        {R"("max_tokens":1.5)", "max_tokens"},
        {R"("max_completion_tokens":99999999999)", "max_completion_tokens"},
        {R"("seed":1.5)", "seed"},
        {R"("priority":1.5)", "priority"},
        {R"("priority":"high")", "priority"},
        {R"("stop":7)", "stop"},
        {R"("stop":["a",7])", "stop"},
        {R"("stream_options":{"include_usage":true})", "stream_options"},
        {R"("stream":false,"stream_options":{})", "stream_options"},
        {R"("stop_token_ids":["a"])", "stop_token_ids"},
        {R"("stop_token_ids":[-1])", "stop_token_ids"},
        {R"("functions":[{"name":"f"}])", "functions"},
        {R"("function_call":"auto")", "function_call"},
        {R"("modalities":["text","audio"])", "modalities"},
        {R"("prompt_logprobs":1)", "prompt_logprobs"},
        {R"("chat_template_kwargs":7)", "chat_template_kwargs"},
        {R"("documents":7)", "documents"},
        {R"("reasoning_effort":7)", "reasoning_effort"},
        {R"("enable_thinking":"no")", "enable_thinking"}}));

TEST(Request, has_so_many_stop_strings_and_no_more) {
  std::string stops = "\"a\"";
  for (std::size_t count = 1; count < kStopsMax; ++count) stops += ",\"a\"";
  const auto body = [](const std::string& list) {
    return R"({"prompt":"x","stop":[)" + list + "]}";
  };
  EXPECT_TRUE(parse_request("completions", body(stops), {}));
  const auto more = parse_request("completions", body(stops + ",\"a\""), {});
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().message, "stop: more than 128");
}

TEST(Request, has_roles_of_openai_or_of_the_template) {
  const auto error_of = [](const std::string& role) {
    const auto request = parse_request(
        kChat, R"({"messages":[{"role":"user","content":"a"},{"role":")" + role + R"("}]})", {});
    const Value& messages = *std::get<ChatFields>(request->input).template_inputs.find("messages");
    const Status status = check_roles(messages, "{% if m.role == 'judge' or x == \"jury\" %}");
    return status ? std::string() : status.error().message;
  };
  for (const char* role : {"system", "developer", "user", "assistant", "tool", "judge", "jury"}) {
    EXPECT_EQ(error_of(role), "") << role;
  }
  for (const char* role : {"wizard", "jud", "role"}) {
    EXPECT_EQ(error_of(role).rfind("messages[1].role: ", 0), 0U) << role;
  }
}

class BadMessages : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadMessages, are_told_with_their_place) {
  const auto [messages, place] = GetParam();
  const auto request = parse_request(kChat, R"({"messages":)" + std::string(messages) + "}", {});
  ASSERT_FALSE(request) << messages;
  EXPECT_EQ(request.error().message.rfind(place, 0), 0U) << request.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Messages, BadMessages,
    testing::Values(std::pair{"[]", "messages: "}, std::pair{"\"hi\"", "messages: "},
                    std::pair{"null", "messages: "}, std::pair{"[7]", "messages[0]: "},
                    std::pair{R"([{"content":"x"}])", "messages[0].role: "},
                    std::pair{R"([{"role":"user","content":7}])", "messages[0].content: "},
                    std::pair{R"([{"role":"assistant","tool_calls":7}])",
                              "messages[0].tool_calls: "},
                    std::pair{R"([{"role":"assistant","tool_calls":[{"function":{}}]}])",
                              "messages[0].tool_calls[0].function.name: "},
                    std::pair{R"([{"role":"user","content":"a"},{"role":"user",
                                  "content":[{"type":"image_url"}]}])",
                              "messages[1].content: "}));

TEST(Request, that_is_no_object_is_told) {
  for (const char* body : {"", "[]", "7", "{", "{\"messages\":[}", "\"x\""}) {
    const auto request = parse_request(kChat, body, {});
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error().message.rfind("body: ", 0), 0U) << request.error().message;
  }
}

}  // namespace
}  // namespace backplane::local
