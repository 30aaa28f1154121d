// SPDX-License-Identifier: Apache-2.0
// What templates can call: filters, tests, and the methods of strings, lists and objects. Errors
// have no line; the evaluator adds it. Strings count in code points, as in Python.
#pragma once

#include <backplane/result.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/backends/local/chat_template/value.hpp"

namespace backplane::local {

struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
  // The argument at `index`, or of that name; undefined when not given.
  Value get(std::size_t index, std::string_view name) const;
};

Result<Value> apply_filter(std::string_view name, const Value& input,
                           const CallArguments& arguments);
Result<bool> apply_test(std::string_view name, const Value& input, const CallArguments& arguments);
Result<Value> call_method(const Value& self, std::string_view name, const CallArguments& arguments);

// Whether `container` (a string, list or object) holds `element`.
bool contains(const Value& container, const Value& element);
// The elements a loop goes over: of a list, the keys of an object, the characters of a string.
List elements(const Value& value);
std::string strip(std::string_view text, bool left, bool right, const Value& characters = {});
std::size_t code_points(std::string_view text);

}  // namespace backplane::local
