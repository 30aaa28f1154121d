// SPDX-License-Identifier: Apache-2.0
// What is particular about a provider, as data: adding one is a row in profile.cpp and its name in
// the plugin's schema. What every provider may do at any time is no part of it: the readers of
// answers understand every dialect at once.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::dialect {

enum class FieldAction : std::uint8_t {
  kRemove,  // it was for the gateway: taken out without a word
  kDrop,    // the answer's meaning stays: taken out, and the client is told
  kRefuse,  // it would not: INVALID_ARGUMENT names the field
  kRename,  // `argument` is the provider's name for it
  kReplace  // where the value is the text `argument`: it becomes `replacement`
};

// One member of a request. A value that asks for nothing (null, false, 0, {}, [], or `argument` of
// kRefuse) is taken out without a word.
struct FieldRule {
  std::string_view field;  // a member of the body, or "messages[].NAME"
  FieldAction action;
  std::string_view argument = {};
  std::string_view replacement = {};
  std::string_view operation = "chat.completions";
};

struct Profile {
  std::string_view name;
  std::string_view base_url;         // empty: has to be given
  bool needs_key = true;             // at that URL
  bool asks_usage = true;            // false: streams tell their usage unasked
  bool lists_models = true;          // GET /models
  std::string_view operations = {};  // separated by spaces; empty: all
  std::span<const FieldRule> fields = {};
  std::string_view passed_headers = {};  // of responses, for the client; separated by spaces
  bool leaves_tags = false;              // around thoughts, in the text of an answer
  // How names of models begin that are to be encrypted for, as the plugin of the profile's name
  // does; no other calls them. Empty: none.
  std::string_view sealed_models = {};
  // What makes the last message one to be gone on with: members of the body, each `true` or not.
  std::span<const std::pair<std::string_view, bool>> continuation = {};
};

std::span<const Profile> profiles();

// Null: no such profile.
const Profile* find_profile(std::string_view name);

// `words`, separated by single spaces, has `word`.
bool has_word(std::string_view words, std::string_view word);

// What `profile` calls a well-known model; empty: nothing special.
std::string_view known_name(std::string_view profile, std::string_view model);
// The models of which it is known.
std::vector<std::string_view> known_models(std::string_view profile);

}  // namespace backplane::dialect
