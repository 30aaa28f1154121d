// SPDX-License-Identifier: Apache-2.0
// The tree a configuration file becomes: scalars, sequences and mappings, each with the place it
// stands at and the origin of its value. Plain data; whoever holds a Node owns all below it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::config {

// Where something stands. Lines and columns count from 1, columns in characters; line 0 means the
// file as a whole.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
};

enum class NodeKind : std::uint8_t {
  kNull,
  kBoolean,
  kInteger,
  kReal,
  kString,
  kSequence,
  kMapping,
};

// Who gave a value: the file's text, a schema's default, an environment variable, a file's content.
enum class Origin : std::uint8_t { kFile, kDefault, kEnvironment, kContent };

struct Entry;

struct Node {
  NodeKind kind = NodeKind::kNull;
  Origin origin = Origin::kFile;
  bool secret = false;  // `text` is the name of a secret, never its value
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;            // a scalar as written; a string's value
  std::string reference;       // the variable (kEnvironment) or the file (kContent)
  std::vector<Node> items;     // kSequence
  std::vector<Entry> entries;  // kMapping, in the order written
  Position position;

  bool is_mapping() const { return kind == NodeKind::kMapping; }
  bool is_sequence() const { return kind == NodeKind::kSequence; }
  bool is_scalar() const { return !is_mapping() && !is_sequence(); }

  // The value under `key`, or null when this is no mapping or has no such key.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
};

struct Entry {
  std::string key;
  Position position;  // of the key
  Node value;
};

Node make_string(std::string text);
Node make_integer(std::int64_t value);
Node make_mapping(std::vector<Entry> entries);
Node make_sequence(std::vector<Node> items);

// Gives every node of `tree` the same place and origin.
void place(Node& tree, const Position& position, Origin origin);

// How many nodes `tree` has, itself included; how many levels (1 for a scalar).
std::size_t count_nodes(const Node& tree);
std::size_t count_levels(const Node& tree);

// Same kind and value, whatever the place.
bool same_value(const Node& a, const Node& b);

// `models.fast.routes[1].backend`: one step down from `path`. A key that is not made of letters,
// digits, '-' and '_' is written `["a.b"]`.
std::string path_of_key(const std::string& path, std::string_view key);
std::string path_of_item(const std::string& path, std::size_t index);

}  // namespace backplane::config
