// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/backends/local/structured/schema_validator.hpp"

#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <regex>

namespace backplane::local {
namespace {

namespace json = boost::json;

bool is_integral(const json::value& value) {
  return value.is_number() && value.to_number<double>() == std::floor(value.to_number<double>());
}

bool has_type(const json::value& value, std::string_view name) {
  if (name == "null") return value.is_null();
  if (name == "boolean") return value.is_bool();
  if (name == "integer") return is_integral(value);
  if (name == "number") return value.is_number();
  if (name == "string") return value.is_string();
  if (name == "array") return value.is_array();
  return value.is_object();
}

bool equal(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  if (a.kind() != b.kind()) return false;
  if (a.is_array()) {
    const auto same = [](const json::value& x, const json::value& y) { return equal(x, y); };
    return std::equal(a.get_array().begin(), a.get_array().end(), b.get_array().begin(),
                      b.get_array().end(), same);
  }
  if (!a.is_object()) return a == b;
  if (a.get_object().size() != b.get_object().size()) return false;
  for (const auto& member : a.get_object()) {
    const json::value* other = b.get_object().if_contains(member.key());
    if (other == nullptr || !equal(member.value(), *other)) return false;
  }
  return true;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) count += (byte & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

bool matches(const json::value& pattern, std::string_view text) {
  const std::regex regex(std::string(pattern.get_string()), std::regex::ECMAScript);
  return std::regex_search(text.begin(), text.end(), regex);
}

class Validator {
 public:
  Validator(const json::object& schema, const json::value& value, const json::value& root)
      : schema_(schema), value_(value), root_(root) {}

  bool holds() const {
    if (const json::value* reference = find("$ref")) {
      const std::string text(reference->get_string());
      boost::system::error_code failure;
      const json::value* target = text == "#" || text.starts_with("#/")
                                      ? root_.find_pointer(text.substr(1), failure)
                                      : nullptr;
      if (target != nullptr && !good(*target, value_)) return false;
    }
    return types() && values() && combinations() && numbers() && strings() && arrays() && objects();
  }

 private:
  const json::value* find(std::string_view keyword) const { return schema_.if_contains(keyword); }
  bool good(const json::value& schema, const json::value& value) const {
    return validates(schema, value, root_);
  }

  bool types() const {
    const json::value* type = find("type");
    if (type == nullptr) return true;
    if (type->is_string()) return has_type(value_, type->get_string());
    for (const json::value& one : type->get_array()) {
      if (has_type(value_, one.get_string())) return true;
    }
    return false;
  }

  bool values() const {
    if (const json::value* value = find("const")) return equal(*value, value_);
    const json::value* list = find("enum");
    if (list == nullptr) return true;
    for (const json::value& one : list->get_array()) {
      if (equal(one, value_)) return true;
    }
    return false;
  }

  std::size_t count(const json::value& schemas) const {
    std::size_t holding = 0;
    for (const json::value& one : schemas.get_array()) holding += good(one, value_) ? 1 : 0;
    return holding;
  }

  bool combinations() const {
    if (const auto* all = find("allOf"); all && count(*all) != all->get_array().size())
      return false;
    if (const auto* any = find("anyOf"); any && count(*any) == 0) return false;
    if (const auto* one = find("oneOf"); one && count(*one) != 1) return false;
    if (const auto* none = find("not"); none && good(*none, value_)) return false;
    const json::value* condition = find("if");
    if (condition == nullptr) return true;
    const json::value* branch = find(good(*condition, value_) ? "then" : "else");
    return branch == nullptr || good(*branch, value_);
  }

  bool numbers() const {
    if (!value_.is_number()) return true;
    const double number = value_.to_number<double>();
    const auto bound = [&](std::string_view keyword, auto holds) {
      const json::value* limit = find(keyword);
      return limit == nullptr || !limit->is_number() || holds(limit->to_number<double>());
    };
    const auto flag = [&](std::string_view keyword) {
      const json::value* value = find(keyword);
      return value != nullptr && value->is_bool() && value->get_bool();
    };
    const bool above = flag("exclusiveMinimum"), below = flag("exclusiveMaximum");
    return bound("minimum", [&](double x) { return above ? number > x : number >= x; }) &&
           bound("maximum", [&](double x) { return below ? number < x : number <= x; }) &&
           bound("exclusiveMinimum", [&](double x) { return number > x; }) &&
           bound("exclusiveMaximum", [&](double x) { return number < x; }) &&
           bound("multipleOf", [&](double x) {
             const double times = number / x;
             return std::abs(times - std::round(times)) < 1e-9 * std::max(1.0, std::abs(times));
           });
  }

  bool within(std::size_t size, std::string_view least, std::string_view most) const {
    const json::value *min = find(least), *max = find(most);
    const auto number = static_cast<double>(size);
    return (min == nullptr || number >= min->to_number<double>()) &&
           (max == nullptr || number <= max->to_number<double>());
  }

  bool strings() const {
    if (!value_.is_string()) return true;
    const json::value* pattern = find("pattern");
    if (pattern != nullptr && !matches(*pattern, value_.get_string())) return false;
    return within(characters(value_.get_string()), "minLength", "maxLength");
  }

  bool arrays() const {
    if (!value_.is_array()) return true;
    const json::value *first = find("prefixItems"), *rest = find("items");
    if (first == nullptr && rest != nullptr && rest->is_array()) {
      first = rest;
      rest = find("additionalItems");
    }
    const json::array& items = value_.get_array();
    for (std::size_t i = 0; i < items.size(); ++i) {
      const bool is_first = first != nullptr && i < first->get_array().size();
      const json::value* schema = is_first ? &first->get_array()[i] : rest;
      if (schema != nullptr && !good(*schema, items[i])) return false;
    }
    const json::value* wanted = find("contains");
    if (wanted != nullptr && !contains(items, *wanted)) return false;
    return within(items.size(), "minItems", "maxItems");
  }

  bool contains(const json::array& items, const json::value& wanted) const {
    std::size_t found = 0;
    for (const json::value& item : items) found += good(wanted, item) ? 1 : 0;
    const json::value* least = find("minContains");
    if (found == 0 && least == nullptr) return false;
    return within(found, "minContains", "maxContains");
  }

  bool member(std::string_view name, const json::value& value) const {
    bool is_named = false;
    if (const json::value* properties = find("properties")) {
      if (const json::value* own = properties->get_object().if_contains(name)) {
        is_named = true;
        if (!good(*own, value)) return false;
      }
    }
    if (const json::value* patterns = find("patternProperties")) {
      for (const auto& entry : patterns->get_object()) {
        if (!matches(json::string(entry.key()), name)) continue;
        is_named = true;
        if (!good(entry.value(), value)) return false;
      }
    }
    const json::value* others = find("additionalProperties");
    if (!is_named && others != nullptr && !good(*others, value)) return false;
    const json::value* names = find("propertyNames");
    return names == nullptr || good(*names, json::string(name));
  }

  bool objects() const {
    if (!value_.is_object()) return true;
    const json::object& object = value_.get_object();
    for (const auto& entry : object) {
      if (!member(entry.key(), entry.value())) return false;
    }
    if (const json::value* names = find("required"); names && names->is_array()) {
      for (const json::value& name : names->get_array()) {
        if (!object.contains(name.get_string())) return false;
      }
    }
    return dependencies() && within(object.size(), "minProperties", "maxProperties");
  }

  bool dependencies() const {
    for (const char* keyword : {"dependencies", "dependentRequired", "dependentSchemas"}) {
      const json::value* all = find(keyword);
      if (all == nullptr) continue;
      for (const auto& entry : all->get_object()) {
        if (!value_.get_object().contains(entry.key())) continue;
        if (!entry.value().is_array()) {
          if (!good(entry.value(), value_)) return false;
          continue;
        }
        for (const json::value& name : entry.value().get_array()) {
          if (!value_.get_object().contains(name.get_string())) return false;
        }
      }
    }
    return true;
  }

  const json::object& schema_;
  const json::value& value_;
  const json::value& root_;
};

}  // namespace

bool validates(const json::value& schema, const json::value& value, const json::value& root) {
  if (schema.is_bool()) return schema.get_bool();
  return Validator(schema.get_object(), value, root).holds();
}

std::string write_json(const json::value& value, const std::string& comma,
                       const std::string& colon) {
  std::string out;
  if (value.is_array()) {
    for (const json::value& item : value.get_array()) {
      out += (out.empty() ? "" : comma) + write_json(item, comma, colon);
    }
    return "[" + out + "]";
  }
  if (value.is_object()) {
    for (const auto& entry : value.get_object()) {
      out += (out.empty() ? "" : comma) + json::serialize(json::string(entry.key())) + colon +
             write_json(entry.value(), comma, colon);
    }
    return "{" + out + "}";
  }
  if (!value.is_double()) return json::serialize(value);
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value.get_double());
  out.assign(buffer, end.ptr);
  return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
}

}  // namespace backplane::local
