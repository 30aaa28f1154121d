// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/request_scan.hpp"

#include "runtime/pipeline/routing/provider_scan.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
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

bool is_hex(char character) {
  return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
         (character >= 'A' && character <= 'F');
}

// simdjson checks escapes only where it unescapes. A long string without any costs one memchr.
error_code check_escapes(std::string_view token) {
  for (std::size_t at = token.find('\\'); at != token.npos; at = token.find('\\', at + 2)) {
    if (at + 1 >= token.size()) return simdjson::STRING_ERROR;
    const char escape = token[at + 1];
    if (escape != 'u') {
      if (std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) {
        return simdjson::STRING_ERROR;
      }
      continue;
    }
    const std::string_view digits = token.substr(at + 2, 4);
    if (digits.size() != 4 || !std::all_of(digits.begin(), digits.end(), is_hex)) {
      return simdjson::STRING_ERROR;
    }
  }
  return simdjson::SUCCESS;
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at;
}

// The grammar alone: a number of any size is passed on as it stands.
error_code check_number(std::string_view token) {
  const std::size_t first = token.substr(0, 1) == "-" ? 1 : 0;
  std::size_t at = skip_digits(token, first);
  if (at == first || (token[first] == '0' && at > first + 1)) return simdjson::NUMBER_ERROR;
  if (at < token.size() && token[at] == '.') {
    const std::size_t end = skip_digits(token, at + 1);
    if (end == at + 1) return simdjson::NUMBER_ERROR;
    at = end;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    const std::size_t end = skip_digits(token, at);
    if (end == at) return simdjson::NUMBER_ERROR;
    at = end;
  }
  const bool ended = token.find_first_not_of(" \t\r\n", at) == std::string_view::npos;
  return ended ? simdjson::SUCCESS : simdjson::NUMBER_ERROR;
}

// Visits every value, so that what is skipped is checked as well.
class Walker {
 public:
  explicit Walker(std::uint32_t depth_max) : depth_max_(depth_max) {}

  error_code walk(od::value value, std::uint32_t depth) {
    od::json_type type;
    if (const error_code failure = value.type().get(type)) return failure;
    const bool nests = type == od::json_type::object || type == od::json_type::array;
    if (nests && depth > depth_max_) {
      too_deep_ = true;
      return simdjson::DEPTH_ERROR;
    }
    switch (type) {
      case od::json_type::object:
        return walk_object(value, depth);
      case od::json_type::array:
        return walk_array(value, depth);
      case od::json_type::string:
        return walk_string(value);
      case od::json_type::number:
        return check_number(value.raw_json_token());  // the iterator passes by what is not taken
      case od::json_type::boolean:
        return value.get_bool().error();
      case od::json_type::null:
        return value.is_null().error();
    }
    return simdjson::TAPE_ERROR;
  }
  bool too_deep() const { return too_deep_; }

