// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request.hpp"

#include <boost/json.hpp>

#include <cmath>
#include <initializer_list>

namespace backplane::local {
namespace {

namespace json = boost::json;

Error refuse(std::string_view field, std::string_view message) {
  return {Code::kInvalidArgument, std::string(field) + ": " + std::string(message),
          "INVALID_REQUEST", 400, 0};
}

Error unsupported(std::string_view field) {
  return {Code::kInvalidArgument,
          std::string(field) + ": the local backend does not serve this; leave it out",
          "UNSUPPORTED_PARAMETER", 400, 0};
}

// The member, or null where it is absent or null.
const json::value* member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_null() ? nullptr : value;
}

bool is_neutral_number(const json::value& value, double neutral) {
  return value.is_number() && value.to_number<double>() == neutral;
}

bool is_empty(const json::value& value) {
  return (value.is_array() && value.as_array().empty()) ||
         (value.is_object() && value.as_object().empty());
}

bool is_text_format(const json::value& value) {
  const json::value* type = value.is_object() ? value.as_object().if_contains("type") : nullptr;
  return type != nullptr && type->is_string() && type->as_string() == "text";
}

// A field whose meaning would be lost is never passed over in silence.
Status check_unserved(const json::object& body) {
  struct Field {
    const char* name;
    bool (*is_neutral)(const json::value&);
  };
  constexpr auto kFalse = [](const json::value& value) {
    return value.is_bool() && !value.as_bool();
  };
  constexpr auto kZero = [](const json::value& value) { return is_neutral_number(value, 0); };
  constexpr auto kOne = [](const json::value& value) { return is_neutral_number(value, 1); };
  constexpr auto kNothing = [](const json::value& value) {
    return is_empty(value) ||
           (value.is_string() && (value.as_string() == "none" || value.as_string() == "auto"));
  };
  static constexpr Field kFields[] = {
      {"n", kOne},
      {"best_of", kOne},
      {"tools", is_empty},
      {"functions", is_empty},
      {"tool_choice", kNothing},
      {"function_call", kNothing},
      {"response_format", is_text_format},
      {"logprobs", [](const json::value& value) { return value.is_bool() && !value.as_bool(); }},
      {"top_logprobs", kZero},
      {"logit_bias", is_empty},
      {"frequency_penalty", kZero},
      {"presence_penalty", kZero},
      {"echo", kFalse},
      {"suffix",
       [](const json::value& value) { return value.is_string() && value.as_string().empty(); }},
  };
  for (const Field& field : kFields) {
    const json::value* value = member(body, field.name);
    if (value != nullptr && !field.is_neutral(*value)) return unsupported(field.name);
  }
  return ok();
}

Status read_number(const json::object& body, std::string_view name, double least, double most,
                   double& out) {
  const json::value* value = member(body, name);
  if (value == nullptr) return ok();
  if (!value->is_number()) return refuse(name, "expected a number");
  const double number = value->to_number<double>();
  if (!(number >= least && number <= most)) {
    return refuse(name, "expected a number from " + std::to_string(static_cast<int>(least)) +
                            " to " + std::to_string(static_cast<int>(most)));
  }
  out = number;
  return ok();
}

Status read_count(const json::object& body, std::string_view name, std::int64_t least,
                  std::uint32_t& out) {
  const json::value* value = member(body, name);
  if (value == nullptr) return ok();
  boost::system::error_code failure;
  const auto number = value->is_number() ? value->to_number<std::int64_t>(failure) : -1;
  if (failure || number < least || number > UINT32_MAX) {
    return refuse(name, "expected a whole number of at least " + std::to_string(least));
  }
  out = static_cast<std::uint32_t>(number);
  return ok();
}

Status read_seed(const json::object& body, std::uint64_t& out) {
  const json::value* value = member(body, "seed");
  if (value == nullptr) return ok();
  if (value->is_int64()) {
    out = static_cast<std::uint64_t>(value->as_int64());
  } else if (value->is_uint64()) {
    out = value->as_uint64();
  } else {
    return refuse("seed", "expected a whole number of 64 bits");
  }
  return ok();
}

Status read_stop(const json::object& body, std::vector<std::string>& out) {
  const json::value* value = member(body, "stop");
  if (value == nullptr) return ok();
  if (value->is_string()) {
    out.emplace_back(value->as_string());
    return ok();
  }
  if (!value->is_array()) return refuse("stop", "expected a string or a list of strings");
  for (const json::value& stop : value->as_array()) {
    if (!stop.is_string()) return refuse("stop", "expected a string or a list of strings");
    out.emplace_back(stop.as_string());
  }
  return ok();
}

Status read_options(const json::object& body, const RequestDefaults& defaults, ParsedRequest& out) {
  double temperature = defaults.temperature;
  double top_p = defaults.top_p;
  out.sampling.top_k = defaults.top_k;
  out.sampling.seed = defaults.seed;
  Status status = check_unserved(body);
  if (status) status = read_number(body, "temperature", 0, 2, temperature);
  if (status) status = read_number(body, "top_p", 0, 1, top_p);
  if (status) status = read_count(body, "top_k", 0, out.sampling.top_k);
  if (status) status = read_count(body, "max_tokens", 1, out.max_tokens);
  if (status) status = read_count(body, "max_completion_tokens", 1, out.max_tokens);
  if (status) status = read_seed(body, out.sampling.seed);
  if (status) status = read_stop(body, out.stop);
  out.sampling.temperature = static_cast<float>(temperature);
  out.sampling.top_p = static_cast<float>(top_p);
  return status;
}

// A content as text: a string, or text parts, joined.
Result<std::string> text_of(const json::value* content, const std::string& place) {
  if (content == nullptr) return std::string();
  if (content->is_string()) return std::string(content->as_string());
  if (!content->is_array()) return refuse(place, "expected a string or a list of text parts");
  std::string text;
  for (const json::value& part : content->as_array()) {
    const json::value* piece = part.is_object() ? part.as_object().if_contains("text") : nullptr;
    if (piece == nullptr || !piece->is_string()) {
      return refuse(place, "the local backend reads parts of type text only");
    }
    text += piece->as_string();
  }
  return text;
}

Result<Value> read_message(const json::value& message, const std::string& place) {
  if (!message.is_object()) return refuse(place, "expected an object");
  const json::value* role = member(message.as_object(), "role");
  if (role == nullptr || !role->is_string()) return refuse(place + ".role", "expected a string");
  auto content = text_of(member(message.as_object(), "content"), place + ".content");
  if (!content) return content.error();
  Object out;
  const std::string_view name = role->as_string();
  out.set("role", Value(name == "developer" ? std::string_view("system") : name));
  out.set("content", Value(std::move(*content)));
  return Value(std::move(out));
}

Status read_messages(const json::object& body, ParsedRequest& out) {
  const json::value* messages = member(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->as_array().empty()) {
    return refuse("messages", "expected a list of at least one message");
  }
  if (messages->as_array().size() > kMessagesMax) return refuse("messages", "too many");
  List list;
  for (const json::value& message : messages->as_array()) {
    auto read = read_message(message, "messages[" + std::to_string(list.size()) + "]");
    if (!read) return read.error();
    list.push_back(std::move(*read));
  }
  out.messages = Value(std::move(list));
  return ok();
}

Status read_prompt(const json::object& body, ParsedRequest& out) {
  const json::value* prompt = member(body, "prompt");
  if (prompt != nullptr && prompt->is_array() && prompt->as_array().size() == 1) {
    prompt = &prompt->as_array().front();
  }
  if (prompt == nullptr || !prompt->is_string()) {
    return refuse("prompt", "the local backend takes one string");
  }
  out.prompt = prompt->as_string();
  return ok();
}

}  // namespace

Result<ParsedRequest> parse_request(std::string_view operation, std::string_view body,
                                    const RequestDefaults& defaults) {
  boost::system::error_code failure;
  const json::value document = json::parse(body, failure);
  if (failure || !document.is_object()) {
    return refuse("body", "expected a JSON object; " + failure.message());
  }
  const json::object& fields = document.as_object();
  ParsedRequest out;
  out.is_chat = operation == "chat.completions";
  Status status = read_options(fields, defaults, out);
  if (status) status = out.is_chat ? read_messages(fields, out) : read_prompt(fields, out);
  if (!status) return status.error();
  return out;
}

}  // namespace backplane::local
