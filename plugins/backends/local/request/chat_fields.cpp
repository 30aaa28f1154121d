// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request/chat_fields.hpp"

#include <algorithm>

#include "plugins/backends/local/request/fields.hpp"
#include "plugins/backends/local/request/json_value.hpp"
#include "plugins/backends/local/request/message_fields.hpp"
#include "plugins/backends/local/sampling/logprobs.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::size_t kToolNameBytesMax = 256;

Result<Tool> read_tool(const json::value& tool, const std::string& place) {
  const json::value* function = member(tool, "function");
  if (text_member(tool, "type") != "function" || function == nullptr) {
    return refuse(place, "expected an object of type function; the local backend has no others");
  }
  Tool out;
  out.name = text_member(*function, "name");
  if (out.name.empty() || out.name.size() > kToolNameBytesMax) {
    return refuse(place + ".function.name",
                  "expected a string of 1 to " + std::to_string(kToolNameBytesMax) + " bytes");
  }
  if (const json::value* parameters = member(*function, "parameters")) {
    if (!parameters->is_object()) {
      return refuse(place + ".function.parameters", "expected a JSON schema");
    }
    if (!parameters->get_object().empty()) out.parameters = json::serialize(*parameters);
  }
  const json::value* strict = member(*function, "strict");
  out.strict = strict != nullptr && strict->is_bool() && strict->get_bool();
  return out;
}

Status read_tools(const json::object& body, ChatFields& out) {
  const json::value* tools = member(body, "tools");
  if (tools == nullptr) return ok();
  if (!tools->is_array()) return refuse("tools", "expected a list");
  if (tools->get_array().size() > kToolsMax) {
    return refuse("tools", "more than " + std::to_string(kToolsMax));
  }
  for (const json::value& tool : tools->get_array()) {
    auto read = read_tool(tool, "tools[" + std::to_string(out.tools.size()) + "]");
    if (!read) return read.error();
    out.tools.push_back(std::move(*read));
  }
  if (!out.tools.empty()) out.tool_choice = ToolChoice::kAuto;
  return ok();
}

Status read_tool_choice(const json::object& body, ChatFields& out) {
  const json::value* choice = member(body, "tool_choice");
  if (choice == nullptr) return ok();
  const json::value* function = member(*choice, "function");
  if (choice->is_string() && (choice->get_string() == "none" || choice->get_string() == "auto")) {
    if (choice->get_string() == "none") out.tool_choice = ToolChoice::kNone;
    return ok();
  }
  if (choice->is_string() && choice->get_string() == "required") {
    out.tool_choice = ToolChoice::kRequired;
  } else if (function != nullptr && !text_member(*function, "name").empty()) {
    out.tool_choice = ToolChoice::kNamed;
    out.tool_name = text_member(*function, "name");
  } else {
    return refuse("tool_choice", "expected none, auto, required, or a function's name");
  }
  const bool found = out.tool_choice == ToolChoice::kRequired
                         ? !out.tools.empty()
                         : std::any_of(out.tools.begin(), out.tools.end(), [&](const Tool& tool) {
                             return tool.name == out.tool_name;
                           });
  if (found) return ok();
  return refuse("tool_choice", "asks for a tool that is not among tools");
}

Status read_form(const json::object& body, ChatFields& out) {
  const json::value* format = member(body, "response_format");
  if (format == nullptr) return ok();
  const std::string_view type = text_member(*format, "type");
  if (type == "text") return ok();
  if (type == "json_object") {
    out.form = AnswerForm::kJsonObject;
    return ok();
  }
  if (type != "json_schema") {
    return refuse("response_format.type", "expected text, json_object or json_schema");
  }
  const json::value* named = member(*format, "json_schema");
  const json::value* schema = named == nullptr ? nullptr : member(*named, "schema");
  if (schema == nullptr || !(schema->is_object() || schema->is_bool())) {
    return refuse("response_format.json_schema.schema", "expected a JSON schema");
  }
  out.form = AnswerForm::kJsonSchema;
  out.schema = json::serialize(*schema);
  return ok();
}

Status read_logprobs(const json::object& body, ChatFields& out) {
  bool wanted = false;
  std::uint32_t top = 0;
  Status status = read_flag(body, "logprobs", wanted);
  if (status) status = read_count(body, "top_logprobs", 0, top, kTopLogprobsMax);
  if (status && top > 0 && !wanted) status = refuse("top_logprobs", "needs logprobs to be true");
  if (wanted) out.top_logprobs = top;
  return status;
}

// Names differ between templates; each takes the one that it knows.
Status read_reasoning(const json::object& body, Object& inputs) {
  const json::value* effort = member(body, "reasoning_effort");
  if (effort != nullptr) {
    if (!effort->is_string()) return refuse("reasoning_effort", "expected a string");
    const bool thinks = effort->get_string() != "none";
    inputs.set("reasoning_effort", std::string_view(effort->get_string()));
    inputs.set("enable_thinking", thinks);
    inputs.set("thinking", thinks);
  }
  const json::value* enabled = member(body, "enable_thinking");
  if (enabled == nullptr) return ok();
  if (!enabled->is_bool()) return refuse("enable_thinking", "expected true or false");
  inputs.set("enable_thinking", enabled->get_bool());
  inputs.set("thinking", enabled->get_bool());
  return ok();
}

Status read_template_arguments(const json::object& body, Object& inputs) {
  const json::value* arguments = member(body, "chat_template_kwargs");
  if (arguments == nullptr) return ok();
  if (!arguments->is_object()) return refuse("chat_template_kwargs", "expected an object");
  for (const auto& [name, value] : arguments->get_object()) inputs.set(name, to_value(value));
  return ok();
}

Status read_template_inputs(const json::object& body, ChatFields& out) {
  Object& inputs = out.template_inputs;
  Status status = read_reasoning(body, inputs);
  if (status) status = read_template_arguments(body, inputs);
  if (!status) return status;
  auto messages = read_messages(body);
  if (!messages) return messages.error();
  inputs.set("messages", std::move(*messages));
  bool prompts = true;
  status = read_flag(body, "add_generation_prompt", prompts);
  inputs.set("add_generation_prompt", prompts);
  const bool uses_tools = out.tool_choice != ToolChoice::kNone;
  inputs.set("tools", uses_tools ? to_value(*member(body, "tools")) : Value(Value::None()));
  const json::value* documents = member(body, "documents");
  if (documents != nullptr && !documents->is_array()) {
    return refuse("documents", "expected a list");
  }
  inputs.set("documents", documents == nullptr ? Value(Value::None()) : to_value(*documents));
  return status;
}

}  // namespace

Status read_chat_fields(const json::object& body, ChatFields& out) {
  Status status = read_tools(body, out);
  if (status) status = read_tool_choice(body, out);
  if (status) status = read_flag(body, "parallel_tool_calls", out.parallel_tool_calls);
  if (status) status = read_form(body, out);
  if (status) status = read_logprobs(body, out);
  if (status) status = read_template_inputs(body, out);
  return status;
}

}  // namespace backplane::local
