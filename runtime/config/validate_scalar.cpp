// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/validate_scalar.hpp"

#include <algorithm>
#include <utility>

#include "runtime/config/expectation.hpp"
#include "runtime/config/scalar.hpp"
#include "runtime/config/text_file.hpp"

namespace backplane::config {
namespace {

template <class Value, class Bound>
bool is_within(Value value, const std::optional<Bound>& low, const std::optional<Bound>& high) {
  return (!low || value >= *low) && (!high || value <= *high);
}

std::size_t count_characters(const std::string& text) {
  const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_start));
}

// Of two letters at least, like hf:ORG/REPO: a name in some other place than the file system.
bool has_scheme(std::string_view text) {
  const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.");
  return end != std::string_view::npos && end >= 2 && text[end] == ':' && text[0] >= 'a';
}

bool is_chosen(const Node& node, const Schema& schema) {
  return schema.choices.empty() ||
         std::any_of(schema.choices.begin(), schema.choices.end(),
                     [&](const Node& choice) { return same_value(choice, node); });
}

void keep_secret(Node& node, const std::string& path, Validation& context) {
  if (node.origin == Origin::kFile) {
    context.diagnostics.warning(
        node.position, path,
        "the secret is written in the file; write {env: NAME} or {file: PATH} instead");
  }
  std::string name = "secret:" + path;
  context.secrets.put(name, node.text);
  wipe(node.text);
  node.text = std::move(name);
  node.secret = true;
}

// Text from outside as the type wanted: a string as it stands, anything else as YAML reads it.
Node typed(std::string text, const Schema& schema) {
  const Types& types = schema.types;
  const bool wants_other =
      !types.is_empty() && (!types.names(NodeKind::kString) || types.names(NodeKind::kInteger) ||
                            types.names(NodeKind::kBoolean));
  if (wants_other) {
    Result<Node> plain = resolve_scalar(text);
    if (plain && plain->kind != NodeKind::kNull && types.allows(plain->kind)) {
      return std::move(*plain);
    }
  }
  return make_string(std::move(text));
}

void leave_unread(Node& node, const Schema& schema, const std::string& path) {
  if (schema.is_secret) {
    node.kind = NodeKind::kString;
    node.text = "secret:" + path;
    node.secret = true;
  }
}

}  // namespace

bool fits(const Node& node, const Schema& schema) {
  if (!is_chosen(node, schema)) {
    return false;
  }
  switch (node.kind) {
    case NodeKind::kInteger:
      return is_within(static_cast<double>(node.integer), schema.minimum, schema.maximum);
    case NodeKind::kReal:
      return is_within(node.real, schema.minimum, schema.maximum);
    case NodeKind::kString:
      return is_within(count_characters(node.text), schema.min_length, schema.max_length) &&
             (!schema.pattern || schema.pattern->matches(node.text));
    case NodeKind::kSequence:
      return is_within(node.items.size(), schema.min_items, schema.max_items);
    default:
      return true;
  }
}

void report_mismatch(const Node& node, const Schema& schema, const std::string& path,
                     Validation& context) {
  std::string message = "expected " + expected(schema) + ", found " + found(node, schema.is_secret);
  if (!schema.is_secret || node.kind != NodeKind::kString) {
    message += remedy(node, schema);
  }
  if (!context.schema_name.empty()) {
    message += " (schema: " + context.schema_name + " " + schema.pointer + ")";
  }
  context.diagnostics.error(node.position, path, std::move(message));
}

void validate_scalar(Node& node, const Schema& schema, const std::string& path,
                     Validation& context) {
  if (!schema.types.allows(node.kind) || !fits(node, schema)) {
    report_mismatch(node, schema, path, context);
    return;
  }
  if (schema.is_path && node.kind == NodeKind::kString && !node.text.empty() &&
      !has_scheme(node.text)) {
    node.text = resolve_beside(node.position.file, node.text);
  }
  const bool is_absent = node.origin == Origin::kDefault && node.text.empty();
  if (schema.is_secret && node.kind == NodeKind::kString && !is_absent) {
    keep_secret(node, path, context);
  }
}

void validate_reference(Node& node, const Schema& schema, const std::string& path,
                        Validation& context) {
  const Position position = node.position;
  const Result<Referenced> target = parse_reference(node);
  if (!target) {
    context.diagnostics.error(position, path, target.error().message);
    return;
  }
  node = Node{};
  node.position = position;
  node.origin = target->origin;
  node.reference = target->name;
  if (context.no_env) {
    leave_unread(node, schema, path);
    return;
  }
  Result<std::string> text = read_reference(*target, context.environment);
  if (text && text->empty() && schema.is_secret) {
    text = invalid_argument(
        (target->origin == Origin::kEnvironment ? "environment variable " : "file ") +
        target->name + " is empty");
  }
  if (text && find_non_text(*text) != std::string_view::npos) {
    text = invalid_argument("expected UTF-8 text, found other bytes in " + target->name);
  }
  if (!text) {
    context.diagnostics.error(position, path, text.error().message);
    return;
  }
  Node value = typed(std::move(*text), schema);
  value.position = position;
  value.origin = target->origin;
  value.reference = target->name;
  node = std::move(value);
  validate_scalar(node, schema, path, context);
}

}  // namespace backplane::config
