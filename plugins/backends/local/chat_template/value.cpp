// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/chat_template/value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace backplane::local {
namespace {

// A value may contain itself; nobody means to print that.
constexpr int kDepthMax = 100;

std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[32];
  const double size = std::abs(value);
  const auto format = size != 0 && (size < 1e-4 || size >= 1e16) ? std::chars_format::scientific
                                                                 : std::chars_format::fixed;
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value, format).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string quoted(std::string_view text) {
  const bool single = text.find('\'') == std::string_view::npos;
  const char quote = single || text.find('"') != std::string_view::npos ? '\'' : '"';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\\' || c == quote)
      (out += '\\') += c;
    else
      out += c;
  }
  return out + quote;
}

void append_representation(const Value& value, int depth, std::string& out) {
  if (depth > kDepthMax || out.size() > kTemplateTextBytesMax) return;
  bool first = true;
  const auto separate = [&] {
    if (!first) out += ", ";
    first = false;
  };
  if (value.string() != nullptr) {
    out += quoted(*value.string());
  } else if (const List* list = value.list()) {
    out += '[';
    for (const Value& element : *list) {
      separate();
      append_representation(element, depth + 1, out);
    }
    out += ']';
  } else if (const Object* object = value.object()) {
    out += '{';
    for (const auto& [key, member] : object->members) {
      separate();
      out += (object->has_number_keys ? key : quoted(key)) + ": ";
      append_representation(member, depth + 1, out);
    }
    out += '}';
  } else {
    out += value.text();
  }
}

void append_json_string(std::string_view text, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (byte >= 0x20)
          out += c;
        else
          ((out += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
    }
  }
  out += '"';
}

class JsonWriter {
 public:
  JsonWriter(int indent, bool sort_keys) : indent_(indent), sort_keys_(sort_keys) {}
  std::string take() { return std::move(out_); }

  void write(const Value& value, int depth) {
    if (depth > kDepthMax || out_.size() > kTemplateTextBytesMax) {
      out_ += "null";
    } else if (value.string() != nullptr) {
      append_json_string(*value.string(), out_);
    } else if (const List* list = value.list()) {
      write_list(*list, depth);
    } else if (const Object* object = value.object()) {
      write_object(*object, depth);
    } else if (value.boolean() != nullptr) {
      out_ += *value.boolean() ? "true" : "false";
    } else if (value.is_number()) {
      out_ += value.text();
    } else {
      out_ += "null";
    }
  }

 private:
  void new_line(int depth) {
    if (indent_ < 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_ * depth), ' ');
  }
  void separate(bool first, int depth) {
    if (!first) out_ += indent_ < 0 ? ", " : ",";
    new_line(depth);
  }
  void write_list(const List& list, int depth) {
    out_ += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
      separate(i == 0, depth + 1);
      write(list[i], depth + 1);
    }
    if (!list.empty()) new_line(depth);
    out_ += ']';
  }
  void write_object(const Object& object, int depth) {
    std::vector<const std::pair<std::string, Value>*> members;
    for (const auto& member : object.members) members.push_back(&member);
    if (sort_keys_) {
      std::sort(members.begin(), members.end(),
                [](const auto* a, const auto* b) { return a->first < b->first; });
    }
    out_ += '{';
    for (const auto* member : members) {
      separate(member == members.front(), depth + 1);
      append_json_string(member->first, out_);
      out_ += ": ";
      write(member->second, depth + 1);
    }
    if (!members.empty()) new_line(depth);
    out_ += '}';
  }

  std::string out_;
  int indent_;
  bool sort_keys_;
};

}  // namespace

const Value* Object::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

void Object::set(std::string_view key, Value value) {
  for (auto& [name, member] : members) {
    if (name == key) {
      member = std::move(value);
      return;
    }
  }
  members.emplace_back(key, std::move(value));
}

Value Value::lazy(List list) {
  Value value;
  value.data_ = Lazy{std::make_shared<List>(std::move(list))};
  return value;
}

Value key_value(const Object& object, const std::string& key) {
  std::int64_t number = 0;
  if (object.has_number_keys) {
    std::from_chars(key.data(), key.data() + key.size(), number);
    return number;
  }
  return key;
}

std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

double Value::number() const {
  if (real() != nullptr) return *real();
  if (integer() != nullptr) return static_cast<double>(*integer());
  return boolean() != nullptr && *boolean() ? 1 : 0;
}

bool Value::truth() const {
  if (string() != nullptr) return !string()->empty();
  if (list() != nullptr) return !list()->empty();
  if (object() != nullptr) return object()->is_namespace || !object()->members.empty();
  return number() != 0;
}

std::string Value::text() const {
  if (is_undefined()) return {};
  if (is_none()) return "None";
  if (boolean() != nullptr) return *boolean() ? "True" : "False";
  if (integer() != nullptr) return std::to_string(*integer());
  if (real() != nullptr) return real_text(*real());
  if (string() != nullptr) return *string();
  std::string out;
  append_representation(*this, 0, out);
  return out;
}

bool operator==(const Value& a, const Value& b) {
  const bool numbers = (a.is_number() || a.boolean()) && (b.is_number() || b.boolean());
  if (numbers) return a.number() == b.number();
  if (a.string() != nullptr && b.string() != nullptr) return *a.string() == *b.string();
  if (a.list() != nullptr && b.list() != nullptr) {
    return a.list() == b.list() || *a.list() == *b.list();
  }
  if (a.data_.index() != b.data_.index()) return false;
  if (a.object() == nullptr || a.object() == b.object()) return true;
  const auto& members = a.object()->members;
  return members.size() == b.object()->members.size() &&
         std::all_of(members.begin(), members.end(), [&](const auto& member) {
           const Value* other = b.object()->find(member.first);
           return other != nullptr && member.second == *other;
         });
}

std::string to_json(const Value& value, int indent, bool sort_keys) {
  JsonWriter writer(indent, sort_keys);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace backplane::local
