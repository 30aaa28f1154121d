// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <utility>

namespace backplane::config {
namespace {

namespace json = boost::json;

std::string real_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

Node to_node(const json::value& value);

Node sequence_of(const json::array& array) {
  Node node = make_sequence({});
  for (const json::value& item : array) {
    node.items.push_back(to_node(item));
  }
  return node;
}

Node mapping_of(const json::object& object) {
  Node node = make_mapping({});
  for (const auto& member : object) {
    node.entries.push_back({std::string(member.key()), {}, to_node(member.value())});
  }
  return node;
}

Node real_of(double value) {
  Node node;
  node.kind = NodeKind::kReal;
  node.real = value;
  node.text = real_text(value);
  return node;
}

Node to_node(const json::value& value) {
  Node node;
  switch (value.kind()) {
    case json::kind::null:
      return node;
    case json::kind::bool_:
      node.kind = NodeKind::kBoolean;
      node.boolean = value.get_bool();
      node.text = node.boolean ? "true" : "false";
      return node;
    case json::kind::int64:
      return make_integer(value.get_int64());
    case json::kind::uint64:
      return real_of(static_cast<double>(value.get_uint64()));
    case json::kind::double_:
      return real_of(value.get_double());
    case json::kind::string:
      return make_string(std::string(value.get_string()));
    case json::kind::array:
      return sequence_of(value.get_array());
    case json::kind::object:
      return mapping_of(value.get_object());
  }
  return node;
}

class Writer {
 public:
  explicit Writer(bool is_pretty) : is_pretty_(is_pretty) {}

  std::string text;

  void write(const Node& node) {
    switch (node.kind) {
      case NodeKind::kNull:
        text += "null";
        return;
      case NodeKind::kBoolean:
        text += node.boolean ? "true" : "false";
        return;
      case NodeKind::kInteger:
        text += std::to_string(node.integer);
        return;
      case NodeKind::kReal:
        text += real_text(node.real);
        return;
      case NodeKind::kString:
        text += json_string(node.text);
        return;
      case NodeKind::kSequence:
        write_sequence(node);
        return;
      case NodeKind::kMapping:
        write_mapping(node);
        return;
    }
  }

 private:
  void write_sequence(const Node& node) {
    open('[');
    for (const Node& item : node.items) {
      next(&item == &node.items.front());
      write(item);
    }
    close(']', node.items.empty());
  }

  void write_mapping(const Node& node) {
    std::vector<const Entry*> entries;
    for (const Entry& entry : node.entries) {
      entries.push_back(&entry);
    }
    if (!is_pretty_) {
      std::sort(entries.begin(), entries.end(),
                [](const Entry* a, const Entry* b) { return a->key < b->key; });
    }
    open('{');
    for (const Entry* entry : entries) {
      next(entry == entries.front());
      text += json_string(entry->key) + (is_pretty_ ? ": " : ":");
      write(entry->value);
    }
    close('}', entries.empty());
  }

  void open(char bracket) {
    text += bracket;
    ++depth_;
  }
  void next(bool is_first) {
    text += is_first ? "" : ",";
    new_line();
  }
  void close(char bracket, bool is_empty) {
    --depth_;
    if (!is_empty) {
      new_line();
    }
    text += bracket;
  }
  void new_line() {
    if (is_pretty_) {
      text += '\n' + std::string(depth_ * 2, ' ');
    }
  }

  bool is_pretty_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<Node> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::error_code failure;
  const json::value value = json::parse({text.data(), text.size()}, failure, {}, options);
  if (failure) {
    return invalid_argument("not JSON: " + failure.message());
  }
  return to_node(value);
}

std::string to_canonical_json(const Node& tree) {
  Writer writer(false);
  writer.write(tree);
  return std::move(writer.text);
}

std::string to_pretty_json(const Node& tree) {
  Writer writer(true);
  writer.write(tree);
  return std::move(writer.text) + "\n";
}

std::string json_string(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (byte < 0x20) {
      quoted += {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace backplane::config
