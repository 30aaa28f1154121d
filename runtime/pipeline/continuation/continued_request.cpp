// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/continuation/continued_request.hpp"

#include "runtime/config/json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <vector>

namespace backplane {
namespace {

namespace od = simdjson::ondemand;

// Members that ask for what is no plain text, or say already how to go on with one.
constexpr std::array<std::string_view, 20> kMore = {"add_generation_prompt",
                                                    "audio",
                                                    "best_of",
                                                    "continue_final_message",
                                                    "functions",
                                                    "grammar",
                                                    "guided_choice",
                                                    "guided_grammar",
                                                    "guided_json",
                                                    "guided_regex",
                                                    "json_schema",
                                                    "logprobs",
                                                    "modalities",
                                                    "n",
                                                    "prediction",
                                                    "response_format",
                                                    "structured_outputs",
                                                    "tools",
                                                    "top_logprobs",
                                                    "use_beam_search"};

struct Edit {
  std::size_t offset;
  std::size_t removed;
  std::string inserted;
};

bool is_text_format(od::value& value) {
  std::string_view type;
  return !value.find_field_unordered("type").get_string().get(type) && type == "text";
}

bool asks_for_nothing(std::string_view key, od::value& value) {
  od::json_type type;
  if (value.type().get(type)) return false;
  if (type == od::json_type::null) return !value.is_null().error();
  if (type == od::json_type::object) return key == "response_format" && is_text_format(value);
  if (type == od::json_type::array) {
    od::array array;
    bool is_empty = false;
    return !value.get_array().get(array) && !array.is_empty().get(is_empty) && is_empty;
  }
  const std::string_view token = value.raw_json_token();
  const std::string_view text = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  return text == "false" || text == "0" || (key == "n" && text == "1");
}

class Rewrite {
 public:
  Rewrite(std::string_view base, std::string_view text, std::uint64_t tokens)
      : base_(base), text_(text), tokens_(tokens) {}

  bool read(od::object& object) {
    for (auto field : object) {
      std::string_view key;
      od::value value;
      if (field.unescaped_key().get(key) || field.value().get(value)) return false;
      if (key == "messages") {
        if (!extend(value)) return false;
      } else if (key == "max_tokens" || key == "max_completion_tokens") {
        if (!lower(value)) return false;
      } else if (std::find(kMore.begin(), kMore.end(), key) != kMore.end()) {
        if (!asks_for_nothing(key, value)) return false;
      }
    }
    return has_messages_;
  }

  std::string body() {
    std::sort(edits_.begin(), edits_.end(),
              [](const Edit& left, const Edit& right) { return left.offset < right.offset; });
    std::string out;
    std::size_t at = 0;
    for (const Edit& edit : edits_) {
      out += base_.substr(at, edit.offset - at);
      out += edit.inserted;
      at = edit.offset + edit.removed;
    }
    out += base_.substr(at);
    return out;
  }

 private:
  std::size_t offset(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - base_.data());
  }

  // Behind the last message.
  bool extend(od::value& value) {
    od::array messages;
    if (value.get_array().get(messages)) return false;
    std::string_view last;
    std::string role;
    for (auto element : messages) {
      od::object message;
      std::string_view said;
      if (element.get_object().get(message) ||
          message.find_field_unordered("role").get_string().get(said)) {
        return false;
      }
      role = said;
      if (message.reset().error() || message.raw_json().get(last)) return false;
    }
    if (last.empty() || role == "assistant") return false;
    has_messages_ = true;
    if (text_.empty()) return true;
    const std::size_t end = offset(last) + last.rfind('}') + 1;
    edits_.push_back(
        {end, 0, R"(,{"role":"assistant","content":)" + config::json_string(text_) + '}'});
    return true;
  }

  bool lower(od::value& value) {
    od::json_type type;
    if (value.type().get(type)) return false;
    if (type == od::json_type::null) return !value.is_null().error();
    const std::string_view token = value.raw_json_token();
    const std::string_view written = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    std::uint64_t most = 0;
    if (value.get_uint64().get(most) || most <= tokens_) return false;
    edits_.push_back({offset(written), written.size(), std::to_string(most - tokens_)});
    return true;
  }

  const std::string_view base_;
  const std::string_view text_;
  const std::uint64_t tokens_;
  bool has_messages_ = false;
  std::vector<Edit> edits_;
};

}  // namespace

std::optional<std::string> continued_request(std::string_view body, std::string_view text,
                                             std::uint64_t tokens) {
  const simdjson::padded_string padded(body);
  od::parser parser;
  od::document document;
  od::object object;
  if (parser.iterate(padded).get(document) || document.get_object().get(object)) {
    return std::nullopt;
  }
  Rewrite rewrite(padded, text, tokens);
  if (!rewrite.read(object)) return std::nullopt;
  return rewrite.body();
}

}  // namespace backplane
