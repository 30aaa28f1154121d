// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/request_scan.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace backplane {
namespace {

Result<RequestScan> scan(const std::string& body, ScanLimits limits = {}) {
  const BufferRef buffer = BufferRef::adopt(make_buffer(body));
  return scan_request(buffer.get(), limits);
}

std::string nested(std::size_t depth, const std::string& inner) {
  return std::string(depth, '[') + inner + std::string(depth, ']');
}

std::string many(const std::string& element, int count) {
  std::string text = element;
  for (int i = 1; i < count; ++i) text += ',' + element;
  return text;
}

struct GoodCase {
  std::string body;
  RequestScan expected;
};

RequestScan expect(std::string model, std::uint64_t offset, std::uint64_t size) {
  RequestScan scan;
  scan.model = std::move(model);
  scan.model_offset = offset;
  scan.model_size = size;
  return scan;
}

std::vector<GoodCase> good_cases() {
  std::vector<GoodCase> cases = {
      {"{}", {}},
      {R"({"model":"m"})", expect("m", 9, 3)},
      {R"( { "model" : "m" , "x" : 1 } )", expect("m", 13, 3)},
      {"{\"messages\":[{\"role\":\"user\",\"content\":\"\\u00e9\\n\\\"\"}],\n\"model\":\"m\"\n}\n",
       expect("m", 62, 3)},
      {R"({"model":"a\/b\"\u00e9"})", expect("a/b\"\xC3\xA9", 9, 14)},
      {R"({"mod\u0065l":"m"})", expect("m", 14, 3)},
      {R"({"x":{"model":"inner"},"model":"m"})", expect("m", 31, 3)},
      {R"({"seed":123456789012345678901234567890,"x":1e400,"y":-1E-400})", {}},
      {R"({"x":[],"y":{},"z":[[],{}],"":"","n":null})", {}},
      {R"({"metadata":{"a":1,"a":2}})", {}},
  };
  GoodCase flags{R"({"model":"m","stream":true,"stream_options":{"include_usage":true,"x":[1]},)"
                 R"("max_tokens":5,"provider":"groq"})",
                 expect("m", 9, 3)};
  flags.expected.stream = flags.expected.stream_options = flags.expected.include_usage = true;
  flags.expected.max_output_tokens = 5;
  flags.expected.provider.pinned = "groq";
  cases.push_back(flags);
  GoodCase nulls{R"({"stream":null,"stream_options":null,"max_tokens":null,"provider":null})", {}};
  nulls.expected.stream_options = true;
  cases.push_back(nulls);
  GoodCase object{R"({"provider":{"order":["a"],"allow_fallbacks":false}})", {}};
  cases.push_back(object);
  GoodCase both{R"({"max_tokens":9,"max_completion_tokens":4})", {}};
  both.expected.max_output_tokens = 9;
  cases.push_back(both);
  return cases;
}

TEST(RequestScan, ReadsWhatTheRuntimeNeeds) {
  for (const GoodCase& test : good_cases()) {
    SCOPED_TRACE(test.body);
    const Result<RequestScan> result = scan(test.body);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->model, test.expected.model);
    EXPECT_EQ(result->model_offset, test.expected.model_offset);
    EXPECT_EQ(result->model_size, test.expected.model_size);
    EXPECT_EQ(result->stream, test.expected.stream);
    EXPECT_EQ(result->stream_options, test.expected.stream_options);
    EXPECT_EQ(result->include_usage, test.expected.include_usage);
    EXPECT_EQ(result->max_output_tokens, test.expected.max_output_tokens);
    EXPECT_EQ(result->provider.pinned, test.expected.provider.pinned);
  }
}

struct BadCase {
  std::string body;
  std::string said;  // part of the message
};

