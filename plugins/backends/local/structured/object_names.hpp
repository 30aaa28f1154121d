// SPDX-License-Identifier: Apache-2.0
// The names that an object may have, and what the values under them must satisfy.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/backends/local/structured/grammar_nodes.hpp"
#include "plugins/backends/local/structured/schema_scalars.hpp"

namespace backplane::local {

class ObjectNames {
 public:
  ObjectNames(const SchemaDocument& document, SchemaScalars& scalars)
      : document_(document), scalars_(scalars) {}

  Status add(const Assertion& assertion);
  // Only these names.
  void restrict(DfaPointer names) { allowed_.push_back(std::move(names)); }
  // All of the node but its values, whose terms come in their order from value_terms().
  Status write(ObjectNode& node);
  const std::vector<SchemaTerms>& value_terms() const { return terms_; }

 private:
  // One schema's "properties", "patternProperties" and "additionalProperties".
  struct Group {
    const boost::json::object* owner = nullptr;
    std::map<std::string_view, const boost::json::value*> properties = {};
    std::vector<std::pair<std::size_t, const boost::json::value*>> patterns = {};  // by their dfa
    const boost::json::value* others = nullptr;
  };
  Status add_group(const boost::json::object& owner);
  Status add_properties(const boost::json::object& owner, Group& group);
  Status add_patterns(const boost::json::object& owner, Group& group);
  void declare(std::string_view name);
  SchemaTerms terms_of(std::optional<std::string_view> name,
                       const std::vector<bool>& matched) const;
  bool is_closed() const;
  Status write_dfa(ObjectNode& node);
  std::uint32_t label_of(const Dfa& declared, std::span<const DfaState> states);

  const SchemaDocument& document_;
  SchemaScalars& scalars_;
  const boost::json::object* origin_ = nullptr;
  std::vector<std::string> declared_;
  std::map<std::string, std::uint32_t, std::less<>> places_;
  std::vector<std::string_view> required_;
  std::vector<std::pair<std::string_view, SchemaTerm>> members_;
  std::vector<Group> groups_;
  std::vector<DfaPointer> patterns_, allowed_;
  std::vector<SchemaTerms> terms_;
  std::map<std::vector<bool>, std::uint32_t> open_labels_;
};

}  // namespace backplane::local
