// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request/message_fields.hpp"

#include <algorithm>
#include <array>

#include "plugins/backends/local/request/chat_fields.hpp"
#include "plugins/backends/local/request/fields.hpp"
#include "plugins/backends/local/request/json_value.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 5> kRoles = {"system", "user", "assistant", "tool",
                                                    "function"};

bool names(std::string_view chat_template, std::string_view role) {
  const std::string name(role);
  return chat_template.find("'" + name + "'") != std::string_view::npos ||
         chat_template.find('"' + name + '"') != std::string_view::npos;
}

// A content as text: a string, or text parts, joined.
Result<std::string> text_of(const json::value* content, const std::string& place) {
  if (content == nullptr) return std::string();
  if (content->is_string()) return std::string(content->get_string());
  if (!content->is_array()) return refuse(place, "expected a string or a list of text parts");
  std::string text;
  for (const json::value& part : content->get_array()) {
    const json::value* piece = member(part, "text");
    if (piece == nullptr) piece = member(part, "refusal");
    if (piece == nullptr || !piece->is_string()) {
      return refuse(place, "the local backend reads parts of type text only");
    }
    text += piece->get_string();
  }
  return text;
}

// Templates print arguments as JSON of their own, so they get what the text stands for.
Value arguments_of(const json::value* arguments) {
  if (arguments == nullptr) return Object();
  if (!arguments->is_string()) return to_value(*arguments);
  boost::system::error_code failure;
  const json::value parsed = json::parse(arguments->get_string(), failure);
  if (failure || !parsed.is_object()) return std::string_view(arguments->get_string());
  return to_value(parsed);
}

Result<Value> read_tool_calls(const json::value& calls, const std::string& place) {
  if (!calls.is_array()) return refuse(place, "expected a list");
  List list;
  for (const json::value& call : calls.get_array()) {
    const std::string here = place + "[" + std::to_string(list.size()) + "]";
    const json::value* function = member(call, "function");
    if (function == nullptr || text_member(*function, "name").empty()) {
      return refuse(here + ".function.name", "expected a string");
    }
    Object named;
    named.set("name", text_member(*function, "name"));
    named.set("arguments", arguments_of(member(*function, "arguments")));
    Object out;
    out.set("id", text_member(call, "id"));
    out.set("type", "function");
    out.set("function", Value(std::move(named)));
    list.push_back(Value(std::move(out)));
  }
  return Value(std::move(list));
}

Result<Value> read_message(const json::value& message, const std::string& place) {
  if (!message.is_object()) return refuse(place, "expected an object");
  const std::string_view role = text_member(message, "role");
  if (role.empty()) return refuse(place + ".role", "expected a string");
  auto content = text_of(member(message, "content"), place + ".content");
  if (!content) return content.error();
  Object out;
  out.set("role", role == "developer" ? std::string_view("system") : role);
  out.set("content", Value(std::move(*content)));
  for (const char* name : {"name", "tool_call_id", "reasoning_content"}) {
    if (const auto text = text_member(message, name); !text.empty()) out.set(name, text);
  }
  const json::value* calls = member(message, "tool_calls");
  if (calls == nullptr || (calls->is_array() && calls->get_array().empty())) {
    return Value(std::move(out));
  }
  auto tool_calls = read_tool_calls(*calls, place + ".tool_calls");
  if (!tool_calls) return tool_calls.error();
  out.set("tool_calls", std::move(*tool_calls));
  return Value(std::move(out));
}

}  // namespace

Result<Value> read_messages(const json::object& body) {
  const json::value* messages = member(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->get_array().empty()) {
    return refuse("messages", "expected a list of at least one message");
  }
  if (messages->get_array().size() > kMessagesMax) return refuse("messages", "too many");
  List list;
  for (const json::value& message : messages->get_array()) {
    auto read = read_message(message, "messages[" + std::to_string(list.size()) + "]");
    if (!read) return read.error();
    list.push_back(std::move(*read));
  }
  return Value(std::move(list));
}

Status check_roles(const Value& messages, std::string_view chat_template) {
  std::size_t at = 0;
  for (const Value& message : *messages.list()) {
    const std::string& role = *message.object()->find("role")->string();
    if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end() &&
        !names(chat_template, role)) {
      return refuse("messages[" + std::to_string(at) + "].role",
                    "the model's chat template knows no such role; use system, developer, user, "
                    "assistant or tool");
    }
    ++at;
  }
  return ok();
}

// Values share what they hold, so everything on the way to the arguments is made anew.
Value with_argument_texts(const Value& messages) {
  List list;
  for (const Value& message : *messages.list()) {
    const Value* calls = message.object()->find("tool_calls");
    if (calls == nullptr) {
      list.push_back(message);
      continue;
    }
    List told;
    for (const Value& call : *calls->list()) {
      Object function = *call.object()->find("function")->object();
      const Value& arguments = *function.find("arguments");
      if (arguments.string() == nullptr) function.set("arguments", to_json(arguments));
      Object copy = *call.object();
      copy.set("function", Value(std::move(function)));
      told.push_back(Value(std::move(copy)));
    }
    Object copy = *message.object();
    copy.set("tool_calls", Value(std::move(told)));
    list.push_back(Value(std::move(copy)));
  }
  return Value(std::move(list));
}

}  // namespace backplane::local
