// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/embeddings/embedding_request.hpp"

#include <boost/json/value.hpp>

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::string_view kExpected =
    "expected a string, a list of strings, a list of tokens or a list of lists of tokens";

const json::value* member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_null() ? nullptr : value;
}

Status read_tokens(const json::array& list, const std::string& place, std::vector<Token>& out) {
  out.reserve(list.size());
  for (const json::value& value : list) {
    boost::system::error_code failure;
    const auto token = value.is_number() ? value.to_number<std::int32_t>(failure) : -1;
    if (failure || token < 0) return refuse_field(place, "a token is a whole number from 0");
    out.push_back(token);
  }
  return out.empty() ? Status(refuse_field(place, "is empty")) : ok();
}

Status read_one(const json::value& value, const std::string& place, std::vector<TextInput>& out) {
  TextInput& input = out.emplace_back();
  if (value.is_array()) return read_tokens(value.as_array(), place, input.tokens);
  if (!value.is_string()) return refuse_field(place, kExpected);
  input.text = value.as_string();
  return input.text.empty() ? Status(refuse_field(place, "is empty")) : ok();
}

Status read_inputs(const json::object& body, std::vector<TextInput>& out) {
  const json::value* input = member(body, "input");
  if (input == nullptr) return refuse_field("input", kExpected);
  const json::array* list = input->if_array();
  if (list == nullptr || (!list->empty() && list->front().is_number())) {
    return read_one(*input, "input", out);
  }
  if (list->empty()) return refuse_field("input", "is empty");
  if (list->size() > kTextInputsMax) {
    return refuse_field("input", "at most " + std::to_string(kTextInputsMax) +
                                     " are taken at once; send several requests");
  }
  for (const json::value& value : *list) {
    const std::string place = "input[" + std::to_string(out.size()) + "]";
    if (auto status = read_one(value, place, out); !status) return status;
  }
  return ok();
}

Status read_dimensions(const json::object& body, std::uint32_t& out) {
  const json::value* value = member(body, "dimensions");
  if (value == nullptr) return ok();
  boost::system::error_code failure;
  const auto number = value->is_number() ? value->to_number<std::int64_t>(failure) : 0;
  if (failure || number < 1 || number > UINT32_MAX) {
    return refuse_field("dimensions", "expected a whole number of at least 1");
  }
  out = static_cast<std::uint32_t>(number);
  return ok();
}

Status read_format(const json::object& body, bool& is_base64) {
  const json::value* value = member(body, "encoding_format");
  if (value == nullptr) return ok();
  const std::string_view name = value->is_string() ? value->as_string() : std::string_view();
  if (name != "float" && name != "base64") {
    return refuse_field("encoding_format", "expected \"float\" or \"base64\"");
  }
  is_base64 = name == "base64";
  return ok();
}

}  // namespace

Result<EmbeddingRequest> parse_embedding_request(const json::object& body) {
  EmbeddingRequest out;
  if (auto status = read_inputs(body, out.inputs); !status) return status.error();
  if (auto status = read_dimensions(body, out.dimensions); !status) return status.error();
  if (auto status = read_format(body, out.is_base64); !status) return status.error();
  auto truncation = read_truncation(body);
  if (!truncation) return truncation.error();
  out.truncation = *truncation;
  return out;
}

}  // namespace backplane::local
