// SPDX-License-Identifier: Apache-2.0
// What a profile changes: where a call goes, under which names, and what is left out of it.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/operations.hpp"
#include "common/profile.hpp"
#include "tests/plugins/backends/common/exchange.hpp"

namespace backplane {
namespace {

using dialect::Profile;
using testing::Exchange;
using testing::Instance;
using Texts = std::vector<std::string>;

std::string settings_of(std::string_view profile, std::string_view more = {}) {
  return "{\"profile\":\"" + std::string(profile) +
         "\",\"api_key\":\"ref\",\"models_refresh_seconds\":0" + std::string(more) + '}';
}

// An exchange of which the test says the body.
class Chat {
 public:
  Chat(const std::string& settings, const std::string& body, std::string_view model,
       std::uint32_t flags = 0)
      : exchange(settings, flags, "chat.completions", {{"ref", "sk-1"}}), body_(body) {
    exchange.request.body = {body_.data(), body_.size(), BP_MEMORY_HOST, 0,
                             nullptr,      nullptr,      nullptr};
    exchange.request.model = str(model);
    exchange.request.model_offset = 0;
    exchange.request.model_size = 0;
    code = exchange.submit();
  }

  Exchange exchange;
  std::uint32_t code = 0;

 private:
  std::string body_;
};

TEST(Profiles, TheSchemaNamesEveryOne) {
  simdjson::dom::parser parser;
  simdjson::dom::array names;
  const std::string schema(view(testing::tested_plugin().schema));
  ASSERT_EQ(parser.parse(schema).at_pointer("/properties/profile/enum").get(names),
            simdjson::SUCCESS);
  Texts listed;
  for (const std::string_view name : names) listed.emplace_back(name);
  Texts known;
  for (const Profile& profile : dialect::profiles()) known.emplace_back(profile.name);
  EXPECT_EQ(listed, known);
  EXPECT_TRUE(std::is_sorted(known.begin(), known.end()));
}

TEST(Profiles, EachIsReadyWithItsKeyAlone) {
  for (const Profile& profile : dialect::profiles()) {
    if (profile.base_url.empty()) continue;
    for (const dialect::Operation& operation : dialect::operations()) {
      SCOPED_TRACE(std::string(profile.name) + ' ' + std::string(operation.name));
      Exchange exchange(settings_of(profile.name), 0, operation.name, {{"ref", "sk-1"}});
      const bool is_offered = dialect::has_word(profile.operations, operation.name);
      ASSERT_EQ(exchange.submit(), is_offered ? BP_CODE_OK : BP_CODE_UNIMPLEMENTED);
      const std::string quoted = '"' + std::string(operation.name) + '"';
      EXPECT_EQ(exchange.instance.describe().find(quoted) != std::string::npos, is_offered);
      if (!is_offered) continue;
      EXPECT_EQ(exchange.sent().url, std::string(profile.base_url) + std::string(operation.path));
      EXPECT_EQ(exchange.sent().header("authorization"), "Bearer sk-1");
    }
  }
}

TEST(Profiles, WordsOfTheTableNameWhatExists) {
  for (const Profile& profile : dialect::profiles()) {
    std::size_t offered = 0;
    for (const dialect::Operation& operation : dialect::operations()) {
      offered += dialect::has_word(profile.operations, operation.name) ? 1 : 0;
    }
    const auto spaces = std::count(profile.operations.begin(), profile.operations.end(), ' ');
    EXPECT_EQ(offered, static_cast<std::size_t>(spaces) + 1) << profile.name;
    for (const dialect::FieldRule& rule : profile.fields) {
      EXPECT_NE(dialect::find_operation(rule.operation), nullptr) << profile.name;
    }
  }
}

TEST(Profiles, AnotherAddressTakesThePlaceOfTheirs) {
  Exchange exchange(
      R"({"profile":"together","base_url":"http://h/v9","models_refresh_seconds":0})");
  ASSERT_EQ(exchange.submit(), BP_CODE_OK);
  EXPECT_EQ(exchange.sent().url, "http://h/v9/chat/completions");
}

TEST(Profiles, SayWhatIsMissing) {
  for (const auto& [settings, words] : std::vector<std::pair<std::string, std::string>>{
           {R"({"profile":"gpustack"})", "base_url"},
           {R"({"profile":"nobody"})", "profile: expected one of alibaba, "},
           {R"({"profile":"groq","names":{"a":5}})", "names"},
           {R"({"profile":"groq","models_refresh_seconds":-1})", "models_refresh_seconds"},
           {R"({"profile":"groq","reasoning_tags":"yes"})", "reasoning_tags"},
           {R"({"profile":"groq","reasoning_tags":true})", "reasoning_tags"}}) {
    Instance instance(settings);
    EXPECT_EQ(instance.create(), BP_CODE_INVALID_ARGUMENT) << settings;
    EXPECT_EQ(std::string_view(instance.error.message).substr(0, words.size()), words);
  }
  Instance instance(R"({"profile":"groq"})");
  ASSERT_EQ(instance.create(), BP_CODE_OK);
  EXPECT_EQ(instance.start(), BP_CODE_INVALID_ARGUMENT);
  EXPECT_STREQ(instance.error.message, "api_key: groq needs one");
}

TEST(Profiles, DroppedFieldsAreTold) {
  Chat chat(settings_of("groq"),
            R"({"logit_bias":{"1":5},"store":true,"messages":[{"role":"user","name":"x"}],)"
            R"("provider":"groq","n":1,"logprobs":false,"temperature":0,"odd":{"a":[1.50]}})",
            "m");
  ASSERT_EQ(chat.code, BP_CODE_OK) << chat.exchange.instance.error.message;
  EXPECT_EQ(chat.exchange.sent().text(),
            R"({"model":"m","messages":[{"role":"user"}],"temperature":0,"odd":{"a":[1.50]}})");
  chat.exchange.instance.host.head(200, {{"content-type", "application/json"}});
  chat.exchange.instance.host.data(R"({"choices":[]})");
  chat.exchange.instance.host.done();
  EXPECT_EQ(chat.exchange.sink.events,
            (Texts{"head x-backplane-dropped: logit_bias, store, messages[].name", "body", "end"}));
}

TEST(Profiles, WhatWouldMeanSomethingElseIsRefused) {
  for (const auto& [profile, body, field] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"groq", R"({"n":2})", "n: "},
           {"groq", R"({"logprobs":true})", "logprobs: "},
           {"groq", R"({"top_logprobs":3})", "top_logprobs: "},
           {"sambanova", R"({"n":3})", "n: "}}) {
    Chat chat(settings_of(profile), body, "m");
    EXPECT_EQ(chat.code, BP_CODE_INVALID_ARGUMENT) << body;
    const bp_error& error = chat.exchange.instance.error;
    EXPECT_EQ(std::string_view(error.message).substr(0, field.size()), field);
    EXPECT_EQ(error.http_status, 400U);
    EXPECT_STREQ(error.type, "UNSUPPORTED_PARAMETER");
    EXPECT_TRUE(chat.exchange.instance.host.requests.empty());
  }
}

// In the clear goes nothing that was to be encrypted, whatever name leads to it.
TEST(Profiles, ModelsThatAreEncryptedForAreAnotherPlugins) {
  for (const auto& [model, more] : std::vector<std::pair<std::string, std::string>>{
           {"e2ee-qwen", ""}, {"e2ee-qwen:enable_web_search=on", ""}}) {
    Chat chat(settings_of("venice", more), "{}", model);
    EXPECT_EQ(chat.code, BP_CODE_INVALID_ARGUMENT);
    const bp_error& error = chat.exchange.instance.error;
    EXPECT_EQ(error.http_status, 400U);
    EXPECT_STREQ(error.type, "UNSUPPORTED_PARAMETER");
    EXPECT_NE(std::string_view(error.message).find("\"uses: venice\""), std::string_view::npos);
    EXPECT_TRUE(chat.exchange.instance.host.requests.empty());
  }
  for (const char* more : {R"(,"names":{"mine":"e2ee-qwen"})", R"(,"models":["e2ee-qwen"])"}) {
    Instance instance(settings_of("venice", more));
    EXPECT_EQ(instance.create(), BP_CODE_INVALID_ARGUMENT) << more;
    EXPECT_NE(std::string_view(instance.error.message).find("\"uses: venice\""),
              std::string_view::npos);
  }
  Chat other(settings_of("vllm"), "{}", "e2ee-qwen");
  EXPECT_EQ(other.code, BP_CODE_OK);
}

struct NameCase {
  std::string profile;
  std::string model;
  std::string sent;
  std::string more;
};

TEST(Profiles, ModelsGetTheProvidersNames) {
  for (const NameCase& given : std::vector<NameCase>{
           {"groq", "llama-3.3-70b-instruct", "llama-3.3-70b-versatile", ""},
           {"groq", "openai/gpt-oss-120b", "openai/gpt-oss-120b", ""},
           {"venice", "llama-3.3-70b-instruct", "llama-3.3-70b", ""},
           {"venice", "llama-3.3-70b-instruct:enable_web_search=on&x=1",
            "llama-3.3-70b:enable_web_search=on&x=1", ""},
           {"venice", "default:enable_web_search=on", "default:enable_web_search=on", ""},
           {"openrouter", "meta-llama/llama-3.3-70b-instruct:free",
            "meta-llama/llama-3.3-70b-instruct:free", ""},
           {"ollama", "llama3.3:70b", "llama3.3:70b", ""},
           {"groq", "mine", "theirs/x", R"(,"names":{"mine":"theirs/x"})"},
           {"groq", "llama-3.3-70b-instruct", "other",
            R"(,"names":{"llama-3.3-70b-instruct":"other"})"}}) {
    Chat chat(settings_of(given.profile, given.more), "{}", given.model);
    ASSERT_EQ(chat.code, BP_CODE_OK);
    EXPECT_EQ(chat.exchange.sent().text(), "{\"model\":\"" + given.sent + "\"}");
  }
}

TEST(Profiles, UsageIsAskedForWhereItIsNotToldUnasked) {
  for (const auto& [profile, asks] : std::vector<std::pair<std::string, bool>>{
           {"vllm", true}, {"openai", true}, {"groq", false}, {"openrouter", false}}) {
    Chat chat(settings_of(profile), "{}", "m", BP_REQUEST_STREAM);
    ASSERT_EQ(chat.code, BP_CODE_OK);
    EXPECT_EQ(chat.exchange.sent().text().find("include_usage") != std::string::npos, asks);
  }
  Chat chat(settings_of("groq", R"(,"stream_usage":true)"), "{}", "m", BP_REQUEST_STREAM);
  EXPECT_NE(chat.exchange.sent().text().find("include_usage"), std::string::npos);
}

TEST(Profiles, ThoughtsBetweenTagsAreSplitWhereThatIsSaid) {
  for (const auto& [profile, more, is_split] :
       std::vector<std::tuple<std::string, std::string, bool>>{
           {"huggingface", "", true},
           {"huggingface", R"(,"reasoning_tags":"off")", false},
           {"vllm", "", false},
           {"vllm", R"(,"reasoning_tags":"auto")", true},
           {"vllm", R"(,"reasoning_tags":"opened")", true}}) {
    Chat chat(settings_of(profile, more), "{}", "m");
    ASSERT_EQ(chat.code, BP_CODE_OK);
    chat.exchange.instance.host.head(200, {{"content-type", "application/json"}});
    chat.exchange.instance.host.data(
        R"({"choices":[{"message":{"content":"<think>a</think>b"}}]})");
    chat.exchange.instance.host.done();
    EXPECT_EQ(chat.exchange.sink.body,
              is_split ? R"({"choices":[{"message":{"reasoning_content":"a","content":"b"}}]})"
                       : R"({"choices":[{"message":{"content":"<think>a</think>b"}}]})")
        << profile << more;
  }
}

TEST(Profiles, AMessageThatIsToBeGoneOnWithIsMarked) {
  struct Case {
    std::string profile;
    std::uint32_t flags;
    std::string sent;
  };
  const std::string body = R"({"add_generation_prompt":true,"messages":[]})";
  const std::string kept = R"({"model":"m","add_generation_prompt":true,"messages":[]})";
  for (const Case& given : std::vector<Case>{
           {"vllm", BP_REQUEST_CONTINUE,
            R"({"model":"m","continue_final_message":true,"add_generation_prompt":false,)"
            R"("messages":[]})"},
           {"sglang", BP_REQUEST_CONTINUE,
            R"({"model":"m","continue_final_message":true,"add_generation_prompt":true,)"
            R"("messages":[]})"},
           {"vllm", 0, kept},
           {"openrouter", BP_REQUEST_CONTINUE, kept},
       }) {
    SCOPED_TRACE(given.profile);
    Chat chat(settings_of(given.profile), body, "m", given.flags);
    ASSERT_EQ(chat.code, BP_CODE_OK) << chat.exchange.instance.error.message;
    EXPECT_EQ(chat.exchange.sent().text(), given.sent);
  }
}

TEST(Profiles, ModelsAreListedUnderTheirNames) {
  Exchange exchange(R"({"profile":"groq","api_key":"ref","names":{"mine":"b","none":"c"}})", 0,
                    "chat.completions", {{"ref", "sk-1"}});
  testing::FakeHost& host = exchange.instance.host;
  host.run();
  ASSERT_EQ(host.requests.size(), 1U);
  EXPECT_EQ(host.requests[0].url, "https://api.groq.com/openai/v1/models");
  host.head(200, {});
  host.data(R"({"data":[{"id":"llama-3.3-70b-versatile","context_window":9},{"id":"b"}]})");
  host.done();
  const std::string described = exchange.instance.describe();
  EXPECT_EQ(described.substr(0, described.find(']') + 1),
            R"({"models":[{"id":"llama-3.3-70b-versatile","context_length":9},{"id":"b"},)"
            R"({"id":"mine"},{"id":"llama-3.3-70b-instruct","context_length":9}])");
}

TEST(Profiles, HeadersWorthPassingOnArePassedOn) {
  Chat chat(settings_of("venice"), "{}", "m");
  chat.exchange.instance.host.head(200, {{"content-type", "application/json"},
                                         {"x-venice-balance-usd", "5"},
                                         {"x-venice-model-id", "llama"},
                                         {"x-venice-tee", "true"},
                                         {"x-venice-model-name", "a\nb"},
                                         {"x-ratelimit-limit-requests", "50"},
                                         {"x-ratelimit-remaining-requests", "49"},
                                         {"set-cookie", "a=b"}});
  EXPECT_EQ(chat.exchange.sink.events, (Texts{"head x-venice-model-id: llama x-venice-tee: true"}));
  EXPECT_EQ(chat.exchange.sink.rate_limit.requests_remaining, 49U);
  EXPECT_EQ(chat.exchange.sink.rate_limit.tokens_remaining, BP_RATE_UNKNOWN);
}

}  // namespace
}  // namespace backplane
