// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "plugins/backends/local/chat_template/template_functions.hpp"

namespace backplane::local {
namespace {

using Arguments = CallArguments;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
char to_upper(char c) {
  return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
}
char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

Error unknown_method(const char* kind, std::string_view name) {
  return invalid_argument(std::string(kind) + " have no method \"" +
                          std::string(name.substr(0, 64)) + "\" here");
}

// Upper case where a word begins (or only at the start), lower case elsewhere. ASCII.
std::string with_capitals(std::string_view text, bool every_word) {
  std::string out;
  bool starts = true;
  for (const char c : text) {
    out += starts ? to_upper(c) : to_lower(c);
    starts = every_word && !is_upper(c) && !is_lower(c);
  }
  return out;
}

std::string with_case(std::string text, char (*change)(char)) {
  std::transform(text.begin(), text.end(), text.begin(), change);
  return text;
}

Value split(const std::string& text, const Arguments& arguments) {
  const Value separator = arguments.get(0, "sep");
  const Value limit = arguments.get(1, "maxsplit");
  std::size_t left = limit.integer() != nullptr && *limit.integer() >= 0
                         ? static_cast<std::size_t>(*limit.integer())
                         : SIZE_MAX;
  List parts;
  if (separator.string() == nullptr || separator.string()->empty()) {
    std::string_view rest = text;
    constexpr std::string_view kSpaces = " \t\n\r\f\v";
    for (;;) {
      rest.remove_prefix(std::min(rest.find_first_not_of(kSpaces), rest.size()));
      if (rest.empty()) return parts;
      const std::size_t end = left-- > 0 ? rest.find_first_of(kSpaces) : std::string::npos;
      parts.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end, rest.size()));
    }
  }
  std::size_t begin = 0;
  for (; left > 0; --left) {
    const std::size_t end = text.find(*separator.string(), begin);
    if (end == std::string::npos) break;
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + separator.string()->size();
  }
  parts.emplace_back(text.substr(begin));
  return parts;
}

Result<Value> replace(const std::string& text, const Arguments& arguments) {
  const std::string from = arguments.get(0, "old").text();
  const std::string to = arguments.get(1, "new").text();
  if (from.empty()) return Value(text);
  std::string out;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = text.find(from, begin);
    out.append(text, begin, end == std::string::npos ? end : end - begin);
    if (end == std::string::npos) return Value(std::move(out));
    out += to;
    if (out.size() > kTemplateTextBytesMax) return invalid_argument("the text is too long");
    begin = end + from.size();
  }
}

// startswith and endswith take one string or a list of them.
template <class Matches>
bool any_affix(const Value& affixes, const Matches& matches) {
  if (affixes.string() != nullptr) return matches(*affixes.string());
  const List list = elements(affixes);
  return std::any_of(list.begin(), list.end(),
                     [&](const Value& affix) { return matches(affix.text()); });
}

// "{}" becomes the next argument; other replacement fields are not supported.
Result<Value> format(std::string_view text, const Arguments& arguments) {
  std::string out;
  for (const Value& argument : arguments.positional) {
    const std::size_t field = text.find("{}");
    if (field == std::string_view::npos) break;
    out.append(text.substr(0, field)).append(argument.text());
    text.remove_prefix(field + 2);
  }
  if (text.find('{') != std::string_view::npos) {
    return invalid_argument("format: only \"{}\" with an argument is supported");
  }
  return Value(out.append(text));
}

template <class Belongs>
Value all_characters(const std::string& text, const Belongs& belongs) {
  return !text.empty() && std::all_of(text.begin(), text.end(), belongs);
}

Value splitlines(std::string_view text) {
  List lines;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\r\n");
    lines.emplace_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return lines;
}

Value count(std::string_view text, std::string_view part) {
  std::int64_t found = 0;
  if (part.empty()) return static_cast<std::int64_t>(code_points(text)) + 1;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) {
    ++found;
  }
  return found;
}

