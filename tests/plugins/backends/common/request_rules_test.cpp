// SPDX-License-Identifier: Apache-2.0
#include "common/request_rules.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <backplane/plugin.hpp>
#include <string>
#include <vector>

#include "common/body_splice.hpp"

namespace backplane::dialect {
namespace {

using Texts = std::vector<std::string>;

const std::vector<FieldRule> kFields = {
    {"a", FieldAction::kDrop},
    {"b", FieldAction::kRefuse},
    {"n", FieldAction::kRefuse, "1"},
    {"max_tokens", FieldAction::kRename, "max_completion_tokens"},
    {"messages[].name", FieldAction::kDrop},
    {"messages[].role", FieldAction::kReplace, "developer", "system"},
    {"messages[].reasoning_content", FieldAction::kRename, "reasoning"},
};

struct Sent {
  std::string body;
  Texts dropped;
  std::string refusal;
};

Sent send(const std::string& body, const RequestRules& rules, std::string_view model = {},
          bool ask_usage = false) {
  bp_request request{};
  request.body = {body.data(), body.size(), BP_MEMORY_HOST, 0, nullptr, nullptr, nullptr};
  request.model = str(model);
  const auto made = BodySplice::make(request, ask_usage, rules);
  if (!made) {
    EXPECT_EQ(made.error().code, Code::kInvalidArgument);
    return {{}, {}, made.error().type + ' ' + made.error().message};
  }
  Sent sent{{}, made->dropped(), {}};
  for (const bp_str& piece : made->pieces()) sent.body += view(piece);
  return sent;
}

struct Case {
  std::string body;
  std::string sent;
  Texts dropped = {};
};

TEST(RequestRules, ChangeWhatTheyNameAndNothingElse) {
  for (const Case& given : std::vector<Case>{
           {R"({"x":1,"y":[1,2]})", R"({"x":1,"y":[1,2]})"},
           {R"({"a":5,"x":1})", R"({"x":1})", {"a"}},
           {R"({"x":1,"a":5})", R"({"x":1})", {"a"}},
           {R"({"x":1,"a":5,"y":2})", R"({"x":1,"y":2})", {"a"}},
           {R"({ "x" : 1 , "a" : {"deep":[1]} , "y" : 2 })", R"({ "x" : 1 , "y" : 2 })", {"a"}},
           {R"({"a":5})", R"({})", {"a"}},
           {R"({"a":5,"n":1})", R"({})", {"a"}},
           {R"({"n":1,"x":1,"a":5,"b":null})", R"({"x":1})", {"a"}},
           {R"({"a":1,"a":2,"x":3,"a":4})", R"({"x":3})", {"a"}},
           {R"({"\u0061":1,"x":3})", R"({"x":3})", {"a"}},
           {R"({"x":{"a":1,"b":2},"y":"\"a\":1"})", R"({"x":{"a":1,"b":2},"y":"\"a\":1"})"},
           {R"({"a":null,"b":false})", "{}"},
           {R"({"a":{},"b":[ ],"x":0})", R"({"x":0})"},
           {R"({"b":0,"n":null,"x":0})", R"({"x":0})"},
           {R"({"max_tokens":5})", R"({"max_completion_tokens":5})"},
           {R"({"max_tokens":5,"max_completion_tokens":6})", R"({"max_completion_tokens":6})"},
           {R"({"messages":[{"role":"user","name":"bob","content":"x"},{"name":"eve"}]})",
            R"({"messages":[{"role":"user","content":"x"},{}]})",
            {"messages[].name"}},
           {R"({"messages":[{"role":"developer"},{"role":"user","content":"developer"}]})",
            R"({"messages":[{"role":"system"},{"role":"user","content":"developer"}]})"},
           {R"({"messages":[{"reasoning_content":"r","content":""}]})",
            R"({"messages":[{"reasoning":"r","content":""}]})"},
           {R"({"messages":[{"reasoning_content":"r","reasoning":"r"}]})",
            R"({"messages":[{"reasoning":"r"}]})"},
           {R"({"messages":"none","a":1})", R"({"messages":"none"})", {"a"}},
           {R"({"messages":[1,null,"x"],"a":1})", R"({"messages":[1,null,"x"]})", {"a"}},
           {"{\"name\":\"top\",\"x\":\"h\xc3\xa9\"}", "{\"name\":\"top\",\"x\":\"h\xc3\xa9\"}"},
           {R"({"a":1,"x" 2})", R"({"a":1,"x" 2})"},
           {R"({"a":1,"x":[})", R"({"a":1,"x":[})"},
       }) {
    const Sent sent = send(given.body, {kFields, {}});
    EXPECT_EQ(sent.body, given.sent) << given.body;
    EXPECT_EQ(sent.dropped, given.dropped) << given.body;
  }
}

TEST(RequestRules, NameTheFieldThatIsRefused) {
  for (const auto& [body, field] :
       std::vector<std::pair<std::string, std::string>>{{R"({"b":true})", "b"},
                                                        {R"({"b":{"1":5}})", "b"},
                                                        {R"({"n":2})", "n"},
                                                        {R"({"x":1,"n":"1"})", "n"}}) {
    const Sent sent = send(body, {kFields, {}});
    EXPECT_EQ(sent.refusal.substr(0, 22 + field.size() + 1),
              "UNSUPPORTED_PARAMETER " + field + ':');
  }
}

TEST(RequestRules, AddWhatTheClientDidNotSay) {
  const RequestRules rules{{}, {{"v", {{"p", "true"}, {"q", "\"on\""}}}}};
  for (const Case& given : std::vector<Case>{
           {R"({"x":1})", R"({"v":{"p":true,"q":"on"},"x":1})"},
           {R"({})", R"({"v":{"p":true,"q":"on"}})"},
           {R"({"v":{},"x":1})", R"({"v":{"p":true,"q":"on"},"x":1})"},
           {R"({"v":{"q":"off"}})", R"({"v":{"p":true,"q":"off"}})"},
           {R"({"v":{"q":1,"p":2}})", R"({"v":{"q":1,"p":2}})"},
           {R"({"v":null})", R"({"v":null})"},
       }) {
    EXPECT_EQ(send(given.body, rules).body, given.sent) << given.body;
  }
}

TEST(RequestRules, AgreeWithTheOtherEditsOfABody) {
  const RequestRules rules{kFields, {{"v", {{"p", "1"}}}}};
  for (const std::string body : {R"({"a":1})", R"({"a":1,"x":2})", R"({"x":2,"a":1,"n":1})",
                                 R"({"max_tokens":1,"a":2})", R"({})"}) {
    const Sent sent = send(body, rules, "theirs", true);
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    ASSERT_EQ(parser.parse(sent.body).get(object), simdjson::SUCCESS) << sent.body;
    EXPECT_EQ(object["model"].get_string().value_unsafe(), "theirs") << sent.body;
    EXPECT_EQ(object.at_pointer("/stream_options/include_usage").get_bool().value_unsafe(), true);
    EXPECT_EQ(object.at_pointer("/v/p").get_int64().value_unsafe(), 1) << sent.body;
    EXPECT_EQ(object["a"].error(), simdjson::NO_SUCH_FIELD) << sent.body;
  }
}

}  // namespace
}  // namespace backplane::dialect
