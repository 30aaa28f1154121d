// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/request_scan.hpp"

#include <simdjson.h>

#include <string_view>

namespace backplane {
namespace {

namespace od = simdjson::ondemand;
using simdjson::error_code;

Error bad_request(std::string message) {
  return {Code::kInvalidArgument, std::move(message), "INVALID_REQUEST", 400, 0};
}

Error not_json(error_code code) {
  std::string message = "the request body is not valid JSON";
  if (code == simdjson::EMPTY) message = "the request body is empty; send a JSON object";
  if (code == simdjson::UTF8_ERROR) message += ": it is not UTF-8";
  if (code == simdjson::UNCLOSED_STRING) message += ": a string is not closed";
  return bad_request(std::move(message));
}

Error wrong_type(std::string_view name, std::string_view expected) {
  return bad_request(std::string(name) + ": expected " + std::string(expected));
}

bool is_null(od::value& value) {
  od::json_type type;
  return !value.type().get(type) && type == od::json_type::null && !value.is_null().error();
}

// Visits every value, so that what is skipped is checked as well.
class Walker {
 public:
  explicit Walker(std::uint32_t depth_max) : depth_max_(depth_max) {}

  error_code walk(od::value value, std::uint32_t depth) {
    if (depth > depth_max_) {
      too_deep_ = true;
      return simdjson::DEPTH_ERROR;
    }
    od::json_type type;
    if (const error_code failure = value.type().get(type)) return failure;
    switch (type) {
      case od::json_type::object:
        return walk_object(value, depth);
      case od::json_type::array:
        return walk_array(value, depth);
      case od::json_type::string:
        return value.get_raw_json_string().error();
      case od::json_type::number:
        return value.get_double().error();  // any size: it is passed on as it stands
      case od::json_type::boolean:
        return value.get_bool().error();
      case od::json_type::null:
        return value.is_null().error();
    }
    return simdjson::TAPE_ERROR;
  }
  bool too_deep() const { return too_deep_; }

 private:
  error_code walk_object(od::value& value, std::uint32_t depth) {
    od::object object;
    if (const error_code failure = value.get_object().get(object)) return failure;
    for (auto field : object) {
      od::value member;
      if (const error_code failure = field.value().get(member)) return failure;
      if (const error_code failure = walk(member, depth + 1)) return failure;
    }
    return simdjson::SUCCESS;
  }
  error_code walk_array(od::value& value, std::uint32_t depth) {
    od::array array;
    if (const error_code failure = value.get_array().get(array)) return failure;
    for (auto element : array) {
      od::value member;
      if (const error_code failure = element.get(member)) return failure;
      if (const error_code failure = walk(member, depth + 1)) return failure;
    }
    return simdjson::SUCCESS;
  }
  const std::uint32_t depth_max_;
  bool too_deep_ = false;
};

class Scanner {
 public:
  Scanner(const char* base, const ScanLimits& limits)
      : base_(base), limits_(limits), walker_(limits.depth_max) {}

  Result<RequestScan> scan(od::document& document) {
    od::object object;
    if (const error_code failure = document.get_object().get(object)) {
      if (failure == simdjson::INCORRECT_TYPE) {
        return bad_request("the request body is not a JSON object");
      }
      return not_json(failure);
    }
    for (auto field : object) {
      std::string_view key;
      if (const error_code failure = field.unescaped_key().get(key)) return not_json(failure);
      od::value value;
      if (const error_code failure = field.value().get(value)) return not_json(failure);
      const Status member = read_member(key, value);
      if (!member) return member.error();
    }
    if (!document.current_location().error()) {
      return bad_request("the request body goes on after the JSON object");
    }
    return std::move(result_);
  }

 private:
  Status read_member(std::string_view key, od::value& value) {
    if (key == "model") return read_model(value);
    if (key == "provider") return read_provider(value);
    if (key == "stream") return read_flag(key, value, &result_.stream);
    if (key == "stream_options") return read_stream_options(value);
    if (key == "max_tokens" || key == "max_completion_tokens") return read_limit(key, value);
    return skip(value);
  }

  Status skip(od::value& value) {
    const error_code failure = walker_.walk(value, 2);
    if (walker_.too_deep()) {
      return bad_request("the request body nests deeper than " + std::to_string(limits_.depth_max) +
                         " levels");
    }
    return failure ? Status(not_json(failure)) : ok();
  }

  Status read_model(od::value& value) {
    if (result_.model_size != 0) return bad_request("model: given twice");
    const std::string_view raw = value.raw_json_token();
    std::string_view name;
    if (value.get_string().get(name)) return wrong_type("model", "a string");
    if (name.empty()) return bad_request("model: expected a name, found an empty string");
    if (name.size() > limits_.model_name_bytes_max)
      return bad_request("model: the name is too long");
    result_.model = name;
    result_.model_offset = static_cast<std::uint64_t>(raw.data() - base_);
    result_.model_size = raw.rfind('"') + 1;
    return ok();
  }

  // A name, or {"only": ["name"]} / {"order": ["name"]} whose other members are the router's.
  Status read_provider(od::value& value) {
    std::string_view name;
    od::json_type type;
    if (value.type().get(type)) return wrong_type("provider", "a string");
    if (type != od::json_type::string) return skip(value);
    if (value.get_string().get(name)) return wrong_type("provider", "a string");
    result_.provider = name;
    return ok();
  }

  static Status read_flag(std::string_view key, od::value& value, bool* out) {
    if (is_null(value)) return ok();
    if (value.get_bool().get(*out)) return wrong_type(key, "true or false");
    return ok();
  }

  Status read_stream_options(od::value& value) {
    result_.stream_options = true;
    od::json_type type;
    if (value.type().get(type)) return wrong_type("stream_options", "an object");
    if (type == od::json_type::null) return skip(value);
    od::object object;
    if (value.get_object().get(object)) return wrong_type("stream_options", "an object");
    for (auto field : object) {
      std::string_view key;
      od::value member;
      if (const error_code failure = field.unescaped_key().get(key)) return not_json(failure);
      if (const error_code failure = field.value().get(member)) return not_json(failure);
      const Status status = key == "include_usage" ? read_flag("stream_options.include_usage",
                                                               member, &result_.include_usage)
                                                   : skip(member);
      if (!status) return status;
    }
    return ok();
  }

  Status read_limit(std::string_view key, od::value& value) {
    if (is_null(value)) return ok();
    std::int64_t limit = 0;
    if (value.get_int64().get(limit)) return wrong_type(key, "a whole number");
    if (limit < 1) return bad_request(std::string(key) + ": expected at least 1");
    result_.max_output_tokens = static_cast<std::uint64_t>(limit);
    return ok();
  }

  const char* const base_;
  const ScanLimits& limits_;
  Walker walker_;
  RequestScan result_;
};

}  // namespace

Result<RequestScan> scan_request(const bp_buffer& body, const ScanLimits& limits) {
  thread_local od::parser parser;
  thread_local std::string padded;
  const char* data = body.data;
  if (body.padding < simdjson::SIMDJSON_PADDING) {
    padded.assign(body.data, body.size);
    padded.append(simdjson::SIMDJSON_PADDING, '\0');
    data = padded.data();
  }
  od::document document;
  const error_code failure =
      parser.iterate(data, body.size, body.size + simdjson::SIMDJSON_PADDING).get(document);
  if (failure) return not_json(failure);
  return Scanner(data, limits).scan(document);
}

}  // namespace backplane
