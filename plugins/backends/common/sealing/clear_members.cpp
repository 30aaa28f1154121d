// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/clear_members.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace backplane::sealing {
namespace {

namespace ondemand = simdjson::ondemand;

enum class Allowed {
  kAny,
  kWord,     // no structure
  kFlags,    // an object of values without text
  kType,     // an object of which `type` alone has text
  kFalse,    // null, false or zero: the answer to anything else has text in the clear
  kOptions,  // Venice's own: not those that switch encryption off or take text elsewhere
  kBare,     // without text
};

struct ClearMember {
  std::string_view name;
  Allowed allowed;
};

constexpr auto kRequestMembers = std::to_array<ClearMember>({
    {"chat_template_kwargs", Allowed::kFlags},
    {"logit_bias", Allowed::kAny},
    {"logprobs", Allowed::kFalse},
    {"metadata", Allowed::kAny},
    {"modalities", Allowed::kAny},
    {"model", Allowed::kWord},
    {"prompt_cache_key", Allowed::kWord},
    {"prompt_cache_retention", Allowed::kWord},
    {"prompt_logprobs", Allowed::kFalse},
    {"provider", Allowed::kAny},
    {"reasoning", Allowed::kAny},
    {"reasoning_effort", Allowed::kWord},
    {"response_format", Allowed::kType},
    {"return_token_ids", Allowed::kFalse},
    {"safety_identifier", Allowed::kWord},
    {"service_tier", Allowed::kWord},
    {"stop", Allowed::kAny},
    {"stop_token_ids", Allowed::kAny},
    {"stream_options", Allowed::kAny},
    {"tool_choice", Allowed::kWord},
    {"top_logprobs", Allowed::kFalse},
    {"user", Allowed::kWord},
    {"venice_parameters", Allowed::kOptions},
    {"verbosity", Allowed::kWord},
});
constexpr auto kMessageMembers = std::to_array<ClearMember>({
    {"cache_control", Allowed::kAny},
    {"role", Allowed::kWord},
    {"tool_call_id", Allowed::kWord},
});
constexpr auto kPartMembers = std::to_array<ClearMember>({
    {"cache_control", Allowed::kAny},
    {"type", Allowed::kWord},
});

Allowed allowed_of(MemberOf owner, std::string_view name) {
  std::span<const ClearMember> members = kRequestMembers;
  if (owner == MemberOf::kMessage) members = kMessageMembers;
  if (owner == MemberOf::kPart) members = kPartMembers;
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const ClearMember& member) { return member.name == name; });
  return found == members.end() ? Allowed::kBare : found->allowed;
}

bool is_structure(JsonValue value) {
  ondemand::json_type type{};
  return value.type().get(type) || type == ondemand::json_type::object ||
         type == ondemand::json_type::array;
}

bool is_word_or_bare(JsonValue value) {
  return !is_structure(value) || is_bare(value);
}

bool is_false(JsonValue value) {
  if (is_structure(value)) return is_bare(value);
  const std::string_view raw = raw_scalar(value);
  return raw == "false" || raw == "null" || raw == "0";
}

bool is_option(std::string_view name, JsonValue value) {
  if (name == "enable_e2ee") return raw_scalar(value) != "false";
  if (name == "enable_web_search") {
    return raw_scalar(value) == "\"off\"" || raw_scalar(value) == "false";
  }
  if (name == "enable_web_scraping" || name == "enable_x_search") return is_false(value);
  return true;
}

Error goes_in_the_clear(const Variant& variant, const std::string& path) {
  return cannot_carry(variant, path,
                      "it would reach the provider, or come back, in the clear; leave it out");
}

// What `allows(name, value)` says of each member of an object; other values have to be bare.
template <class Allows>
Status check_members(const Variant& variant, const std::string& path, JsonValue value,
                     Allows&& allows) {
  ondemand::object object;
  if (value.get_object().get(object)) {
    return is_bare(value) ? ok() : Status(goes_in_the_clear(variant, path));
  }
  return for_each_member(object, [&](std::string_view name, JsonValue member) -> Status {
    if (allows(name, member)) return ok();
    return goes_in_the_clear(variant, path + '.' + std::string(name));
  });
}

}  // namespace

Error cannot_carry(const Variant& variant, const std::string& path, std::string_view why) {
  Error error = invalid_argument(path + ": end-to-end encryption (" + std::string(variant.name) +
                                 ") cannot carry this: " + std::string(why));
  error.type = "UNSUPPORTED_PARAMETER";
  return error;
}

Status check_clear_member(const Variant& variant, MemberOf owner, const std::string& path,
                          std::string_view name, JsonValue value) {
  const Allowed allowed = allowed_of(owner, name);
  const auto verdict = [&](bool holds) -> Status {
    return holds ? ok() : Status(goes_in_the_clear(variant, path));
  };
  switch (allowed) {
    case Allowed::kAny:
      return ok();
    case Allowed::kWord:
      return verdict(is_word_or_bare(value));
    case Allowed::kFalse:
      return verdict(is_false(value));
    case Allowed::kBare:
      return verdict(is_bare(value));
    case Allowed::kFlags:
      return check_members(variant, path, value,
                           [](std::string_view, JsonValue member) { return is_bare(member); });
    case Allowed::kType:
      return check_members(variant, path, value, [](std::string_view key, JsonValue member) {
        return key == "type" ? is_word_or_bare(member) : is_bare(member);
      });
    case Allowed::kOptions:
      return check_members(variant, path, value, is_option);
  }
  return ok();
}

}  // namespace backplane::sealing
