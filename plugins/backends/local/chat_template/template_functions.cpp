// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/chat_template/template_functions.hpp"

#include <algorithm>

#include "plugins/backends/local/tokenizer/unicode.hpp"

namespace backplane::local {

Value CallArguments::get(std::size_t index, std::string_view name) const {
  if (index < positional.size()) return positional[index];
  for (const auto& [key, value] : named) {
    if (key == name) return value;
  }
  return {};
}

bool contains(const Value& container, const Value& element) {
  if (container.string() != nullptr && element.string() != nullptr) {
    return container.string()->find(*element.string()) != std::string::npos;
  }
  if (container.object() != nullptr) {
    const bool right_kind = container.object()->has_number_keys ? element.integer() != nullptr
                                                                : element.string() != nullptr;
    return right_kind && container.object()->find(element.text()) != nullptr;
  }
  const List* list = container.list();
  return list != nullptr && std::find(list->begin(), list->end(), element) != list->end();
}

List elements(const Value& value) {
  if (value.list() != nullptr) return *value.list();
  List out;
  if (value.object() != nullptr) {
    for (const auto& member : value.object()->members) {
      out.push_back(key_value(*value.object(), member.first));
    }
  } else if (value.string() != nullptr) {
    for (std::string_view text = *value.string(); !text.empty();) {
      const std::size_t size = decode_utf8(text).size;
      out.emplace_back(text.substr(0, size));
      text.remove_prefix(size);
    }
  }
  return out;
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); text.remove_prefix(decode_utf8(text).size)) ++count;
  return count;
}

std::string strip(std::string_view text, bool left, bool right, const Value& characters) {
  const std::string* set = characters.string();
  const auto goes = [&](std::string_view character) {
    if (set != nullptr) return set->find(character) != std::string::npos;
    return is_space(decode_utf8(character).value);
  };
  while (left && !text.empty()) {
    const std::size_t size = decode_utf8(text).size;
    if (!goes(text.substr(0, size))) break;
    text.remove_prefix(size);
  }
  while (right && !text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80) --start;
    if (!goes(text.substr(start))) break;
    text.remove_suffix(text.size() - start);
  }
  return std::string(text);
}

Result<bool> apply_test(std::string_view name, const Value& input, const CallArguments& arguments) {
  const Value other = arguments.get(0, "other");
  const std::int64_t* whole = input.integer();
  if (name == "defined") return !input.is_undefined();
  if (name == "undefined") return input.is_undefined();
  if (name == "none") return input.is_none();
  if (name == "string") return input.string() != nullptr;
  if (name == "mapping") return input.object() != nullptr;
  if (name == "sequence" || name == "iterable") {
    return input.string() != nullptr || input.list() != nullptr || input.object() != nullptr;
  }
  if (name == "number") return input.is_number() || input.boolean() != nullptr;
  if (name == "integer") return whole != nullptr;
  if (name == "float") return input.real() != nullptr;
  if (name == "boolean") return input.boolean() != nullptr;
  if (name == "true") return input.boolean() != nullptr && *input.boolean();
  if (name == "false") return input.boolean() != nullptr && !*input.boolean();
  if (name == "odd") return whole != nullptr && *whole % 2 != 0;
  if (name == "even") return whole != nullptr && *whole % 2 == 0;
  if (name == "in") return contains(other, input);
  if (name == "eq" || name == "equalto" || name == "sameas") return input == other;
  if (name == "ne") return !(input == other);
  if (name == "gt") return input.number() > other.number();
  if (name == "ge") return input.number() >= other.number();
  if (name == "lt") return input.number() < other.number();
  if (name == "le") return input.number() <= other.number();
  if (name == "divisibleby" && whole != nullptr) {
    const std::int64_t* divisor = other.integer();
    return divisor != nullptr && *divisor > 0 && *whole % *divisor == 0;
  }
  return invalid_argument("the test \"" + std::string(name) + "\" is not supported");
}

}  // namespace backplane::local
