// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "plugins/backends/local/chat_template/template_functions.hpp"

namespace backplane::local {
namespace {

using Arguments = CallArguments;
using Filter = Result<Value> (*)(const Value& input, const Arguments& arguments);

Value method(const Value& input, std::string_view name, const Arguments& arguments = {}) {
  auto result = call_method(Value(input.text()), name, arguments);
  return result ? *result : Value();
}

Result<Value> trim(const Value& input, const Arguments& arguments) {
  return Value(strip(input.text(), true, true, arguments.get(0, "chars")));
}

Result<Value> length(const Value& input, const Arguments&) {
  if (input.string() != nullptr) {
    return Value(static_cast<std::int64_t>(code_points(*input.string())));
  }
  if (input.list() != nullptr) return Value(static_cast<std::int64_t>(input.list()->size()));
  if (input.object() == nullptr) return Value(std::int64_t{0});
  return Value(static_cast<std::int64_t>(input.object()->members.size()));
}

Result<Value> default_value(const Value& input, const Arguments& arguments) {
  const bool falsy_too = arguments.get(1, "boolean").truth();
  const bool replace = input.is_undefined() || (falsy_too && !input.truth());
  if (!replace) return input;
  const Value other = arguments.get(0, "default_value");
  return other.is_undefined() ? Value("") : other;
}

Result<Value> to_json_text(const Value& input, const Arguments& arguments) {
  if (input.is_lazy()) {
    return invalid_argument("what map, select or reject give is no JSON; add \"| list\"");
  }
  const Value indent = arguments.get(0, "indent");
  constexpr std::int64_t kIndentMax = 16;
  const int width =
      indent.integer() == nullptr
          ? -1
          : static_cast<int>(std::clamp(*indent.integer(), std::int64_t{0}, kIndentMax));
  return Value(to_json(input, width, arguments.get(5, "sort_keys").truth()));
}

Value attribute_of(const Value& value, const Value& name) {
  if (name.string() == nullptr || value.object() == nullptr) return value;
  const Value* member = value.object()->find(*name.string());
  return member == nullptr ? Value() : *member;
}

Result<Value> join(const Value& input, const Arguments& arguments) {
  const std::string separator = arguments.get(0, "d").text();
  const Value attribute = arguments.get(1, "attribute");
  std::string out;
  bool first = true;
  for (const Value& element : elements(input)) {
    if (!first) out += separator;
    first = false;
    out += attribute_of(element, attribute).text();
    if (out.size() > kTemplateTextBytesMax) return invalid_argument("the text is too long");
  }
  return Value(std::move(out));
}

Result<Value> to_text(const Value& input, const Arguments&) {
  return Value(input.text());
}
Result<Value> safe(const Value& input, const Arguments&) {
  return Value(Value::Markup{input.text()});
}
Result<Value> escape(const Value& input, const Arguments&) {
  if (input.is_markup()) return input;
  return Value(Value::Markup{escaped_html(input.text())});
}
Result<Value> upper(const Value& input, const Arguments&) {
  return method(input, "upper");
}
Result<Value> lower(const Value& input, const Arguments&) {
  return method(input, "lower");
}
Result<Value> title(const Value& input, const Arguments&) {
  return method(input, "title");
}
Result<Value> capitalize(const Value& input, const Arguments&) {
  return method(input, "capitalize");
}
Result<Value> replace(const Value& input, const Arguments& arguments) {
  return call_method(Value(input.text()), "replace", arguments);
}

Result<Value> to_integer(const Value& input, const Arguments& arguments) {
  const std::string text = strip(input.text(), true, true);
  std::int64_t whole = 0;
  if (input.real() != nullptr && std::abs(*input.real()) < 0x1p62) {
    return Value(static_cast<std::int64_t>(*input.real()));
  }
  if (input.boolean() != nullptr) return Value(static_cast<std::int64_t>(*input.boolean()));
  const auto result = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (result.ec == std::errc() && result.ptr == text.data() + text.size()) return Value(whole);
  const Value other = arguments.get(0, "default");
  return other.is_undefined() ? Value(std::int64_t{0}) : other;
}

Result<Value> to_real(const Value& input, const Arguments&) {
  if (input.string() == nullptr) return Value(input.number());
  double real = 0;
  std::from_chars(input.string()->data(), input.string()->data() + input.string()->size(), real);
  return Value(real);
}

Result<Value> to_list(const Value& input, const Arguments&) {
  return Value(elements(input));
}

Result<Value> first(const Value& input, const Arguments&) {
  const List list = elements(input);
  return list.empty() ? Value() : list.front();
}
Result<Value> last(const Value& input, const Arguments&) {
  const List list = elements(input);
  return list.empty() ? Value() : list.back();
}

Result<Value> reverse(const Value& input, const Arguments&) {
  List list = elements(input);
  std::reverse(list.begin(), list.end());
  if (input.string() == nullptr) return Value(std::move(list));
  return join(Value(std::move(list)), {});
}

Result<Value> items(const Value& input, const Arguments&) {
  if (input.is_undefined()) return Value(List());
  return call_method(input, "items", {});
}

Result<Value> dictsort(const Value& input, const Arguments&) {
  auto pairs = call_method(input, "items", {});
  if (!pairs) return pairs;
  std::stable_sort(
      pairs->list()->begin(), pairs->list()->end(), [](const Value& a, const Value& b) {
        return method((*a.list())[0], "lower").text() < method((*b.list())[0], "lower").text();
      });
  return pairs;
}

Result<Value> sort(const Value& input, const Arguments& arguments) {
  const Value attribute = arguments.get(2, "attribute");
  List list = elements(input);
  std::stable_sort(list.begin(), list.end(), [&](const Value& a, const Value& b) {
    const Value left = attribute_of(a, attribute);
    const Value right = attribute_of(b, attribute);
    if (left.is_number() && right.is_number()) return left.number() < right.number();
    return method(left, "lower").text() < method(right, "lower").text();
  });
  if (arguments.get(0, "reverse").truth()) std::reverse(list.begin(), list.end());
  return Value(std::move(list));
}

Result<Value> unique(const Value& input, const Arguments&) {
  List out;
  for (const Value& element : elements(input)) {
    if (std::find(out.begin(), out.end(), element) == out.end()) out.push_back(element);
  }
  return Value(std::move(out));
}

Result<Value> map(const Value& input, const Arguments& arguments) {
  const Value attribute = arguments.get(SIZE_MAX, "attribute");
  List out;
  for (const Value& element : elements(input)) {
    if (attribute.string() != nullptr) {
      out.push_back(attribute_of(element, attribute));
      continue;
    }
    Arguments rest;
    for (std::size_t i = 1; i < arguments.positional.size(); ++i) {
      rest.positional.push_back(arguments.positional[i]);
    }
    auto result = apply_filter(arguments.get(0, "filter").text(), element, rest);
    if (!result) return result;
    out.push_back(std::move(*result));
  }
  return Value::lazy(std::move(out));
}

// select, reject, selectattr, rejectattr: the elements (or a member of them) that pass a test.
Result<Value> keep(const Value& input, const Arguments& arguments, bool by_member, bool keeps) {
  const std::size_t test_index = by_member ? 1 : 0;
  const Value test = arguments.get(test_index, "test");
  Arguments rest;
  for (std::size_t i = test_index + 1; i < arguments.positional.size(); ++i) {
    rest.positional.push_back(arguments.positional[i]);
  }
  List out;
  for (const Value& element : elements(input)) {
    const Value subject =
        by_member ? attribute_of(element, arguments.get(0, "attribute")) : element;
    bool passes = subject.truth();
    if (test.string() != nullptr) {
      const auto result = apply_test(*test.string(), subject, rest);
      if (!result) return result.error();
      passes = *result;
    }
    if (passes == keeps) out.push_back(element);
  }
  return Value::lazy(std::move(out));
}

Result<Value> select(const Value& input, const Arguments& arguments) {
  return keep(input, arguments, false, true);
}
Result<Value> reject(const Value& input, const Arguments& arguments) {
  return keep(input, arguments, false, false);
}
Result<Value> selectattr(const Value& input, const Arguments& arguments) {
  return keep(input, arguments, true, true);
}
Result<Value> rejectattr(const Value& input, const Arguments& arguments) {
  return keep(input, arguments, true, false);
}

Result<Value> indent(const Value& input, const Arguments& arguments) {
  const Value width = arguments.get(0, "width");
  constexpr std::int64_t kWidthMax = 256;
  const std::int64_t spaces =
      width.integer() == nullptr ? 4 : std::clamp(*width.integer(), std::int64_t{0}, kWidthMax);
  const std::string prefix = width.string() != nullptr
                                 ? *width.string()
                                 : std::string(static_cast<std::size_t>(spaces), ' ');
  const bool blank_too = arguments.get(2, "blank").truth();
  const std::string text = input.text();
  std::string out = arguments.get(1, "first").truth() ? prefix : std::string();
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    const bool blank = i + 1 >= text.size() || text[i + 1] == '\n';
    if (text[i] == '\n' && (blank_too || !blank)) out += prefix;
    if (out.size() > kTemplateTextBytesMax) return invalid_argument("the text is too long");
  }
  return Value(std::move(out));
}

Result<Value> extreme(const Value& input, bool highest) {
  const List list = elements(input);
  const auto less = [](const Value& a, const Value& b) {
    if (a.string() != nullptr && b.string() != nullptr) return *a.string() < *b.string();
    return a.number() < b.number();
  };
  if (list.empty()) return Value();
  return highest ? *std::max_element(list.begin(), list.end(), less)
                 : *std::min_element(list.begin(), list.end(), less);
}
Result<Value> lowest(const Value& input, const Arguments&) {
  return extreme(input, false);
}
Result<Value> highest(const Value& input, const Arguments&) {
  return extreme(input, true);
}

Result<Value> absolute(const Value& input, const Arguments&) {
  if (input.integer() != nullptr && *input.integer() > INT64_MIN) {
    return Value(std::abs(*input.integer()));
  }
  return Value(std::abs(input.number()));
}

Result<Value> sum(const Value& input, const Arguments& arguments) {
  const Value attribute = arguments.get(0, "attribute");
  double total = arguments.get(1, "start").number();
  bool whole = true;
  for (const Value& element : elements(input)) {
    const Value value = attribute_of(element, attribute);
    whole = whole && value.real() == nullptr;
    total += value.number();
  }
  return whole && std::abs(total) < 0x1p53 ? Value(static_cast<std::int64_t>(total)) : Value(total);
}

Result<Value> round_number(const Value& input, const Arguments& arguments) {
  const Value precision = arguments.get(0, "precision");
  const double places = precision.integer() == nullptr
                            ? 0
                            : static_cast<double>(std::clamp(*precision.integer(),
                                                             std::int64_t{-15}, std::int64_t{15}));
  const double scale = std::pow(10.0, places);
  const std::string method = arguments.get(1, "method").text();
  const double scaled = input.number() * scale;
  const double rounded = method == "ceil"    ? std::ceil(scaled)
                         : method == "floor" ? std::floor(scaled)
                                             : std::nearbyint(scaled);
  return Value(rounded / scale);
}

constexpr std::array<std::pair<std::string_view, Filter>, 37> kFilters = {{
    {"abs", absolute},
    {"capitalize", capitalize},
    {"count", length},
    {"d", default_value},
    {"default", default_value},
    {"dictsort", dictsort},
    {"e", escape},
    {"escape", escape},
    {"first", first},
    {"float", to_real},
    {"indent", indent},
    {"int", to_integer},
    {"items", items},
    {"join", join},
    {"last", last},
    {"length", length},
    {"list", to_list},
    {"lower", lower},
    {"map", map},
    {"max", highest},
    {"min", lowest},
    {"reject", reject},
    {"rejectattr", rejectattr},
    {"replace", replace},
    {"reverse", reverse},
    {"round", round_number},
    {"safe", safe},
    {"select", select},
    {"selectattr", selectattr},
    {"sort", sort},
    {"string", to_text},
    {"sum", sum},
    {"title", title},
    {"tojson", to_json_text},
    {"trim", trim},
    {"unique", unique},
    {"upper", upper},
}};

}  // namespace

Result<Value> apply_filter(std::string_view name, const Value& input,
                           const CallArguments& arguments) {
  const auto* found = std::find_if(kFilters.begin(), kFilters.end(),
                                   [&](const auto& filter) { return filter.first == name; });
  if (found != kFilters.end()) return found->second(input, arguments);
  return invalid_argument("the filter \"" + std::string(name.substr(0, 64)) +
                          "\" is not supported");
}

}  // namespace backplane::local
