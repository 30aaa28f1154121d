// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/chat_request.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>
#include <vector>

#include "seal_rig.hpp"

namespace backplane::sealing {
namespace {

namespace dom = simdjson::dom;
using testing::Ends;
using testing::text_of;

// What the model's side reads from a sealed request: each message as "content", or as
// "part 0|part 1", and of the whole a refusal to read anything that is no seal for its place.
std::vector<std::string> read_messages(Ends& ends, std::string_view body) {
  dom::parser parser;
  dom::element request;
  EXPECT_EQ(parser.parse(body.data(), body.size()).get(request), simdjson::SUCCESS) << body;
  const std::string model = text_of(request, "model");
  std::vector<std::string> read;
  std::size_t message = 0;
  for (const dom::element item : dom::array(request["messages"])) {
    RequestPlace place{model, message++, std::nullopt};
    dom::element content;
    if (item["content"].get(content) != simdjson::SUCCESS || content.is_null()) {
      read.emplace_back("none");
      continue;
    }
    if (content.is_string()) {
      read.push_back(*ends.read(place, std::string_view(content)));
      continue;
    }
    std::string parts;
    std::size_t position = 0;
    for (const dom::element part : dom::array(content)) {
      place.part = position++;
      parts += (position > 1 ? "|" : "") + *ends.read(place, text_of(part, "text"));
    }
    read.push_back("parts: " + parts);
  }
  return read;
}

std::string chat(std::string_view messages, std::string_view members = R"("stream":true)") {
  return R"({"model":"a/b","messages":[)" + std::string(messages) + "]," + std::string(members) +
         "}";
}

constexpr std::string_view kHello = R"({"role":"user","content":"Hello"})";

TEST(ChatRequest, SealsTheContentOfEveryRole) {
  const std::string body = chat(
      R"({"role":"system","content":"Be brief."},)"
      R"({"role":"user","content":"Say \"hi\"\n\u00fc\ud83d\ude00"},)"
      R"({"role":"assistant","content":""},)"
      R"({"role":"tool","tool_call_id":"call_1","content":"42"},)"
      R"({"role":"developer","content":[{"type":"text","text":"one"},{"type":"text","text":""}]},)"
      R"({"role":"assistant","content":null},{"role":"user"})");
  for (const Variant* variant : variants()) {
    SCOPED_TRACE(std::string(variant->name));
    Ends ends(*variant);
    const Result<std::string> sealed = seal_chat_request(ends.seal, body);
    ASSERT_TRUE(sealed) << sealed.error().message;
    EXPECT_EQ(read_messages(ends, *sealed),
              (std::vector<std::string>{"Be brief.", "Say \"hi\"\nü😀", "", "42", "parts: one|",
                                        "none", "none"}));
    for (const std::string_view told : {"brief", "hi", "one", "\"42\""}) {
      EXPECT_EQ(sealed->find(told), std::string::npos) << told;
    }
    EXPECT_NE(sealed->find(R"("tool_call_id":"call_1")"), std::string::npos);
  }
}

TEST(ChatRequest, LeavesTheRestAsItWas) {
  const std::string before =
      R"({ "seed" : 18446744073709551615,"unknown":1e2 , "temperature":0.10,"messages" : [ )"
      R"({"role":"user" ,"content" : )";
  const std::string after =
      R"(  , "weight": 0 } ] ,"stop":["\n\n"],"stream":true,"model":"a/b","metadata":{"x":"y"},)"
      R"("chat_template_kwargs":{"enable_thinking":false},"tools":[],"tool_choice":null,)"
      R"("response_format":{"type":"json_object"},"logprobs":false,"n":1} )";
  for (const Variant* variant : variants()) {
    Ends ends(*variant);
    const Result<std::string> sealed = seal_chat_request(ends.seal, before + R"("Hello")" + after);
    ASSERT_TRUE(sealed) << sealed.error().message;
    ASSERT_GT(sealed->size(), before.size() + after.size());
    EXPECT_EQ(sealed->substr(0, before.size()), before);
    EXPECT_EQ(sealed->substr(sealed->size() - after.size()), after);
    EXPECT_EQ(read_messages(ends, *sealed), std::vector<std::string>{"Hello"});
  }
}

TEST(ChatRequest, SealsPartsThatAreNoTextWhereTheServerMakesThemAgain) {
  const std::string body =
      chat(R"({"role":"user","content":[ {"type":"text", "text":"What is it?"},)"
           R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}} ] })");
  for (const Variant* variant : variants()) {
    SCOPED_TRACE(std::string(variant->name));
    Ends ends(*variant);
    const Result<std::string> sealed = seal_chat_request(ends.seal, body);
    ASSERT_EQ(bool(sealed), variant->traits.restores_parts);
    if (!sealed) {
      EXPECT_EQ(sealed.error().message,
                "messages.0.content.1.image_url: end-to-end encryption (venice) cannot carry "
                "this: it would reach the provider, or come back, in the clear; leave it out");
      continue;
    }
    EXPECT_EQ(read_messages(ends, *sealed),
              std::vector<std::string>{R"([{"type":"text","text":"What is it?"},)"
                                       R"({"type":"image_url","image_url":)"
                                       R"({"url":"data:image/png;base64,AAAA"}}])"});
  }
}

