// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/validate.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/config/expectation.hpp"
#include "runtime/config/suggestion.hpp"
#include "runtime/config/validate_scalar.hpp"

namespace backplane::config {
namespace {

class Validator {
 public:
  explicit Validator(Validation& context) : context_(context) {}

  void value(Node& node, const Schema& schema, const std::string& path) {
    if (is_reference(node) && schema.takes_only_scalars()) {
      validate_reference(node, scalar_schema(schema), path, context_);
      return;
    }
    const Schema* branch = nullptr;
    if (!schema.alternatives.empty() && !choose(node, schema, path, branch)) {
      return;
    }
    if (branch && !node.is_mapping()) {
      value(node, *branch, path);
      return;
    }
    if (!schema.types.allows(node.kind)) {
      report_mismatch(node, schema, path, context_);
    } else if (node.is_mapping()) {
      mapping(node, schema, branch, path);
    } else if (node.is_sequence()) {
      sequence(node, schema, path);
    } else {
      validate_scalar(node, schema, path, context_);
    }
  }

 private:
  // A reference gets its type from the value; of several branches the first that is a string.
  static const Schema& scalar_schema(const Schema& schema) {
    for (const Schema& branch : schema.alternatives) {
      if (branch.types.allows(NodeKind::kString)) {
        return scalar_schema(branch);
      }
    }
    return schema;
  }

  bool choose(const Node& node, const Schema& schema, const std::string& path,
              const Schema*& branch) {
    std::vector<const Schema*> fitting;
    for (const Schema& candidate : schema.alternatives) {
      if (candidate.types.allows(node.kind)) {
        fitting.push_back(&candidate);
      }
    }
    if (fitting.size() == 1 && (!node.is_mapping() || schema.discriminator.empty())) {
      branch = fitting.front();
      return true;
    }
    if (fitting.empty() || !node.is_mapping()) {
      report_mismatch(node, schema, path, context_);
      return false;
    }
    return discriminate(node, schema, path, branch);
  }

  bool discriminate(const Node& node, const Schema& schema, const std::string& path,
                    const Schema*& branch) {
    const std::string& key = schema.discriminator;
    const Node* given = node.find(key);
    if (!given) {
      const Schema* own = schema.find_property(key);
      given = own && own->fallback ? &*own->fallback : nullptr;
    }
    std::vector<std::string> values;
    for (const Schema& candidate : schema.alternatives) {
      const Node& constant = candidate.find_property(key)->choices.front();
      if (given && same_value(*given, constant)) {
        branch = &candidate;
        return true;
      }
      values.push_back(constant.text);
    }
    if (!given) {
      report(node.position, path,
             "missing key " + quote(key) + "; expected one of " + list_names(values));
    } else {
      report(given->position, path_of_key(path, key),
             "expected one of " + list_names(values) + ", found " + found(*given, false) +
                 did_you_mean(given->text, values));
    }
    return false;
  }

  void mapping(Node& node, const Schema& schema, const Schema* branch, const std::string& path) {
    for (Entry& entry : node.entries) {
      if (context_.diagnostics.full()) {
        return;
      }
      this->entry(entry, schema, branch, path);
    }
    require(node, schema, path);
    fill_in(node, schema, path);
    if (branch) {
      require(node, *branch, path);
      fill_in(node, *branch, path);
    }
  }

  void entry(Entry& entry, const Schema& schema, const Schema* branch, const std::string& path) {
    const std::string below = path_of_key(path, entry.key);
    const Schema* property = branch ? branch->find_property(entry.key) : nullptr;
    property = property ? property : schema.find_property(entry.key);
    if (property) {
      value(entry.value, *property, below);
      return;
    }
    if (schema.names) {
      check_name(entry, *schema.names, below);
    }
    if (schema.additional || (branch && branch->additional)) {
      value(entry.value, schema.additional ? *schema.additional : *branch->additional, below);
    } else if (schema.is_closed || (branch && branch->is_closed)) {
      const std::vector<std::string> known = known_keys(schema, branch);
      const std::string hint = did_you_mean(entry.key, known);
      report(entry.position, path,
             "unknown key " + quote(entry.key) +
                 (hint.empty() ? "; known are " + list_names(known) : hint));
    }
  }

  void check_name(const Entry& entry, const Schema& names, const std::string& path) {
    Node name = make_string(entry.key);
    name.position = entry.position;
    if (!fits(name, names)) {
      report(entry.position, path,
             "expected as name a " + expected(names) + ", found " + quote(entry.key));
    }
  }

  static std::vector<std::string> known_keys(const Schema& schema, const Schema* branch) {
    std::vector<std::string> keys;
    for (const Schema* part : {&schema, branch}) {
      for (std::size_t i = 0; part && i < part->properties.size(); ++i) {
        keys.push_back(part->properties[i].key);
      }
    }
    return keys;
  }

  void require(const Node& node, const Schema& schema, const std::string& path) {
    for (const std::string& key : schema.required) {
      if (node.find(key)) {
        continue;
      }
      const Schema* property = schema.find_property(key);
      if (property && property->fallback) {
        continue;
      }
      report(node.position, path,
             "missing key " + quote(key) + (property ? "; expected " + expected(*property) : ""));
    }
  }

  void fill_in(Node& node, const Schema& schema, const std::string& path) {
    for (const Property& property : schema.properties) {
      if (!property.schema.fallback || node.find(property.key)) {
        continue;
      }
      Node fallback = *property.schema.fallback;
      place(fallback, node.position, Origin::kDefault);
      node.entries.push_back({property.key, node.position, std::move(fallback)});
      value(node.entries.back().value, property.schema, path_of_key(path, property.key));
    }
  }

  void sequence(Node& node, const Schema& schema, const std::string& path) {
    if (!fits(node, schema)) {
      report_mismatch(node, schema, path, context_);
    }
    for (std::size_t i = 0; schema.items && i < node.items.size(); ++i) {
      if (context_.diagnostics.full()) {
        return;
      }
      value(node.items[i], *schema.items, path_of_item(path, i));
    }
  }

  void report(const Position& position, const std::string& path, std::string message) {
    context_.diagnostics.error(position, path, std::move(message));
  }

  Validation& context_;
};

}  // namespace

void validate(Node& node, const Schema& schema, const std::string& path, Validation& context) {
  Validator(context).value(node, schema, path);
}

}  // namespace backplane::config
