// SPDX-License-Identifier: Apache-2.0
// What an instance makes of its settings, its secrets and what the host lacks.
#include <gtest/gtest.h>

#include <backplane/http.h>
#include <backplane/secrets.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/plugins/backends/common/plugin_rig.hpp"

namespace backplane {
namespace {

using testing::Instance;

bool says(const Instance& instance, std::string_view words) {
  return std::string_view(instance.error.message).find(words) != std::string_view::npos;
}

TEST(OpenAiSettings, NamesTheSettingThatIsWrong) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"", "settings"},
      {"[]", "settings"},
      {"{}", "base_url"},
      {R"({"base_url":5})", "base_url"},
      {R"({"base_url":"ftp://h"})", "base_url"},
      {R"({"base_url":"http://"})", "base_url"},
      {R"({"base_url":"https:///"})", "base_url"},
      {R"({"base_url":"http://h/v1?a=b"})", "base_url"},
      {R"({"base_url":"http://h/v 1"})", "base_url"},
      {R"({"base_url":"http://name:word@h/v1"})", "base_url: credentials"},
      {R"({"base_url":"http://h:99999/v1"})", "base_url: expected a host and a port"},
      {R"({"base_url":"http://h:/v1"})", "base_url: expected a host and a port"},
      {R"({"base_url":"http://:80/v1"})", "base_url: expected a host and a port"},
      {R"({"base_url":"http://[::1/v1"})", "base_url: expected a host and a port"},
      {R"({"base_url":"http://[::1]80/v1"})", "base_url: expected a host and a port"},
      {R"({"base_url":"http://h","models":[5]})", "models"},
      {R"({"base_url":"http://h","models":[""]})", "models"},
      {R"({"base_url":"http://h","headers":{"a b":"c"}})", "headers"},
      {R"({"base_url":"http://h","headers":{"a":5}})", "headers"},
      {R"({"base_url":"http://h","headers":{"Host":"x"}})", "\"host\""},
      {R"({"base_url":"http://h","headers":{"Transfer-Encoding":"x"}})", "\"transfer-encoding\""},
      {R"({"base_url":"http://h","timeouts":{"idle_ms":"5"}})", "timeouts"},
      {R"({"base_url":"http://h","timeouts":{"idle_ms":5000000000}})", "timeouts"},
  };
  for (const auto& [settings, words] : cases) {
    Instance instance(settings);
    EXPECT_EQ(instance.create(), BP_CODE_INVALID_ARGUMENT) << settings;
    EXPECT_TRUE(says(instance, words)) << settings << ": " << instance.error.message;
  }
}

TEST(OpenAiSettings, TakesEveryKindOfAddress) {
  for (const std::string_view url : {"http://h", "https://h.example:65535/v1", "http://[::1]/v1",
                                     "http://[::1]:80/v1/", "http://h/a@b:c"}) {
    Instance instance("{\"base_url\":\"" + std::string(url) + "\"}");
    EXPECT_EQ(instance.create(), BP_CODE_OK) << url << ": " << instance.error.message;
  }
}

TEST(OpenAiSettings, TimeoutsReachTheClient) {
  Instance instance(R"({"base_url":"http://h",)"
                    R"("timeouts":{"connect_ms":1,"first_byte_ms":2,"idle_ms":3,"total_ms":4}})");
  ASSERT_EQ(instance.create(), BP_CODE_OK);
  ASSERT_EQ(instance.start(), BP_CODE_OK);
  bp_request request{};
  request.operation = str("embeddings");
  request.body.data = "{}";
  request.body.size = 2;
  request.loop = instance.host.loop();
  testing::RecordingSink sink;
  bp_call* call = nullptr;
  ASSERT_EQ(instance.submit(request, *sink.get(), &call), BP_CODE_OK);
  const bp_http_request& sent = instance.host.requests.at(0).raw;
  EXPECT_EQ(sent.connect_timeout_ms, 1U);
  EXPECT_EQ(sent.first_byte_timeout_ms, 2U);
  EXPECT_EQ(sent.idle_timeout_ms, 3U);
  EXPECT_EQ(sent.total_timeout_ms, 4U);
  call->cancel(call);
  instance.host.run();
  call->release(call);
}

TEST(OpenAiSettings, DescribesItsModels) {
  constexpr std::string_view kOperations =
      R"("operations":["chat.completions","completions","responses","embeddings","rerank",)"
      R"("moderations","images.generations","images.edits","images.variations","audio.speech",)"
      R"("audio.transcriptions","audio.translations"])";
  const std::vector<std::pair<std::string_view, std::string>> cases = {
      {R"({"base_url":"http://h"})", R"({"models":[],)"},
      {R"({"base_url":"http://h","models":["a/b:c","d\"e"]})",
       R"({"models":[{"id":"a/b:c"},{"id":"d\"e"}],)"},
  };
  for (const auto& [settings, models] : cases) {
    Instance instance(settings);
    ASSERT_EQ(instance.create(), BP_CODE_OK);
    ASSERT_EQ(instance.start(), BP_CODE_OK);
    EXPECT_EQ(instance.describe(), models + std::string(kOperations) + '}');
  }
}

TEST(OpenAiSettings, AKeyThatCannotBeReadStopsTheStart) {
  constexpr std::string_view kSettings = R"({"base_url":"http://h","api_key":"ref"})";
  for (const std::string_view value : {"", "  \n", "a\nb", "a\x01", "caf\xC3\xA9"}) {
    Instance instance(kSettings);
    instance.host.secrets = {{"ref", std::string(value)}};
    ASSERT_EQ(instance.create(), BP_CODE_OK);
    EXPECT_EQ(instance.start(), BP_CODE_INVALID_ARGUMENT);
    EXPECT_TRUE(says(instance, "api_key"));
  }
  Instance unknown(kSettings);
  ASSERT_EQ(unknown.create(), BP_CODE_OK);
  EXPECT_EQ(unknown.start(), BP_CODE_NOT_FOUND);
  EXPECT_TRUE(says(unknown, "api_key"));
  EXPECT_FALSE(says(unknown, "ref"));
}

TEST(OpenAiSettings, AHeaderThatCannotBeSentStopsTheStart) {
  Instance instance(R"({"base_url":"http://h","headers":{"x-a":"ref"}})");
  instance.host.secrets = {{"ref", "a\r\nb"}};
  ASSERT_EQ(instance.create(), BP_CODE_OK);
  EXPECT_EQ(instance.start(), BP_CODE_INVALID_ARGUMENT);
  EXPECT_TRUE(says(instance, "headers.x-a"));
}

TEST(OpenAiSettings, NamesWhatTheHostLacks) {
  Instance without_http(R"({"base_url":"http://h"})");
  without_http.host.missing_interface = BP_HTTP_ID;
  EXPECT_EQ(without_http.create(), BP_CODE_UNIMPLEMENTED);
  EXPECT_TRUE(says(without_http, BP_HTTP_ID));

  Instance without_secrets(R"({"base_url":"http://h","api_key":"ref"})");
  without_secrets.host.missing_interface = BP_SECRETS_ID;
  ASSERT_EQ(without_secrets.create(), BP_CODE_OK);
  EXPECT_EQ(without_secrets.start(), BP_CODE_UNIMPLEMENTED);
  EXPECT_TRUE(says(without_secrets, BP_SECRETS_ID));
}

}  // namespace
}  // namespace backplane
