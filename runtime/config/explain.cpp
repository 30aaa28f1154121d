// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/explain.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "runtime/config/json.hpp"
#include "runtime/config/scalar.hpp"

namespace backplane::config {
namespace {

bool is_safe_plain(const std::string& text) {
  const auto is_safe = [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '/' || c == '-';
  };
  if (text.empty() || text.front() == '-' || !std::all_of(text.begin(), text.end(), is_safe)) {
    return false;
  }
  const Result<Node> plain = resolve_scalar(text);
  return plain && plain->kind == NodeKind::kString;
}

std::string plain_or_quoted(const std::string& text) {
  return is_safe_plain(text) ? text : json_string(text);
}

bool is_unread(const Node& node) {
  return node.kind == NodeKind::kNull && !node.reference.empty();
}

std::string value_text(const Node& node) {
  if (node.secret) {
    return json_string(kMask);
  }
  switch (node.kind) {
    case NodeKind::kString:
      return plain_or_quoted(masked_url(node.text));
    case NodeKind::kMapping:
      return "{}";
    case NodeKind::kSequence:
      return "[]";
    default:
      return to_canonical_json(node);
  }
}

std::string source_text(const Node& node) {
  const std::string unread = is_unread(node) ? " (not read)" : "";
  switch (node.origin) {
    case Origin::kFile:
      return format(node.position);
    case Origin::kDefault:
      return "default";
    case Origin::kEnvironment:
      return "environment " + node.reference + unread + ", " + format(node.position);
    case Origin::kContent:
      return "file " + node.reference + unread + ", " + format(node.position);
  }
  return "";
}

class Writer {
 public:
  std::string text;

  void mapping(const Node& node, std::size_t depth, bool is_in_list) {
    for (const Entry& entry : node.entries) {
      const bool is_first = &entry == &node.entries.front();
      text += is_in_list && is_first ? "" : std::string(depth * 2, ' ');
      text += plain_or_quoted(entry.key) + ":";
      value(entry.value, depth + 1);
    }
  }

 private:
  void sequence(const Node& node, std::size_t depth) {
    for (const Node& item : node.items) {
      text += std::string(depth * 2, ' ') + "-";
      if (item.is_mapping() && !item.entries.empty()) {
        text += " ";
        mapping(item, depth + 1, true);
      } else {
        value(item, depth + 1);
      }
    }
  }

  void value(const Node& node, std::size_t depth) {
    if (!node.entries.empty()) {
      text += "\n";
      mapping(node, depth, false);
    } else if (!node.items.empty()) {
      text += "\n";
      sequence(node, depth);
    } else {
      text += " " + value_text(node) + "  # " + source_text(node) + "\n";
    }
  }
};

}  // namespace

std::string explain(const Deployment& deployment) {
  Writer writer;
  writer.mapping(deployment.tree, 0, false);
  return std::move(writer.text);
}

}  // namespace backplane::config
