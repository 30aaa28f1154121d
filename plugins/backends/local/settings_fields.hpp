// SPDX-License-Identifier: Apache-2.0
// Members of the instance's settings, valid by its schema: the member, or the fallback where it is
// absent.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string_view>

namespace backplane::local {

template <class Number>
Number number(const boost::json::object& settings, std::string_view name, Number fallback) {
  const boost::json::value* value = settings.if_contains(name);
  return value != nullptr && value->is_number() ? value->to_number<Number>() : fallback;
}

inline bool flag(const boost::json::object& settings, std::string_view name, bool fallback) {
  const boost::json::value* value = settings.if_contains(name);
  return value != nullptr && value->is_bool() ? value->get_bool() : fallback;
}

inline std::string_view word(const boost::json::object& settings, std::string_view name,
                             std::string_view fallback = {}) {
  const boost::json::value* value = settings.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : fallback;
}

}  // namespace backplane::local
