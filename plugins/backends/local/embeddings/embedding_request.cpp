// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/embeddings/embedding_request.hpp"

#include <boost/json/value.hpp>

#include "plugins/backends/local/request/fields.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::string_view kExpected =
    "expected a string, a list of strings, a list of tokens or a list of lists of tokens";

Status read_tokens(const json::array& list, const std::string& place, std::vector<Token>& out) {
  out.reserve(list.size());
  for (const json::value& value : list) {
    boost::system::error_code failure;
    const auto token = value.is_number() ? value.to_number<std::int32_t>(failure) : -1;
    if (failure || token < 0) return refuse(place, "a token is a whole number from 0");
    out.push_back(token);
  }
  return out.empty() ? Status(refuse(place, "is empty")) : ok();
}

Status read_one(const json::value& value, const std::string& place, std::vector<TextInput>& out) {
  TextInput& input = out.emplace_back();
  if (value.is_array()) return read_tokens(value.as_array(), place, input.tokens);
  if (!value.is_string()) return refuse(place, kExpected);
  input.text = value.as_string();
  return input.text.empty() ? Status(refuse(place, "is empty")) : ok();
}

Status read_inputs(const json::object& body, std::vector<TextInput>& out) {
  const json::value* input = member(body, "input");
  if (input == nullptr) return refuse("input", kExpected);
  const json::array* list = input->if_array();
  if (list == nullptr || (!list->empty() && list->front().is_number())) {
    return read_one(*input, "input", out);
  }
  if (list->empty()) return refuse("input", "is empty");
  if (list->size() > kTextInputsMax) {
    return refuse("input", "at most " + std::to_string(kTextInputsMax) +
                               " are taken at once; send several requests");
  }
  for (const json::value& value : *list) {
    const std::string place = "input[" + std::to_string(out.size()) + "]";
    if (auto status = read_one(value, place, out); !status) return status;
  }
  return ok();
}

Status read_format(const json::object& body, bool& is_base64) {
  const json::value* value = member(body, "encoding_format");
  if (value == nullptr) return ok();
  const std::string_view name = value->is_string() ? value->as_string() : std::string_view();
  if (name != "float" && name != "base64") {
    return refuse("encoding_format", "expected \"float\" or \"base64\"");
  }
  is_base64 = name == "base64";
  return ok();
}

}  // namespace

Result<EmbeddingRequest> parse_embedding_request(const json::object& body) {
  EmbeddingRequest out;
  if (auto status = read_inputs(body, out.inputs); !status) return status.error();
  if (auto status = read_count(body, "dimensions", 1, out.dimensions); !status)
    return status.error();
  if (auto status = read_format(body, out.is_base64); !status) return status.error();
  auto truncation = read_truncation(body);
  if (!truncation) return truncation.error();
  out.truncation = *truncation;
  return out;
}

}  // namespace backplane::local
