// SPDX-License-Identifier: Apache-2.0
// Value: what a chat template computes with; JSON's kinds, and "undefined" for names nobody set.
// Lists and objects are shared by all copies of the value (a template's namespace is changed in
// one place and read in another), so values are cheap to copy. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace backplane::local {

// The longest text a value is printed as; what would be longer is cut off past it.
inline constexpr std::size_t kTemplateTextBytesMax = std::size_t{16} << 20;

class Value;
using List = std::vector<Value>;

// Members in the order they came.
struct Object {
  std::vector<std::pair<std::string, Value>> members;
  bool is_namespace = false;     // its members may be set by the template
  bool has_number_keys = false;  // all are whole numbers
  const Value* find(std::string_view key) const;
  void set(std::string_view key, Value value);
};

class Value {
 public:
  struct Undefined {};
  struct None {};
  // Text that "safe" has called HTML: what is joined to it is escaped.
  struct Markup {
    std::string text;
  };
  // What "map" and its like give: a list that is no JSON.
  struct Lazy {
    std::shared_ptr<List> list;
  };

  Value() = default;
  Value(None) : data_(None{}) {}                                // NOLINT
  Value(bool value) : data_(value) {}                           // NOLINT
  Value(std::int64_t value) : data_(value) {}                   // NOLINT
  Value(double value) : data_(value) {}                         // NOLINT
  Value(std::string value) : data_(std::move(value)) {}         // NOLINT
  Value(std::string_view value) : data_(std::string(value)) {}  // NOLINT
  Value(const char* value) : data_(std::string(value)) {}       // NOLINT
  Value(Markup markup) : data_(std::move(markup)) {}            // NOLINT
  static Value lazy(List list);
  Value(List list) : data_(std::make_shared<List>(std::move(list))) {}          // NOLINT
  Value(Object object) : data_(std::make_shared<Object>(std::move(object))) {}  // NOLINT

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  // The content when it is of that kind, else nullptr.
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  const double* real() const { return std::get_if<double>(&data_); }
  const std::string* string() const {
    const auto* markup = std::get_if<Markup>(&data_);
    return markup != nullptr ? &markup->text : std::get_if<std::string>(&data_);
  }
  List* list() const {
    const auto* lazy = std::get_if<Lazy>(&data_);
    return lazy != nullptr ? lazy->list.get() : content<List>();
  }
  bool is_markup() const { return std::holds_alternative<Markup>(data_); }
  bool is_lazy() const { return std::holds_alternative<Lazy>(data_); }
  Object* object() const { return content<Object>(); }
  bool is_number() const { return integer() != nullptr || real() != nullptr; }
  // As a number: booleans count as 0 and 1.
  double number() const;

  // False for undefined, none, 0, "" and empty lists and objects.
  bool truth() const;
  // As Python prints it: "True", "None", "['a', 1]"; undefined prints as nothing.
  std::string text() const;
  // Equal content; numbers compare across kinds.
  friend bool operator==(const Value& a, const Value& b);

 private:
  template <class T>
  T* content() const {
    const auto* shared = std::get_if<std::shared_ptr<T>>(&data_);
    return shared == nullptr ? nullptr : shared->get();
  }
  std::variant<Undefined, None, bool, std::int64_t, double, std::string, Markup, Lazy,
               std::shared_ptr<List>, std::shared_ptr<Object>>
      data_;
};

// The key of an object as a template sees it.
Value key_value(const Object& object, const std::string& key);
// & < > ' " as HTML writes them.
std::string escaped_html(std::string_view text);

// JSON as Python's json.dumps writes it, with non-ASCII characters as they are. indent < 0: on
// one line, with ", " and ": ".
std::string to_json(const Value& value, int indent = -1, bool sort_keys = false);

}  // namespace backplane::local
