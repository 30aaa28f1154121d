// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/object_names.hpp"

#include <algorithm>

#include "plugins/backends/local/structured/schema_reader.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;
using Kind = Assertion::Kind;

DfaState run(const Dfa& dfa, std::string_view text) {
  DfaState state = dfa.start();
  for (const char character : text) state = dfa.next(state, static_cast<std::uint8_t>(character));
  return state;
}

bool is_false(const SchemaTerm& term) {
  return term.schema->is_bool() && term.schema->get_bool() == term.negated;
}

}  // namespace

Status ObjectNames::add(const Assertion& assertion) {
  origin_ = assertion.owner;
  switch (assertion.kind) {
    case Kind::kProperties:
      return add_group(*assertion.owner);
    case Kind::kRequired:
      declare(assertion.name);
      required_.push_back(assertion.name);
      return ok();
    case Kind::kMember:
      declare(assertion.name);
      members_.emplace_back(assertion.name, assertion.term);
      return ok();
    default:
      return ok();
  }
}

void ObjectNames::declare(std::string_view name) {
  const auto place = static_cast<std::uint32_t>(declared_.size());
  if (places_.try_emplace(std::string(name), place).second) declared_.emplace_back(name);
}

Status ObjectNames::add_group(const json::object& owner) {
  Group group{&owner};
  if (auto done = add_properties(owner, group); !done) return done;
  if (auto done = add_patterns(owner, group); !done) return done;
  group.others = owner.if_contains("additionalProperties");
  if (group.others != nullptr && !is_schema(*group.others)) {
    return document_.fault(owner, "additionalProperties", "must be a schema");
  }
  groups_.push_back(std::move(group));
  return ok();
}

Status ObjectNames::add_properties(const json::object& owner, Group& group) {
  const json::value* properties = owner.if_contains("properties");
  if (properties == nullptr) return ok();
  if (!properties->is_object()) return document_.fault(owner, "properties", "must be an object");
  for (const auto& member : properties->get_object()) {
    if (!is_schema(member.value())) {
      return document_.fault(owner, "properties", "must hold schemas");
    }
    declare(member.key());
    group.properties.emplace(member.key(), &member.value());
  }
  return ok();
}

Status ObjectNames::add_patterns(const json::object& owner, Group& group) {
  const json::value* patterns = owner.if_contains("patternProperties");
  if (patterns == nullptr) return ok();
  if (!patterns->is_object()) {
    return document_.fault(owner, "patternProperties", "must be an object");
  }
  for (const auto& member : patterns->get_object()) {
    if (!is_schema(member.value())) {
      return document_.fault(owner, "patternProperties", "must hold schemas");
    }
    auto dfa = scalars_.pattern(member.key(), owner, "patternProperties");
    if (!dfa) return dfa.error();
    const auto place = std::find(patterns_.begin(), patterns_.end(), *dfa) - patterns_.begin();
    if (static_cast<std::size_t>(place) == patterns_.size()) patterns_.push_back(*dfa);
    group.patterns.emplace_back(place, &member.value());
  }
  return ok();
}

SchemaTerms ObjectNames::terms_of(std::optional<std::string_view> name,
                                  const std::vector<bool>& matched) const {
  SchemaTerms terms;
  for (const Group& group : groups_) {
    bool is_named = false;
    const auto property = name ? group.properties.find(*name) : group.properties.end();
    if (property != group.properties.end()) {
      terms.push_back({property->second, false});
      is_named = true;
    }
    for (const auto& [place, schema] : group.patterns) {
      if (!matched[place]) continue;
      terms.push_back({schema, false});
      is_named = true;
    }
    if (!is_named && group.others != nullptr) terms.push_back({group.others, false});
  }
  for (const auto& [member, term] : members_) {
    if (name && member == *name) terms.push_back(term);
  }
  return terms;
}

// No name but the declared ones.
bool ObjectNames::is_closed() const {
  if (!allowed_.empty()) return false;
  return std::any_of(groups_.begin(), groups_.end(), [](const Group& group) {
    return group.patterns.empty() && group.others != nullptr && is_false({group.others, false});
  });
}

Status ObjectNames::write(ObjectNode& node) {
  if (declared_.size() > kPropertiesMax) {
    return document_.fault(*origin_, "properties",
                           "names more than " + std::to_string(kPropertiesMax) + " properties");
  }
  node.declared = static_cast<std::uint32_t>(declared_.size());
  for (const std::string& name : declared_) {
    std::vector<bool> matched(patterns_.size());
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      matched[i] = patterns_[i]->accepts(run(*patterns_[i], name));
    }
    static const json::value never(false);
    const bool allowed = std::all_of(allowed_.begin(), allowed_.end(), [&](const DfaPointer& dfa) {
      return dfa->accepts(run(*dfa, name));
    });
    terms_.push_back(allowed ? terms_of(name, matched) : SchemaTerms{{&never, false}});
  }
  node.required.assign(node.words(), 0);
  for (const std::string_view name : required_) {
    const std::uint32_t place = places_.find(name)->second;
    node.required[place / 64] |= std::uint64_t{1} << (place % 64);
  }
  for (const std::uint64_t word : node.required) {
    node.required_count += static_cast<std::uint32_t>(__builtin_popcountll(word));
  }
  return write_dfa(node);
}

std::uint32_t ObjectNames::label_of(const Dfa& declared, std::span<const DfaState> states) {
  if (!every_text()->accepts(states[0])) return Dfa::kNoLabel;
  const auto own = states.subspan(2);
  for (std::size_t i = 0; i < allowed_.size(); ++i) {
    if (!allowed_[i]->accepts(own[patterns_.size() + i])) return Dfa::kNoLabel;
  }
  if (declared.accepts(states[1])) return declared.label(states[1]);
  std::vector<bool> matched(patterns_.size());
  for (std::size_t i = 0; i < patterns_.size(); ++i) matched[i] = patterns_[i]->accepts(own[i]);
  const auto fresh = static_cast<std::uint32_t>(terms_.size());
  const auto [entry, is_new] = open_labels_.try_emplace(matched, fresh);
  if (!is_new) return entry->second;
  SchemaTerms terms = terms_of(std::nullopt, matched);
  if (std::any_of(terms.begin(), terms.end(), is_false)) {
    entry->second = Dfa::kNoLabel;
  } else {
    terms_.push_back(std::move(terms));
  }
  return entry->second;
}

Status ObjectNames::write_dfa(ObjectNode& node) {
  auto declared = dfa_of_strings(declared_);
  if (!declared) return document_.fault(*origin_, "properties", declared.error().message);
  if (is_closed() || (declared_.empty() && patterns_.empty() && allowed_.empty())) {
    node.names = *declared;
    if (is_closed()) return ok();
    node.names = every_text();
    terms_.push_back(terms_of(std::nullopt, {}));
    return ok();
  }
  std::vector<DfaPointer> parts{every_text(), *declared};
  parts.insert(parts.end(), patterns_.begin(), patterns_.end());
  parts.insert(parts.end(), allowed_.begin(), allowed_.end());
  auto names = combine(
      parts, 0, [&](std::span<const DfaState> states) { return label_of(**declared, states); });
  if (origin_ != nullptr) names = scalars_.admit(std::move(names), *origin_, "properties");
  if (!names) return names.error();
  node.names = std::move(*names);
  return ok();
}

}  // namespace backplane::local