// Those that programs use beside the usual ones; undefined where there is no such method.
Value rare_string_method(const std::string& text, std::string_view name, const Value& first) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto letter = [](char c) { return is_upper(c) || is_lower(c); };
  if (name == "isdigit" || name == "isnumeric" || name == "isdecimal") {
    return all_characters(text, digit);
  }
  if (name == "isalpha") return all_characters(text, letter);
  if (name == "isalnum") {
    return all_characters(text, [&](char c) { return digit(c) || letter(c); });
  }
  if (name == "isupper")
    return with_case(text, to_lower) != text && with_case(text, to_upper) == text;
  if (name == "islower")
    return with_case(text, to_upper) != text && with_case(text, to_lower) == text;
  if (name == "splitlines") return splitlines(text);
  const std::string other = first.text();
  if (name == "count") return count(text, other);
  if (name == "removeprefix") return text.starts_with(other) ? text.substr(other.size()) : text;
  if (name == "removesuffix") {
    return text.ends_with(other) ? text.substr(0, text.size() - other.size()) : text;
  }
  return {};
}

Result<Value> string_method(const std::string& text, std::string_view name,
                            const Arguments& arguments) {
  const Value first = arguments.get(0, "chars");
  if (name == "strip") return Value(strip(text, true, true, first));
  if (name == "lstrip") return Value(strip(text, true, false, first));
  if (name == "rstrip") return Value(strip(text, false, true, first));
  if (name == "upper") return Value(with_case(text, to_upper));
  if (name == "lower") return Value(with_case(text, to_lower));
  if (name == "title") return Value(with_capitals(text, true));
  if (name == "capitalize") return Value(with_capitals(text, false));
  if (name == "split") return split(text, arguments);
  if (name == "replace") return replace(text, arguments);
  if (name == "format") return format(text, arguments);
  if (name == "join") {
    return apply_filter("join", first, {{Value(text)}, {}});
  }
  if (name == "startswith") {
    return Value(any_affix(first, [&](std::string_view s) { return text.starts_with(s); }));
  }
  if (name == "endswith") {
    return Value(any_affix(first, [&](std::string_view s) { return text.ends_with(s); }));
  }
  if (name == "find") {
    const std::size_t at = text.find(first.text());
    if (at == std::string::npos) return Value(std::int64_t{-1});
    return Value(static_cast<std::int64_t>(code_points(std::string_view(text).substr(0, at))));
  }
  Value result = rare_string_method(text, name, first);
  return result.is_undefined() ? Result<Value>(unknown_method("strings", name)) : result;
}

// None that changes a list or an object: the models' own libraries refuse those.
Result<Value> list_method(const List& list, std::string_view name, const Arguments& arguments) {
  const Value first = arguments.get(0, "value");
  if (name == "count") {
    return Value(static_cast<std::int64_t>(std::count(list.begin(), list.end(), first)));
  }
  if (name != "index") return unknown_method("lists", name);
  const auto found = std::find(list.begin(), list.end(), first);
  if (found == list.end()) return invalid_argument("index: the list has no such element");
  return Value(static_cast<std::int64_t>(found - list.begin()));
}

Result<Value> object_method(const Object& object, std::string_view name,
                            const Arguments& arguments) {
  const Value key = arguments.get(0, "key");
  if (name == "get") {
    const Value* member = object.find(key.text());
    const Value fallback = arguments.get(1, "default");
    if (member != nullptr) return *member;
    return fallback.is_undefined() ? Value(Value::None()) : fallback;
  }
  List out;
  for (const auto& [member, value] : object.members) {
    if (name == "keys") {
      out.push_back(key_value(object, member));
    } else if (name == "values") {
      out.push_back(value);
    } else if (name == "items") {
      out.emplace_back(List{key_value(object, member), value});
    } else {
      return unknown_method("objects", name);
    }
  }
  if (name != "keys" && name != "values" && name != "items") return unknown_method("objects", name);
  return Value(std::move(out));
}

}  // namespace

Result<Value> call_method(const Value& self, std::string_view name,
                          const CallArguments& arguments) {
  if (self.string() != nullptr) return string_method(*self.string(), name, arguments);
  if (self.list() != nullptr) return list_method(*self.list(), name, arguments);
  if (self.object() != nullptr) return object_method(*self.object(), name, arguments);
  if (self.is_undefined()) {
    return invalid_argument("\"" + std::string(name.substr(0, 64)) +
                            "\" is called on something undefined");
  }
  return unknown_method("numbers and none", name);
}

}  // namespace backplane::local