std::vector<BadCase> bad_cases() {
  return {
      {"", "empty"},
      {" \n", "empty"},
      {"[]", "not a JSON object"},
      {"1", "not a JSON object"},
      {"\"x\"", "not a JSON object"},
      {"null", "not a JSON object"},
      {"{", "not valid JSON"},
      {"}", "not"},
      {"{\"a\"}", "not valid JSON"},
      {"{\"a\":}", "not valid JSON"},
      {"{\"a\":1,}", "not valid JSON"},
      {"{,\"a\":1}", "not valid JSON"},
      {"{\"a\":1 \"b\":2}", "not valid JSON"},
      {"{a:1}", "not valid JSON"},
      {"{\"a\":'b'}", "not valid JSON"},
      {"{\"a\":[1,]}", "not valid JSON"},
      {"{\"a\":[1 2]}", "not valid JSON"},
      {"{\"a\":tru}", "not valid JSON"},
      {"{\"a\":nulll}", "not valid JSON"},
      {"{\"a\":01}", "not valid JSON"},
      {"{\"a\":1e}", "not valid JSON"},
      {"{\"a\":-}", "not valid JSON"},
      {"{\"a\":[1.]}", "not valid JSON"},
      {"{\"a\":[1x]}", "not valid JSON"},
      {"{\"a\":\"b}", "not closed"},
      {"{\"a\":\"\xC3\"}", "UTF-8"},
      {"{\"a\":\"\x01\"}", "not valid JSON"},
      {"{\"a\":\"\\x\"}", "not valid JSON"},
      {"{\"a\":\"\\u12g4\"}", "not valid JSON"},
      {"{\"a\":{\"\\x\":1}}", "not valid JSON"},
      {"{\"\\x\":1}", "not valid JSON"},
      {"{\"model\":\"\\x\"}", "model"},
      {"{} {}", "goes on"},
      {"{}}", ""},
      {"{\"a\":1}]", ""},
      {"{}x", ""},
      {"{\"a\":1}//x", ""},
      {R"({"model":1})", "model: expected a string"},
      {R"({"model":null})", "model: expected a string"},
      {R"({"model":["m"]})", "model: expected a string"},
      {R"({"model":""})", "model: expected a name"},
      {R"({"model":"a","model":"b"})", "model: given twice"},
      {R"({"stream":1})", "stream: expected true or false"},
      {R"({"stream":"true"})", "stream: expected true or false"},
      {R"({"stream":true,"stream":false})", "stream: given twice"},
      {R"({"stream_options":1})", "stream_options: expected an object"},
      {R"({"stream_options":{"include_usage":1}})", "stream_options.include_usage: expected"},
      {R"({"stream_options":{},"stream_options":{}})", "stream_options: given twice"},
      {R"({"stream_options":{"include_usage":true,"include_usage":false}})",
       "include_usage: given twice"},
      {"{\"stream\\u005foptions\":{}}", "stream_options: write the name without escapes"},
      {"{\"stream_options\":{\"include\\u005fusage\":true}}",
       "include_usage: write the name without escapes"},
      {R"({"max_tokens":"5"})", "max_tokens: expected a whole number"},
      {R"({"max_tokens":1.5})", "max_tokens: expected a whole number"},
      {R"({"max_tokens":0})", "max_tokens: expected at least 1"},
      {R"({"max_tokens":-1})", "max_tokens: expected at least 1"},
      {R"({"max_tokens":99999999999999999999})", "max_tokens: expected a whole number"},
      {R"({"max_tokens":1,"max_tokens":1000000})", "max_tokens: given twice"},
      {R"({"max_completion_tokens":1,"max_completion_tokens":2})", "given twice"},
      {R"({"provider":1})", "provider: expected"},
      {R"({"provider":["a"]})", "provider: expected"},
      {R"({"provider":{"order":"a"}})", "provider.order: expected an array of names"},
      {R"({"provider":{"only":[1]}})", "provider.only: expected an array of names"},
      {R"({"provider":{"ignore":[""]}})", "provider.ignore: no provider's name"},
      {R"({"provider":{"order":[)" + many("\"a\"", 65) + "]}}", "expected at most 64 names"},
      {R"({"provider":{"allow_fallbacks":"no"}})", "provider.allow_fallbacks: expected true"},
      {R"({"provider":{"data_collection":true}})", "provider.data_collection: expected \"deny\""},
      {R"({"provider":{"zdr":"yes"}})", "provider.zdr: expected true or false"},
      {R"({"provider":{"sort":"random"}})", "provider.sort: expected"},
      {R"({"provider":{"max_price":{"prompt":-1}}})", "provider.max_price.prompt: expected USD"},
      {R"({"provider":{"max_price":{"image":1}}})", "provider.max_price: expected prompt"},
      {R"({"provider":{"max_price":1}})", "provider.max_price: expected an object"},
      {R"({"provider":{"quantizations":["fp8"]}})", "provider.quantizations: not known here"},
      {R"({"provider":"a","provider":"b"})", "provider: given twice"},
      {R"({"model":")" + std::string(513, 'a') + "\"}", "too long"},
      {R"({"a":)" + nested(64, "") + "}", "nests deeper than 64"},
      {R"({"a":)" + nested(100'000, "") + "}", "nests deeper than 64"},
      {R"({"stream_options":{"a":)" + nested(100'000, "") + "}}", "nests deeper than 64"},
  };
}

TEST(RequestScan, RefusesAndNamesThePlace) {
  for (const BadCase& test : bad_cases()) {
    SCOPED_TRACE(test.body.substr(0, 100));
    const Result<RequestScan> result = scan(test.body);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kInvalidArgument);
    EXPECT_EQ(result.error().http_status, 400U);
    EXPECT_NE(result.error().message.find(test.said), std::string::npos) << result.error().message;
  }
}

TEST(RequestScan, ReadsWhatIsAskedOfProviders) {
  const auto result =
      scan(R"({"model":"m","provider":{"order":["a","b"],"only":["c"],"ignore":["d"],
      "allow_fallbacks":false,"data_collection":"deny","sort":"price",
      "max_price":{"prompt":0.59,"completion":"1"},"zdr":null},"stream":true})");
  ASSERT_TRUE(result) << result.error().message;
  const ProviderPreferences& provider = result->provider;
  EXPECT_EQ(provider.order, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(provider.only, std::vector<std::string>{"c"});
  EXPECT_EQ(provider.ignore, std::vector<std::string>{"d"});
  EXPECT_FALSE(provider.allow_fallbacks);
  EXPECT_TRUE(provider.is_private);
  EXPECT_EQ(provider.sort, ProviderPreferences::Sort::kPrice);
  EXPECT_EQ(provider.input_price_max, 590'000'000);
  EXPECT_EQ(provider.output_price_max, 1'000'000'000);
  EXPECT_TRUE(result->stream) << "what follows is read";
  EXPECT_FALSE(scan(R"({"provider":{"data_collection":"allow"}})")->provider.is_private);
}

TEST(RequestScan, FindsHowAConversationBegins) {
  const std::string system = R"({"role":"system","content":"be [\"brief\"]"})";
  const std::string user = R"({ "content":[{"type":"text","text":"hi"}],"role" : "user" })";
  const std::string answer = R"({"role":"assistant","content":"yes"})";
  struct Case {
    std::string body;
    std::string prefix;
  };
  const std::vector<Case> cases = {
      {R"({"messages":[)" + system + "," + user + R"(],"model":"m"})", system + "," + user},
      {R"({"messages":[)" + system + " , " + user + "," + answer + "," + user + "]}",
       system + " , " + user},
      {R"({"messages":[)" + user + "," + answer + "]}", user},
      {R"({"messages":[)" + many(answer, 6) + "]}", many(answer, 4)},
      {R"({"messages":[]})", ""},
      {R"({"messages":"hi"})", ""},
      {R"({"messages":[1,[2],"x"]})", R"(1,[2],"x")"},
      {R"({"prompt":"once upon", "n":1})", R"("once upon")"},
      {R"({"prompt_cache_key":"k","messages":[)" + user + "]}", R"("k")"},
      {R"({"messages":[)" + user + R"(],"prompt_cache_key":"k"})", R"("k")"},
      {R"({"messages":[)" + user + R"(],"prompt_cache_key":null})", user},
  };
  for (const Case& given : cases) {
    const auto result = scan(given.body);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(given.body.substr(result->prefix_offset, result->prefix_size), given.prefix);
  }
}

TEST(RequestScan, ChecksMessagesAsAllElse) {
  EXPECT_FALSE(scan(R"({"messages":[{"role":"user","content":"\q"}]})"));
  EXPECT_FALSE(scan(R"({"messages":[{"role":01}]})"));
  EXPECT_FALSE(scan(R"({"messages":[{"role":"user"},{"a":tru}]})"));
  EXPECT_FALSE(scan(R"({"messages":[{"role":"user"} {"role":"user"}]})"));
  EXPECT_TRUE(scan(R"({"messages":[{"a":)" + nested(61, "1") + "}]}"));
  EXPECT_FALSE(scan(R"({"messages":[{"a":)" + nested(62, "1") + "}]}"));
  EXPECT_TRUE(scan(R"({"messages":[]})", {2, 512}));
  EXPECT_FALSE(scan(R"({"messages":[{}]})", {2, 512}));
  EXPECT_FALSE(scan(R"({"messages":[]})", {1, 512}));
}

TEST(RequestScan, NestsUpToTheLimit) {
  EXPECT_TRUE(scan(R"({"a":)" + nested(63, "1") + "}"));
  EXPECT_TRUE(scan(R"({"a":)" + nested(63, "") + "}"));
  EXPECT_FALSE(scan(R"({"a":)" + nested(64, "1") + "}"));
  EXPECT_TRUE(scan(R"({"a":1})", {1, 512}));
  EXPECT_FALSE(scan(R"({"a":{}})", {1, 512}));
}

// A buffer that ends where its memory ends: nothing may be read behind it.
TEST(RequestScan, CopiesABodyWithoutPadding) {
  for (std::size_t filler = 0; filler < 130; ++filler) {
    const std::string text = R"({"x":")" + std::string(filler, 'a') + R"(","model":"m"})";
    const std::vector<char> exact(text.begin(), text.end());
    const bp_buffer body{exact.data(), exact.size(), BP_MEMORY_HOST, 0, nullptr, nullptr, nullptr};
    const Result<RequestScan> result = scan_request(body, {});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->model, "m");
    EXPECT_EQ(text.substr(result->model_offset, result->model_size), "\"m\"");
  }
  EXPECT_FALSE(scan_request(bp_buffer{}, {}));
}

