// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request/json_value.hpp"

namespace backplane::local {

// The parser bounds the depth.
Value to_value(const boost::json::value& json) {
  switch (json.kind()) {
    case boost::json::kind::null:
      return Value::None();
    case boost::json::kind::bool_:
      return json.get_bool();
    case boost::json::kind::int64:
      return json.get_int64();
    case boost::json::kind::uint64:
      return static_cast<double>(json.get_uint64());
    case boost::json::kind::double_:
      return json.get_double();
    case boost::json::kind::string:
      return std::string_view(json.get_string());
    case boost::json::kind::array: {
      List list;
      for (const boost::json::value& element : json.get_array()) list.push_back(to_value(element));
      return list;
    }
    default: {
      Object object;
      for (const auto& [key, value] : json.get_object()) object.set(key, to_value(value));
      return object;
    }
  }
}

}  // namespace backplane::local
