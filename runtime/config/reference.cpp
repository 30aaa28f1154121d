// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/reference.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "runtime/config/suggestion.hpp"
#include "runtime/config/text_file.hpp"

namespace backplane::config {
namespace {

constexpr std::size_t kContentMaxBytes = std::size_t{1} << 20;

bool is_variable_name(const std::string& name) {
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

bool is_reference(const Node& node) {
  return node.is_mapping() && node.entries.size() == 1 &&
         (node.entries.front().key == "env" || node.entries.front().key == "file");
}

Result<Referenced> parse_reference(const Node& node) {
  const Entry& entry = node.entries.front();
  const bool is_variable = entry.key == "env";
  if (entry.value.kind != NodeKind::kString || entry.value.text.empty()) {
    return invalid_argument(is_variable ? "expected the name of a variable, {env: NAME}"
                                        : "expected the path of a file, {file: PATH}");
  }
  const std::string& name = entry.value.text;
  if (!is_variable) {
    return Referenced{Origin::kContent, resolve_beside(node.position.file, name)};
  }
  if (!is_variable_name(name)) {
    return invalid_argument(
        "expected the name of a variable (letters, digits and _), found something else; "
        "write {env: NAME}, never the value itself");
  }
  return Referenced{Origin::kEnvironment, name};
}

Result<std::string> read_reference(const Referenced& target, const Environment& environment) {
  if (target.origin == Origin::kEnvironment) {
    std::optional<std::string> value = environment(target.name);
    if (!value) {
      return invalid_argument("environment variable " + target.name +
                              " is not set; export it or use {file: PATH}");
    }
    return std::move(*value);
  }
  Result<std::string> text = read_text_file(target.name, kContentMaxBytes);
  if (!text) {
    return invalid_argument("file " + quote(target.name) + ": " + text.error().message);
  }
  if (!text->empty() && text->back() == '\n') {
    text->pop_back();
  }
  if (!text->empty() && text->back() == '\r') {
    text->pop_back();
  }
  return text;
}

}  // namespace backplane::config
