// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request/fields.hpp"

namespace backplane::local {

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

const json::value* member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_null() ? nullptr : value;
}

const json::value* member(const json::value& value, std::string_view name) {
  return value.is_object() ? member(value.get_object(), name) : nullptr;
}

std::string_view text_member(const json::value& value, std::string_view name) {
  const json::value* text = member(value, name);
  return text != nullptr && text->is_string() ? std::string_view(text->get_string())
                                              : std::string_view();
}

Status read_number(const json::object& body, std::string_view name, double least, double most,
                   float& out) {
  const json::value* value = member(body, name);
  if (value == nullptr) return ok();
  if (!value->is_number()) return refuse(name, "expected a number");
  const double number = value->to_number<double>();
  if (!(number >= least && number <= most)) {
    return refuse(name, "expected a number from " + std::to_string(static_cast<int>(least)) +
                            " to " + std::to_string(static_cast<int>(most)));
  }
  out = static_cast<float>(number);
  return ok();
}

Status read_count(const json::object& body, std::string_view name, std::int64_t least,
                  std::uint32_t& out, std::uint32_t most) {
  const json::value* value = member(body, name);
  if (value == nullptr) return ok();
  boost::system::error_code failure;
  const auto number = value->is_number() ? value->to_number<std::int64_t>(failure) : least - 1;
  if (failure || number < least || number > std::int64_t{most}) {
    const bool bounded = most != std::numeric_limits<std::uint32_t>::max();
    return refuse(name, "expected a whole number of at least " + std::to_string(least) +
                            (bounded ? " and at most " + std::to_string(most) : ""));
  }
  out = static_cast<std::uint32_t>(number);
  return ok();
}

Status read_flag(const json::object& body, std::string_view name, bool& out) {
  const json::value* value = member(body, name);
  if (value == nullptr) return ok();
  if (!value->is_bool()) return refuse(name, "expected true or false");
  out = value->get_bool();
  return ok();
}

}  // namespace backplane::local
