// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request/completion_fields.hpp"

#include "plugins/backends/local/request/fields.hpp"
#include "plugins/backends/local/sampling/logprobs.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

Error no_prompt() {
  return refuse("prompt", "expected a string, a list of token ids, or a list of either");
}

Result<Prompt> read_prompt(const json::value& value) {
  if (value.is_string()) return Prompt(std::string(value.get_string()));
  if (!value.is_array()) return no_prompt();
  std::vector<Token> tokens;
  for (const json::value& id : value.get_array()) {
    boost::system::error_code failure;
    const auto token = id.is_number() ? id.to_number<Token>(failure) : -1;
    if (failure || token < 0) return no_prompt();
    tokens.push_back(token);
  }
  return Prompt(std::move(tokens));
}

Status read_prompts(const json::object& body, std::vector<Prompt>& out) {
  const json::value* value = member(body, "prompt");
  if (value == nullptr) return no_prompt();
  const bool many =
      value->is_array() && !value->get_array().empty() && !value->get_array().front().is_number();
  json::array one;
  if (!many) one.push_back(*value);
  for (const json::value& each : many ? value->get_array() : one) {
    Result<Prompt> prompt = read_prompt(each);
    if (!prompt) return prompt.error();
    out.push_back(std::move(*prompt));
  }
  return ok();
}

}  // namespace

Status read_completion_fields(const json::object& body, CompletionFields& out) {
  bool echo = false;
  Status status = read_flag(body, "echo", echo);
  if (status && echo) status = unsupported("echo");
  if (status && !text_member(body, "suffix").empty()) status = unsupported("suffix");
  if (status) status = read_prompts(body, out.prompts);
  if (!status) return status;
  const json::value* logprobs = member(body, "logprobs");
  if (logprobs == nullptr || (logprobs->is_bool() && !logprobs->get_bool())) return ok();
  out.top_logprobs = 0;
  return read_count(body, "logprobs", 0, *out.top_logprobs, kTopLogprobsMax);
}

}  // namespace backplane::local
