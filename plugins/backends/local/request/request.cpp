// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request/request.hpp"

#include "plugins/backends/local/request/fields.hpp"

namespace backplane::local {

Result<ParsedRequest> parse_request(std::string_view operation, std::string_view body,
                                    const RequestDefaults& defaults) {
  namespace json = boost::json;
  boost::system::error_code failure;
  json::parse_options options;
  options.max_depth = kBodyDepthMax;
  const json::value document = json::parse(body, failure, {}, options);
  if (failure || !document.is_object()) {
    return refuse("body", "expected a JSON object; " + failure.message());
  }
  const json::object& fields = document.get_object();
  ParsedRequest out;
  auto adapter = read_adapter_field(fields);
  if (!adapter) return adapter.error();
  out.adapter = std::move(*adapter);
  Status status = read_generate_fields(fields, defaults, out.generate);
  if (!status) return status.error();
  if (operation == "chat.completions") {
    status = read_chat_fields(fields, out.input.emplace<ChatFields>());
  } else {
    auto& completion = out.input.emplace<CompletionFields>();
    status = read_completion_fields(fields, completion);
    if (status && completion.prompts.size() * out.generate.choices > kChoicesMax) {
      status = refuse("prompt", "more than " + std::to_string(kChoicesMax) + " choices");
    }
  }
  if (!status) return status.error();
  return out;
}

}  // namespace backplane::local