TEST(RequestScan, TakesALongBody) {
  constexpr std::size_t kBytes = 8 * 1024 * 1024;
  std::string text = R"({"image":")" + std::string(kBytes, 'A') + R"(","model":"m"})";
  EXPECT_EQ(scan(text)->model, "m");
  text[kBytes / 2] = '\\';
  EXPECT_FALSE(scan(text)) << "\\A is no escape";
}

// Every prefix of a good document is refused, whatever it was cut in.
TEST(RequestScan, RefusesEveryPrefix) {
  const std::string text =
      R"({"model":"m\u00e9","messages":[{"role":"user","content":[{"a":-1.5e3}]}],"stream":true})";
  ASSERT_TRUE(scan(text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(scan(text.substr(0, size))) << text.substr(0, size);
  }
}

std::filesystem::path json_cases() {
  const char* const given = std::getenv("BACKPLANE_SHARED_DIR");
  const std::filesystem::path shared = given != nullptr ? given : BACKPLANE_SOURCE_DIR "/../shared";
  return shared / "harness/conformance/data/dev/json/test_parsing";
}

// Documents that are right (y_) or wrong (n_) by RFC 8259, each as the value of a member.
TEST(RequestScan, KeepsToTheGrammar) {
  if (!std::filesystem::exists(json_cases())) GTEST_SKIP() << "no JSON cases at " << json_cases();
  for (const auto& entry : std::filesystem::directory_iterator(json_cases())) {
    const std::string name = entry.path().filename();
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    const bool accepted = static_cast<bool>(scan(R"({"model":"m","x":)" + text.str() + "}"));
    if (name[0] == 'i') continue;  // the grammar leaves it open
    EXPECT_EQ(accepted, name[0] == 'y') << name;
  }
}

}  // namespace
}  // namespace backplane
