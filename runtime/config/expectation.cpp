// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/expectation.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "runtime/config/json.hpp"
#include "runtime/config/scalar.hpp"
#include "runtime/config/secrets.hpp"
#include "runtime/config/suggestion.hpp"

namespace backplane::config {
namespace {

constexpr double kExactIntegerMax = 9007199254740992.0;  // 2^53

std::string join(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : between) + word;
  }
  return text;
}

template <class Bound, class Show>
std::string range_text(const std::optional<Bound>& low, const std::optional<Bound>& high,
                       Show show) {
  if (low && high) {
    return " from " + show(*low) + " to " + show(*high);
  }
  if (low) {
    return " >= " + show(*low);
  }
  return high ? " <= " + show(*high) : "";
}

std::string count_text(const std::optional<std::size_t>& low,
                       const std::optional<std::size_t>& high) {
  if (low && high) {
    return " of " + std::to_string(*low) + " to " + std::to_string(*high);
  }
  if (low) {
    return " of at least " + std::to_string(*low);
  }
  return high ? " of at most " + std::to_string(*high) : "";
}

std::string string_text(const Schema& schema) {
  std::string text = count_text(schema.min_length, schema.max_length);
  text = "string" + text + (text.empty() ? "" : " characters");
  return schema.pattern ? text + " matching " + schema.pattern->text() : text;
}

std::vector<std::string> type_words(const Schema& schema) {
  const Types& types = schema.types;
  std::vector<std::string> words;
  const std::string range = range_text(schema.minimum, schema.maximum, number_text);
  if (types.names(NodeKind::kReal)) {
    words.push_back("number" + range);
  } else if (types.names(NodeKind::kInteger)) {
    words.push_back("integer" + range);
  }
  if (types.names(NodeKind::kString)) {
    words.push_back(string_text(schema));
  }
  if (types.names(NodeKind::kBoolean)) {
    words.emplace_back("true or false");
  }
  if (types.names(NodeKind::kSequence)) {
    words.push_back("list" + count_text(schema.min_items, schema.max_items));
  }
  if (types.names(NodeKind::kMapping)) {
    words.emplace_back("mapping");
  }
  if (types.names(NodeKind::kNull)) {
    words.emplace_back("null");
  }
  return words;
}

std::vector<std::string> choice_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Node& choice : schema.choices) {
    if (choice.kind == NodeKind::kString) {
      names.push_back(choice.text);
    }
  }
  return names;
}

bool is_switch_word(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text == "yes" || text == "no" || text == "on" || text == "off" || text == "y" ||
         text == "n";
}

std::string string_remedy(const Node& node, const Schema& schema) {
  const Result<Node> plain = resolve_scalar(node.text);
  const bool is_quoted = plain && !plain->is_mapping() && plain->kind != NodeKind::kString;
  if (is_quoted && plain->kind != NodeKind::kNull && schema.types.names(plain->kind)) {
    return "; write it without quotes";
  }
  if (schema.types.names(NodeKind::kBoolean) && is_switch_word(node.text)) {
    return "; write true or false";
  }
  return did_you_mean(node.text, choice_names(schema));
}

}  // namespace

std::string expected(const Schema& schema) {
  if (!schema.choices.empty()) {
    std::vector<std::string> values;
    for (const Node& choice : schema.choices) {
      values.push_back(to_canonical_json(choice));
    }
    return (values.size() > 1 ? "one of " : "") + join(values, ", ");
  }
  std::vector<std::string> words = type_words(schema);
  if (words.empty()) {
    for (const Schema& branch : schema.alternatives) {
      const std::string word = expected(branch);
      if (std::find(words.begin(), words.end(), word) == words.end()) {
        words.push_back(word);
      }
    }
  }
  return words.empty() ? "a value" : join(words, " or ");
}

std::string found(const Node& node, bool is_secret) {
  switch (node.kind) {
    case NodeKind::kNull:
      return "null";
    case NodeKind::kMapping:
      return "a mapping";
    case NodeKind::kSequence:
      return "a list of " + std::to_string(node.items.size());
    default:
      break;
  }
  if (is_secret) {
    return node.kind == NodeKind::kString    ? std::string(kMask)
           : node.kind == NodeKind::kBoolean ? "a boolean"
                                             : "a number";
  }
  if (node.origin == Origin::kContent) {
    return "other content in file " + quote(node.reference);
  }
  const std::string value =
      node.kind == NodeKind::kString ? quote(masked_url(node.text)) : node.text;
  return node.origin == Origin::kEnvironment ? value + " in environment variable " + node.reference
                                             : value;
}

std::string remedy(const Node& node, const Schema& schema) {
  if (node.origin != Origin::kFile) {
    return "";
  }
  if (node.is_mapping() && schema.takes_only_scalars() && (node.find("env") || node.find("file"))) {
    return "; a reference is {env: NAME} or {file: PATH} and nothing else";
  }
  if (node.is_scalar() && !node.text.empty() && schema.types.names(NodeKind::kSequence)) {
    return "; write a list, [...]";
  }
  if (node.kind == NodeKind::kString) {
    return string_remedy(node, schema);
  }
  const bool is_number_or_boolean = node.is_scalar() && node.kind != NodeKind::kNull;
  return is_number_or_boolean && schema.types.names(NodeKind::kString) &&
                 !schema.types.names(node.kind)
             ? "; write it in quotes"
             : "";
}

std::string number_text(double value) {
  if (std::floor(value) == value && std::abs(value) <= kExactIntegerMax) {
    return std::to_string(static_cast<std::int64_t>(value));
  }
  char buffer[32];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

}  // namespace backplane::config