 private:
  static error_code walk_string(od::value& value) {
    const std::string_view token = value.raw_json_token();
    if (const error_code failure = value.get_raw_json_string().error()) return failure;
    return check_escapes(token);
  }
  error_code walk_object(od::value& value, std::uint32_t depth) {
    od::object object;
    if (const error_code failure = value.get_object().get(object)) return failure;
    for (auto field : object) {
      std::string_view key;
      od::value member;
      if (const error_code failure = field.unescaped_key().get(key)) return failure;
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
    document_ = &document;
    od::object object;
    if (const error_code failure = document.get_object().get(object)) {
      if (failure == simdjson::INCORRECT_TYPE) {
        return bad_request("the request body is not a JSON object");
      }
      return not_json(failure);
    }
    for (auto field : object) {
      const char* const written = raw_key(field);
      std::string_view key;
      if (const error_code failure = field.unescaped_key().get(key)) return not_json(failure);
      od::value value;
      if (const error_code failure = field.value().get(value)) return not_json(failure);
      const Status member = read_member(key, written, value);
      if (!member) return member.error();
    }
    if (!document.current_location().error()) {
      return bad_request("the request body goes on after the JSON object");
    }
    return std::move(result_);
  }

 private:
  template <class Field>
  static const char* raw_key(Field& field) {
    od::raw_json_string raw;
    return field.key().get(raw) ? nullptr : raw.raw();
  }

  static Status once(std::string_view key, bool& seen) {
    if (seen) return bad_request(std::string(key) + ": given twice");
    seen = true;
    return ok();
  }

  // Whoever edits the body later looks for the name as it is.
  static Status plain(std::string_view key, const char* written) {
    const bool as_it_is = written != nullptr && std::string_view(written, key.size()) == key &&
                          written[key.size()] == '"';
    if (as_it_is) return ok();
    return bad_request(std::string(key) + ": write the name without escapes");
  }

  Status read_member(std::string_view key, const char* written, od::value& value) {
    for (std::size_t i = 0; i < kRead.size(); ++i) {
      if (key != kRead[i]) continue;
      if (const Status first = once(key, seen_[i]); !first) return first;
    }
    if (key == "model") return read_model(value);
    if (key == "provider") return read_provider(value);
    if (key == "stream") return read_flag(key, value, &result_.stream);
    if (key == "stream_options") {
      const Status named = plain(key, written);
      return named ? read_stream_options(value) : named;
    }
    if (key == "messages") return read_messages(value);
    if (key == "prompt" || key == "prompt_cache_key") return read_prefix(key, value);
    if (key == "max_tokens" || key == "max_completion_tokens") return read_limit(key, value);
    return skip(value);
  }

  Status skip(od::value& value) {
    const error_code failure = walker_.walk(value, 2);
    if (walker_.too_deep()) return too_deep();
    return failure ? Status(not_json(failure)) : ok();
  }

  Error too_deep() const {
    return bad_request("the request body nests deeper than " + std::to_string(limits_.depth_max) +
                       " levels");
  }

  Status read_model(od::value& value) {
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

  // A name pins the backend.
  Status read_provider(od::value& value) {
    std::string_view name;
    od::json_type type;
    if (value.type().get(type)) return wrong_type("provider", "a name or an object");
    if (type == od::json_type::null) return skip(value);
    if (type == od::json_type::object) return scan_provider(value, result_.provider);
    if (value.get_string().get(name)) return wrong_type("provider", "a name or an object");
    result_.provider.pinned = name;
    return ok();
  }

  // A key is what its caller knows better; of two prefixes the first one stays.
  Status read_prefix(std::string_view key, od::value& value) {
    od::json_type type;
    if (value.type().get(type) || type == od::json_type::null) return skip(value);
    const char* const begin = value.raw_json_token().data();
    const bool is_key = key == "prompt_cache_key";
    const Status skipped = skip(value);
    if (skipped && (is_key || result_.prefix_size == 0)) note_prefix(begin);
    return skipped;
  }

  // Up to where the document has been read, rough at its end.
  void note_prefix(const char* begin) {
    const char* end = nullptr;
    if (document_->current_location().get(end) || end <= begin) return;
    while (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t') --end;
    result_.prefix_offset = static_cast<std::uint64_t>(begin - base_);
    result_.prefix_size = static_cast<std::uint64_t>(end - begin);
  }

  // What the first messages say, up to the first of the user, is in every later turn.
  Status read_messages(od::value& value) {
    constexpr int kMessagesMost = 4;
    od::json_type type;
    if (value.type().get(type)) return not_json(simdjson::TAPE_ERROR);
    const bool is_looked_at = type == od::json_type::array && result_.prefix_size == 0 &&
                              limits_.depth_max >= kMessageDepth;
    if (!is_looked_at) return skip(value);
    od::array messages;
    if (const error_code failure = value.get_array().get(messages)) return not_json(failure);
    const char* begin = nullptr;
    bool is_complete = false;
    int count = 0;
    for (auto element : messages) {
      od::value message;
      if (const error_code failure = element.get(message)) return not_json(failure);
      if (begin == nullptr) begin = message.raw_json_token().data();
      const bool was_complete = is_complete;
      const error_code failure =
          was_complete ? walker_.walk(message, kMessageDepth) : walk_message(message, is_complete);
      if (walker_.too_deep()) return too_deep();
      if (failure) return not_json(failure);
      if (was_complete) continue;
      note_prefix(begin);
      is_complete |= ++count == kMessagesMost;
    }
    return ok();
  }

  // Checks it as any value, and looks for its role on the way.
  error_code walk_message(od::value& message, bool& is_of_user) {
    od::json_type type;
    if (const error_code failure = message.type().get(type)) return failure;
    if (type != od::json_type::object) return walker_.walk(message, kMessageDepth);
    od::object object;
    if (const error_code failure = message.get_object().get(object)) return failure;
    for (auto field : object) {
      std::string_view key;
      od::value member;
      if (const error_code failure = field.unescaped_key().get(key)) return failure;
      const bool is_role = key == "role";
      if (const error_code failure = field.value().get(member)) return failure;
      if (is_role) is_of_user |= member.raw_json_token().substr(0, 6) == "\"user\"";
      if (const error_code failure = walker_.walk(member, kMessageDepth + 1)) return failure;
    }
    return simdjson::SUCCESS;
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
    bool seen = false;
    for (auto field : object) {
      const char* const written = raw_key(field);
      std::string_view key;
      od::value member;
      if (const error_code failure = field.unescaped_key().get(key)) return not_json(failure);
      if (const error_code failure = field.value().get(member)) return not_json(failure);
      const bool wanted = key == "include_usage";
      Status status = wanted ? once(key, seen) : skip(member);
      if (wanted && status) status = plain(key, written);
      if (wanted && status) {
        status = read_flag("stream_options.include_usage", member, &result_.include_usage);
      }
      if (!status) return status;
    }
    return ok();
  }

  Status read_limit(std::string_view key, od::value& value) {
    if (is_null(value)) return ok();
    std::int64_t limit = 0;
    if (value.get_int64().get(limit)) return wrong_type(key, "a whole number");
    if (limit < 1) return bad_request(std::string(key) + ": expected at least 1");
    result_.max_output_tokens =
        std::max(result_.max_output_tokens, static_cast<std::uint64_t>(limit));
    return ok();
  }

  static constexpr std::array<std::string_view, 6> kRead = {
      "model", "provider", "stream", "stream_options", "max_tokens", "max_completion_tokens"};

  static constexpr std::uint32_t kMessageDepth = 3;

  const char* const base_;
  const ScanLimits& limits_;
  od::document* document_ = nullptr;
  Walker walker_;
  std::array<bool, kRead.size()> seen_{};
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
