// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/chat_request.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "common/body_splice.hpp"
#include "common/sealing/clear_members.hpp"
#include "common/sealing/json_walk.hpp"

namespace backplane::sealing {
namespace {

namespace ondemand = simdjson::ondemand;

Error not_a_chat_request() {
  return invalid_argument("the request body is not the JSON of a chat request");
}

bool begins_as_array(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '[';
}

std::string minified(std::string_view json) {
  std::string small(json.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t size = 0;
  if (simdjson::minify(json.data(), json.size(), small.data(), size)) return std::string(json);
  small.resize(size);
  return small;
}

class ChatRequest {
 public:
  explicit ChatRequest(const CallSeal& seal) : seal_(seal), variant_(seal.variant()) {}

  Result<std::string> sealed(std::string_view body) {
    const auto first = document_.open(body);
    if (!first) return not_a_chat_request();
    if (const Status read = read_clear_members(*first); !read) return read.error();
    if (const Status written = seal_messages(*document_.reopen()); !written) return written.error();
    if (edits_.empty()) return cannot_carry(variant_, "messages", "there is nothing to encrypt");
    return replace_all(document_.text(), edits_);
  }

 private:
  Status read_clear_members(ondemand::object request);
  Status read_model(JsonValue value);
  Status seal_messages(ondemand::object request);
  Status seal_message(std::size_t message, JsonValue value);
  Status seal_content(std::size_t message, const std::string& path, JsonValue value);
  Status seal_text(std::size_t message, JsonValue value);
  Status seal_parts(std::size_t message, const std::string& path, ondemand::array parts);
  Status seal_part(std::size_t message, std::size_t part, const std::string& path, JsonValue value);
  Status seal_array(std::size_t message, std::string_view raw);
  Status replace(const RequestPlace& place, std::string_view raw, std::string_view plaintext);

  const CallSeal& seal_;
  const Variant& variant_;
  JsonDocument document_;
  std::string model_;
  std::vector<Replacement> edits_;
};

Status ChatRequest::read_clear_members(ondemand::object request) {
  bool streams = false;
  const Status read = for_each_member(request, [&](std::string_view name, JsonValue value) {
    if (name == "messages") return ok();
    if (name == "stream") streams = raw_scalar(value) == "true";
    if (name == "model") {
      if (const Status model = read_model(value); !model) return model;
    }
    return check_clear_member(variant_, MemberOf::kRequest, std::string(name), name, value);
  });
  if (!read) return read;
  if (variant_.traits.needs_stream && !streams) {
    return cannot_carry(variant_, "stream", "it answers as a stream alone; set it to true");
  }
  return ok();
}

Status ChatRequest::read_model(JsonValue value) {
  std::string_view model;
  if (value.get_string().get(model)) return invalid_argument("model: expected a name");
  model_ = model;
  // Parameters that Venice reads from a name.
  if (model_.find("enable_e2ee=") != std::string::npos) {
    return cannot_carry(variant_, "model", "its name switches the encryption");
  }
  return ok();
}

Status ChatRequest::seal_messages(ondemand::object request) {
  return for_each_member(request, [&](std::string_view name, JsonValue value) -> Status {
    if (name != "messages") return ok();
    ondemand::array messages;
    if (value.get_array().get(messages)) return invalid_argument("messages: expected an array");
    return for_each_item(
        messages, [&](std::size_t message, JsonValue item) { return seal_message(message, item); });
  });
}

Status ChatRequest::seal_message(std::size_t message, JsonValue value) {
  const std::string path = "messages." + std::to_string(message);
  ondemand::object members;
  if (value.get_object().get(members)) return invalid_argument(path + ": expected an object");
  return for_each_member(members, [&](std::string_view name, JsonValue member) {
    const std::string member_path = path + '.' + std::string(name);
    if (name == "content") return seal_content(message, member_path, member);
    return check_clear_member(variant_, MemberOf::kMessage, member_path, name, member);
  });
}

Status ChatRequest::seal_content(std::size_t message, const std::string& path, JsonValue value) {
  ondemand::json_type type{};
  if (value.type().get(type)) return not_a_chat_request();
  if (type == ondemand::json_type::string) return seal_text(message, value);
  ondemand::array parts;
  if (!value.get_array().get(parts)) return seal_parts(message, path, parts);
  if (type == ondemand::json_type::null) return ok();
  return invalid_argument(path + ": expected a text or an array of parts");
}

// A text that the server would take for parts goes as the one part of an array.
Status ChatRequest::seal_text(std::size_t message, JsonValue value) {
  const std::string_view raw = raw_scalar(value);
  std::string_view text;
  if (value.get_string().get(text)) return not_a_chat_request();
  if (!variant_.traits.restores_parts || !begins_as_array(text)) {
    return replace({model_, message, std::nullopt}, raw, text);
  }
  if (const Status sealed = replace({model_, message, 0}, raw, text); !sealed) return sealed;
  std::string& content = edits_.back().text;
  content = "[{\"type\":\"text\",\"text\":" + content + "}]";
  return ok();
}

// The texts of parts, where there is nothing but texts; else all of it as one text, where the
// server makes parts of that again.
Status ChatRequest::seal_parts(std::size_t message, const std::string& path,
                               ondemand::array parts) {
  const std::size_t edits_before = edits_.size();
  const Status sealed = for_each_item(parts, [&](std::size_t part, JsonValue value) {
    return seal_part(message, part, path + '.' + std::to_string(part), value);
  });
  if (sealed || !variant_.traits.restores_parts) return sealed;
  edits_.resize(edits_before);
  std::string_view raw;
  if (parts.raw_json().get(raw)) return not_a_chat_request();
  return seal_array(message, raw);
}

Status ChatRequest::seal_part(std::size_t message, std::size_t part, const std::string& path,
                              JsonValue value) {
  ondemand::object members;
  if (value.get_object().get(members)) return invalid_argument(path + ": expected an object");
  bool is_text = false;
  const Status sealed = for_each_member(members, [&](std::string_view name, JsonValue member) {
    std::string_view text;
    if (name == "type") is_text = raw_scalar(member) == "\"text\"";
    if (name != "text") {
      const std::string member_path = path + '.' + std::string(name);
      return check_clear_member(variant_, MemberOf::kPart, member_path, name, member);
    }
    const std::string_view raw = raw_scalar(member);
    if (member.get_string().get(text)) return Status(invalid_argument(path + ": expected a text"));
    return replace({model_, message, part}, raw, text);
  });
  if (sealed && !is_text) return cannot_carry(variant_, path, "only parts of type text are sealed");
  return sealed;
}

Status ChatRequest::seal_array(std::size_t message, std::string_view raw) {
  raw = raw.substr(0, raw.rfind(']') + 1);
  return replace({model_, message, std::nullopt}, raw, minified(raw));
}

Status ChatRequest::replace(const RequestPlace& place, std::string_view raw,
                            std::string_view plaintext) {
  Result<std::string> sealed = seal_.seal(place, plaintext);
  if (!sealed) return sealed.error();
  edits_.push_back({document_.offset(raw), raw.size(), dialect::json_string(*sealed)});
  return ok();
}

}  // namespace

Result<std::string> seal_chat_request(const CallSeal& seal, std::string_view body) {
  return ChatRequest(seal).sealed(body);
}

}  // namespace backplane::sealing