// Decrypted, it would be taken for parts, and say something else.
TEST(ChatRequest, SendsATextThatReadsAsPartsAsAPart) {
  const std::string body = chat(R"({"role":"user","content":" [{\"type\":\"text\"}]"})");
  for (const Variant* variant : variants()) {
    Ends ends(*variant);
    const Result<std::string> sealed = seal_chat_request(ends.seal, body);
    ASSERT_TRUE(sealed) << sealed.error().message;
    const std::string prefix = variant->traits.restores_parts ? "parts: " : "";
    EXPECT_EQ(read_messages(ends, *sealed),
              std::vector<std::string>{prefix + R"( [{"type":"text"}])"});
  }
}

TEST(ChatRequest, IsRefusedWhereItWouldTellSomethingInTheClear) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {chat(kHello, R"("stream":true,"tools":[{"type":"function","function":{"name":"f"}}])"),
       "tools"},
      {chat(kHello, R"("stream":true,"functions":[{"name":"f"}])"), "functions"},
      {chat(kHello, R"("stream":true,"tool_choice":{"function":{"name":"f"}}})"), ""},
      {chat(kHello, R"("stream":true,"tool_choice":{"function":{"name":"f"}})"), "tool_choice"},
      {chat(kHello, R"("stream":true,"prediction":{"type":"content","content":"x"})"),
       "prediction"},
      {chat(kHello, R"("stream":true,"prompt":"x")"), "prompt"},
      {chat(kHello, R"("stream":true,"\u0070rompt":"x")"), "prompt"},
      {chat(kHello, R"("stream":true,"documents":["x"])"), "documents"},
      {chat(kHello, R"("stream":true,"unknown":"x")"), "unknown"},
      {chat(kHello, R"("stream":true,"unknown":[1])"), "unknown"},
      {chat(kHello, R"("stream":true,"unknown":{"x":1})"), "unknown"},
      {chat(kHello, R"("stream":true,"logprobs":true)"), "logprobs"},
      {chat(kHello, R"("stream":true,"top_logprobs":5)"), "top_logprobs"},
      {chat(kHello,
            R"("stream":true,"response_format":{"type":"json_schema","json_schema":{"x":1}})"),
       "response_format.json_schema"},
      {chat(kHello, R"("stream":true,"chat_template_kwargs":{"persona":"a pirate"})"),
       "chat_template_kwargs.persona"},
      {chat(kHello, R"("stream":true,"venice_parameters":{"enable_e2ee":false})"),
       "venice_parameters.enable_e2ee"},
      {chat(kHello, R"("stream":true,"venice_parameters":{"enable_web_search":"auto"})"),
       "venice_parameters.enable_web_search"},
      {R"({"model":"m:enable_e2ee=false","stream":true,"messages":[)" + std::string(kHello) + "]}",
       "model"},
      {chat(R"({"role":"user","name":"Ada","content":"x"})"), "messages.0.name"},
      {chat(R"({"role":"user","content":"x","reasoning_content":"y"})"),
       "messages.0.reasoning_content"},
      {chat(std::string(kHello) +
            R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"c","function":{}}]})"),
       "messages.1.tool_calls"},
      {chat(R"({"role":{"x":"y"},"content":"x"})"), "messages.0.role"},
      {chat(""), "messages"},
      {chat(R"({"role":"user","content":[]})"), "messages"},
      {R"({"model":"a/b","stream":true})", "messages"},
  };
  Ends ends(kVenice);
  for (const auto& [body, member] : cases) {
    const Result<std::string> sealed = seal_chat_request(ends.seal, body);
    ASSERT_FALSE(sealed) << body;
    EXPECT_EQ(sealed.error().code, Code::kInvalidArgument);
    const std::string begins =
        member.empty() ? "the request body" : member + ": end-to-end encryption (venice)";
    EXPECT_EQ(sealed.error().message.substr(0, begins.size()), begins) << body;
  }
}

TEST(ChatRequest, IsRefusedWithoutAStreamWhereTheVariantHasNoOther) {
  for (const Variant* variant : variants()) {
    Ends ends(*variant);
    for (const std::string_view stream : {R"("stream":false)", R"("n":1)", R"("stream":"true")"}) {
      const Result<std::string> sealed = seal_chat_request(ends.seal, chat(kHello, stream));
      const bool is_text = stream.back() == '"';
      EXPECT_EQ(bool(sealed), !variant->traits.needs_stream && !is_text) << variant->name << stream;
    }
  }
}

TEST(ChatRequest, IsRefusedWhenItIsNone) {
  Ends ends(kNearV1);
  std::string deep = chat(R"({"role":"user","content":)" + std::string(5000, '[') + "}");
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{"), std::string("\"x\""), deep, chat("1"),
        chat(R"({"role":"user","content":1})"), chat(R"({"role":"user","content":{}})"),
        chat(R"({"role":"user","content":"\ud800"})"), chat("{\"content\":\"\xff\"}"),
        chat(R"({"role":"user","content":"x"},)"), chat(kHello) + "x",
        std::string(R"({"model":1,"messages":[]})"), std::string(R"({"messages":{}})")}) {
    const Result<std::string> sealed = seal_chat_request(ends.seal, body);
    ASSERT_FALSE(sealed) << body;
    EXPECT_EQ(sealed.error().code, Code::kInvalidArgument);
  }
}

// Whichever of two a server reads, it reads a seal.
TEST(ChatRequest, SealsMembersThatComeTwice) {
  Ends ends(kNearV1);
  const std::string body = R"({"messages":[{"content":"first","content":"second"}],"model":"a/b",)"
                           R"("messages":[{"content":"third"}]})";
  const Result<std::string> sealed = seal_chat_request(ends.seal, body);
  ASSERT_TRUE(sealed) << sealed.error().message;
  for (const std::string_view told : {"first", "second", "third"}) {
    EXPECT_EQ(sealed->find(told), std::string::npos);
  }
}

}  // namespace
}  // namespace backplane::sealing
