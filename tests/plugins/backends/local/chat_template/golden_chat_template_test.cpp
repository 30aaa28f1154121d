// SPDX-License-Identifier: Apache-2.0
// Real models' chat templates and what they make of recorded conversations.
#include <gtest/gtest.h>

#include <boost/json/object.hpp>

#include "plugins/backends/local/chat_template/chat_template.hpp"
#include "tests/plugins/backends/local/recorded.hpp"

namespace backplane::local {
namespace {

constexpr std::int64_t kRecordedNow_s = 1768435200;  // 2026-01-15

Value to_value(const boost::json::value& json) {
  if (json.is_bool()) return json.as_bool();
  if (json.is_int64()) return json.as_int64();
  if (json.is_uint64()) return static_cast<std::int64_t>(json.as_uint64());
  if (json.is_double()) return json.as_double();
  if (json.is_string()) return std::string(json.as_string());
  if (json.is_null()) return Value::None();
  if (json.is_array()) {
    List list;
    for (const auto& element : json.as_array()) list.push_back(to_value(element));
    return list;
  }
  Object object;
  for (const auto& [key, value] : json.as_object()) object.set(key, to_value(value));
  return object;
}

TEST(GoldenChatTemplates, ConversationsRenderAsRecorded) {
  const std::string golden = recorded_path("models/golden/chat_templates.dev.jsonl");
  if (golden.empty()) GTEST_SKIP() << "no recorded templates";
  for (const auto& line : recorded_lines(golden)) {
    const std::string name(line.at("template").as_string());
    const std::string recorded_case(line.at("case").as_string());
    SCOPED_TRACE(name + " " + recorded_case);
    const boost::json::object& recorded = line.as_object();
    const auto parsed = ChatTemplate::parse(file_text(recorded_path("models/templates/" + name)));
    ASSERT_TRUE(parsed) << parsed.error().message;
    const auto text = parsed->render(to_value(line.at("input")), kRecordedNow_s);
    if (recorded.contains("error")) {
      EXPECT_FALSE(text);
    } else {
      ASSERT_TRUE(text) << text.error().message;
      EXPECT_EQ(*text, std::string(recorded.at("output").as_string()));
    }
  }
}

}  // namespace
}  // namespace backplane::local
