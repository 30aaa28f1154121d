// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request.hpp"

#include <gtest/gtest.h>

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

TEST(Request, says_nothing_and_gets_the_defaults) {
  const ParsedRequest request = parsed(chat_with(""));
  EXPECT_TRUE(request.is_chat);
  EXPECT_EQ(request.max_tokens, 0U);
  EXPECT_FLOAT_EQ(request.sampling.temperature, 0.5F);
  EXPECT_FLOAT_EQ(request.sampling.top_p, 1.0F);
  EXPECT_EQ(request.sampling.seed, 99U);
  EXPECT_TRUE(request.stop.empty());
}

TEST(Request, says_everything_and_is_heard) {
  const ParsedRequest request = parsed(chat_with(
      R"("temperature":1.5,"top_p":0.25,"top_k":7,"seed":-1,"max_tokens":3,"stop":["a","b"])"));
  EXPECT_FLOAT_EQ(request.sampling.temperature, 1.5F);
  EXPECT_FLOAT_EQ(request.sampling.top_p, 0.25F);
  EXPECT_EQ(request.sampling.top_k, 7U);
  EXPECT_EQ(request.sampling.seed, UINT64_MAX);
  EXPECT_EQ(request.max_tokens, 3U);
  EXPECT_EQ(request.stop, (std::vector<std::string>{"a", "b"}));
}

TEST(Request, messages_become_roles_and_text) {
  const ParsedRequest request = parsed(
      R"({"messages":[{"role":"developer","content":"be kind"},
          {"role":"user","content":[{"type":"text","text":"one "},{"type":"text","text":"two"}]},
          {"role":"assistant","content":null}]})");
  const List& messages = *request.messages.list();
  ASSERT_EQ(messages.size(), 3U);
  const auto text = [&](std::size_t index, const char* name) {
    return *messages[index].object()->find(name)->string();
  };
  EXPECT_EQ(text(0, "role"), "system");
  EXPECT_EQ(text(1, "content"), "one two");
  EXPECT_EQ(text(2, "content"), "");
}

TEST(Request, a_prompt_is_one_string) {
  EXPECT_EQ(parsed(R"({"prompt":"once"})", kText).prompt, "once");
  EXPECT_EQ(parsed(R"({"prompt":["once"]})", kText).prompt, "once");
  EXPECT_FALSE(parse_request(kText, R"({"prompt":["a","b"]})", {}));
  EXPECT_FALSE(parse_request(kText, R"({"prompt":[1,2]})", {}));
  EXPECT_FALSE(parse_request(kText, R"({})", {}));
}

TEST(Request, neutral_values_of_what_is_not_served_pass) {
  parsed(chat_with(R"("n":1,"tools":[],"tool_choice":"auto","response_format":{"type":"text"},
      "logprobs":false,"logit_bias":{},"frequency_penalty":0,"presence_penalty":0.0,
      "temperature":null,"stop":null,"user":"someone","metadata":{"a":"b"})"));
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

INSTANTIATE_TEST_SUITE_P(
    Fields, Refused,
    testing::Values(
        std::pair{R"("n":2)", "n"}, std::pair{R"("tools":[{"type":"function"}])", "tools"},
        std::pair{R"("tool_choice":"required")", "tool_choice"},
        std::pair{R"("response_format":{"type":"json_object"})", "response_format"},
        std::pair{R"("logprobs":true)", "logprobs"}, std::pair{R"("top_logprobs":2)", "top_logprobs"},
        std::pair{R"("logit_bias":{"1":5})", "logit_bias"},
        std::pair{R"("frequency_penalty":0.5)", "frequency_penalty"},
        std::pair{R"("presence_penalty":"0")", "presence_penalty"},
        std::pair{R"("temperature":2.1)", "temperature"},
        std::pair{R"("temperature":"hot")", "temperature"}, std::pair{R"("top_p":-0.1)", "top_p"},
        std::pair{R"("top_k":-1)", "top_k"}, std::pair{R"("max_tokens":0)", "max_tokens"},
        std::pair{R"("max_tokens":1.5)", "max_tokens"},
        std::pair{R"("max_completion_tokens":99999999999)", "max_completion_tokens"},
        std::pair{R"("seed":1.5)", "seed"}, std::pair{R"("stop":7)", "stop"},
        std::pair{R"("stop":["a",7])", "stop"}));

class BadMessages : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadMessages, are_told_with_their_place) {
  const auto [messages, place] = GetParam();
  const auto request =
      parse_request(kChat, R"({"messages":)" + std::string(messages) + "}", {});
  ASSERT_FALSE(request) << messages;
  EXPECT_EQ(request.error().message.rfind(place, 0), 0U) << request.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Messages, BadMessages,
    testing::Values(std::pair{"[]", "messages: "}, std::pair{"\"hi\"", "messages: "},
                    std::pair{"null", "messages: "}, std::pair{"[7]", "messages[0]: "},
                    std::pair{R"([{"content":"x"}])", "messages[0].role: "},
                    std::pair{R"([{"role":"user","content":7}])", "messages[0].content: "},
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
