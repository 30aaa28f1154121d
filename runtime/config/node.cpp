// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/node.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace backplane::config {

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) {
      return &entry.value;
    }
  }
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(std::as_const(*this).find(key));
}

Node make_string(std::string text) {
  Node node;
  node.kind = NodeKind::kString;
  node.text = std::move(text);
  return node;
}

Node make_integer(std::int64_t value) {
  Node node;
  node.kind = NodeKind::kInteger;
  node.integer = value;
  node.text = std::to_string(value);
  return node;
}

Node make_mapping(std::vector<Entry> entries) {
  Node node;
  node.kind = NodeKind::kMapping;
  node.entries = std::move(entries);
  return node;
}

Node make_sequence(std::vector<Node> items) {
  Node node;
  node.kind = NodeKind::kSequence;
  node.items = std::move(items);
  return node;
}

void place(Node& tree, const Position& position, Origin origin) {
  tree.position = position;
  tree.origin = origin;
  for (Node& item : tree.items) {
    place(item, position, origin);
  }
  for (Entry& entry : tree.entries) {
    entry.position = position;
    place(entry.value, position, origin);
  }
}

std::size_t count_nodes(const Node& tree) {
  std::size_t count = 1;
  for (const Node& item : tree.items) {
    count += count_nodes(item);
  }
  for (const Entry& entry : tree.entries) {
    count += count_nodes(entry.value);
  }
  return count;
}

std::size_t count_levels(const Node& tree) {
  std::size_t below = 0;
  for (const Node& item : tree.items) {
    below = std::max(below, count_levels(item));
  }
  for (const Entry& entry : tree.entries) {
    below = std::max(below, count_levels(entry.value));
  }
  return below + 1;
}

namespace {

bool same_entries(const Node& a, const Node& b) {
  return a.entries.size() == b.entries.size() &&
         std::all_of(a.entries.begin(), a.entries.end(), [&](const Entry& entry) {
           const Node* other = b.find(entry.key);
           return other && same_value(entry.value, *other);
         });
}

bool is_plain_word(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_';
  });
}

}  // namespace

bool same_value(const Node& a, const Node& b) {
  if (a.kind != b.kind) {
    return false;
  }
  switch (a.kind) {
    case NodeKind::kNull:
      return true;
    case NodeKind::kBoolean:
      return a.boolean == b.boolean;
    case NodeKind::kInteger:
      return a.integer == b.integer;
    case NodeKind::kReal:
      return a.text == b.text || a.real == b.real;
    case NodeKind::kString:
      return a.text == b.text;
    case NodeKind::kSequence:
      return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same_value);
    case NodeKind::kMapping:
      return same_entries(a, b);
  }
  return false;
}

std::string path_of_key(const std::string& path, std::string_view key) {
  if (!is_plain_word(key)) {
    return path + "[\"" + std::string(key) + "\"]";
  }
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

std::string path_of_item(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

}  // namespace backplane::config
