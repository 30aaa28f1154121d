// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "plugins/backends/local/structured/object_names.hpp"
#include "plugins/backends/local/structured/regex.hpp"
#include "plugins/backends/local/structured/schema_reader.hpp"
#include "plugins/backends/local/structured/schema_scalars.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;
using Kind = Assertion::Kind;

constexpr std::size_t kFirstItemsMax = 1'024;

// What tells assertions apart, so that the same ones make the same node.
using AssertionKey = std::tuple<Kind, bool, const void*, const void*, std::string_view, SchemaTerm>;

AssertionKey key_of(const Assertion& assertion) {
  const void* owner = assertion.argument == nullptr ? assertion.owner : nullptr;
  if (assertion.kind == Kind::kRequired || assertion.kind == Kind::kMember) owner = nullptr;
  return {assertion.kind, assertion.negated, assertion.argument,
          owner,          assertion.name,    assertion.term};
}

// The types whose values an assertion speaks about.
unsigned subject_of(const Assertion& assertion) {
  switch (assertion.kind) {
    case Kind::kScalar:
      return is_string_keyword(assertion.keyword) ? kStringType : kNumberType;
    case Kind::kValues:
      return kEveryType & ~(kArrayType | kObjectType);
    case Kind::kItems:
      return kArrayType;
    case Kind::kCount:
      return assertion.keyword.ends_with("Items") ? kArrayType : kObjectType;
    default:
      return kObjectType;
  }
}

class Compiler {
 public:
  explicit Compiler(SchemaDocument& document) : document_(document), scalars_(document) {}

  Result<GrammarPointer> compile(bool object_only, const std::string& place) {
    SchemaTerms terms{{&document_.root(), false}};
    static const json::value object{{"type", "object"}};
    if (object_only) terms.push_back({&object, false});
    const NodeId root = node_of(std::move(terms));
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const auto [id, waiting] = waiting_[i];
      if (auto done = fill(id, *waiting); !done) return done.error();
      if (nodes_.size() > kSchemaPlacesMax) {
        return invalid_argument(place + ": describes more than " +
                                std::to_string(kSchemaPlacesMax) + " kinds of value");
      }
    }
    if (!finish_nodes(nodes_, root)) {
      return invalid_argument(place + ": cannot be satisfied: no JSON value fits it");
    }
    return GrammarPointer(std::make_shared<Grammar>(std::move(nodes_), root));
  }

 private:
  NodeId add(Node node) {
    nodes_.push_back(std::move(node));
    return static_cast<NodeId>(nodes_.size() - 1);
  }

  // The value that satisfies all terms; filled later, so that schemas may lead back to themselves.
  NodeId node_of(SchemaTerms terms) {
    std::sort(terms.begin(), terms.end());
    terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
    const auto [entry, is_new] = by_terms_.try_emplace(std::move(terms), kNoNode);
    if (is_new) {
      entry->second = add(ValueNode{});
      waiting_.emplace_back(entry->second, &entry->first);
    }
    return entry->second;
  }

  Status fill(NodeId id, const SchemaTerms& terms) {
    auto branches = expand_schema(document_, terms, steps_);
    if (!branches) return branches.error();
    std::vector<NodeId> options;
    for (const SchemaBranch& branch : *branches) {
      for (unsigned type = kNullType; type <= kObjectType; type <<= 1) {
        if (type == kFractionType && (branch.types & kIntegerType) != 0) continue;
        if ((branch.types & type) == 0) continue;
        const unsigned types = type == kIntegerType ? branch.types & kNumberType : type;
        auto option = option_of(types, branch);
        if (!option) return option.error();
        if (std::find(options.begin(), options.end(), *option) == options.end()) {
          options.push_back(*option);
        }
      }
    }
    std::get<ValueNode>(nodes_[id]).options = std::move(options);
    return ok();
  }

  Result<NodeId> option_of(unsigned types, const SchemaBranch& branch) {
    std::vector<Assertion> about;
    std::vector<AssertionKey> keys;
    for (const Assertion& assertion : branch.assertions) {
      if ((subject_of(assertion) & types) == 0) continue;
      const AssertionKey key = key_of(assertion);
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      about.push_back(assertion);
      keys.push_back(key);
    }
    std::sort(keys.begin(), keys.end());
    const auto found = by_assertions_.find({types, keys});
    if (found != by_assertions_.end()) return found->second;
    auto node = write(types, about);
    if (!node) return node.error();
    const NodeId id = add(std::move(*node));
    by_assertions_.emplace(std::pair(types, std::move(keys)), id);
    return id;
  }

  Result<Node> write(unsigned types, const std::vector<Assertion>& assertions) {
    if (types == kNullType) return words({"null"}, {nullptr}, assertions);
    if (types == kBooleanType) return words({"false", "true"}, {false, true}, assertions);
    if (types == kArrayType) return array(assertions);
    if (types == kObjectType) return object(assertions);
    if (types == kStringType) {
      auto node = scalars_.strings(assertions);
      if (!node) return node.error();
      return Node(std::move(*node));
    }
    auto dfa = scalars_.numbers(assertions, types);
    if (!dfa) return dfa.error();
    return Node(TextNode{std::move(*dfa)});
  }

  static bool allows(const Assertion& assertion, const json::value& value) {
    if (assertion.keyword == "const") return (*assertion.argument == value) != assertion.negated;
    const json::array& list = assertion.argument->get_array();
    return (std::find(list.begin(), list.end(), value) != list.end()) != assertion.negated;
  }

  static Result<Node> words(const std::vector<std::string>& spellings,
                            const std::vector<json::value>& values,
                            const std::vector<Assertion>& assertions) {
    std::vector<std::string> left;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool all = std::all_of(assertions.begin(), assertions.end(),
                                   [&](const auto& one) { return allows(one, values[i]); });
      if (all) left.push_back(spellings[i]);
    }
    auto dfa = dfa_of_strings(left);
    if (!dfa) return dfa.error();
    return Node(TextNode{std::move(*dfa)});
  }

  template <class Counted>
  Status count(const Assertion& assertion, Counted& node) const {
    auto number = count_of(document_, assertion);
    if (!number) return number.error();
    const bool is_min = assertion.keyword.starts_with("min");
    if (is_min != assertion.negated) {
      node.min = std::max(node.min, *number + (assertion.negated ? 1u : 0u));
    } else if (!assertion.negated) {
      node.max = std::min(node.max, *number);
    } else if (*number == 0) {
      node.min = 1, node.max = 0;  // fewer than none
    } else {
      node.max = std::min(node.max, *number - 1);
    }
    return ok();
  }

  Result<Node> array(const std::vector<Assertion>& assertions) {
    ArrayNode node;
    std::vector<ItemSchemas> all;
    std::size_t first = 0;
    for (const Assertion& assertion : assertions) {
      if (assertion.kind == Kind::kCount) {
        if (auto done = count(assertion, node); !done) return done.error();
        continue;
      }
      auto items = read_items(*assertion.owner);
      if (!items) return items.error();
      first = std::max(first, items->first.size());
      all.push_back(std::move(*items));
    }
    for (std::size_t i = 0; i < first; ++i) node.first.push_back(node_of(item_terms(all, i)));
    node.rest = node_of(item_terms(all, first));
    return Node(std::move(node));
  }

  struct ItemSchemas {
    std::vector<const json::value*> first;
    const json::value* rest = nullptr;
  };

  static SchemaTerms item_terms(const std::vector<ItemSchemas>& all, std::size_t index) {
    SchemaTerms terms;
    for (const ItemSchemas& items : all) {
      const json::value* one = index < items.first.size() ? items.first[index] : items.rest;
      if (one != nullptr) terms.push_back({one, false});
    }
    return terms;
  }

  Result<ItemSchemas> read_items(const json::object& owner) const {
    ItemSchemas out;
    const json::value* items = owner.if_contains("items");
    const json::value* prefix = owner.if_contains("prefixItems");
    out.rest = items;
    // Before draft 2020-12 a list under "items", and "additionalItems" behind it.
    if (prefix == nullptr && items != nullptr && items->is_array()) {
      prefix = items;
      out.rest = owner.if_contains("additionalItems");
    }
    const char* name = prefix == items ? "items" : "prefixItems";
    if (prefix != nullptr && !prefix->is_array()) {
      return document_.fault(owner, name, "must be a list of schemas");
    }
    if (prefix != nullptr && prefix->get_array().size() > kFirstItemsMax) {
      return document_.fault(owner, name,
                             "has more schemas than are taken, " + std::to_string(kFirstItemsMax));
    }
    if (prefix != nullptr) {
      for (const json::value& one : prefix->get_array()) out.first.push_back(&one);
    }
    const bool good = std::all_of(out.first.begin(), out.first.end(),
                                  [](const json::value* one) { return is_schema(*one); });
    if (good && (out.rest == nullptr || is_schema(*out.rest))) return out;
    return document_.fault(owner, name, "must hold schemas");
  }

  Result<Node> object(const std::vector<Assertion>& assertions) {
    ObjectNode node;
    ObjectNames names(document_, scalars_);
    const Assertion* least = nullptr;
    for (const Assertion& assertion : assertions) {
      if (assertion.kind == Kind::kCount) {
        if (auto done = count(assertion, node); !done) return done.error();
        if (assertion.keyword == "minProperties" || assertion.negated) least = &assertion;
      } else if (auto done = names.add(assertion); !done) {
        return done.error();
      } else if (assertion.kind == Kind::kNames) {
        auto texts = strings_of(assertion);
        if (!texts) return texts.error();
        names.restrict(std::move(*texts));
      }
    }
    if (auto done = names.write(node); !done) return done.error();
    for (const SchemaTerms& terms : names.value_terms()) node.values.push_back(node_of(terms));
    if (node.min <= node.required_count) node.min = 0;
    // A name that is not listed may come twice, and would count twice.
    if (node.min > 1 && node.values.size() > node.declared) {
      return document_.fault(*least->owner, least->keyword,
                             "above 1 is not supported where names other than those in "
                             "\"properties\" are allowed");
    }
    return Node(std::move(node));
  }

  // The strings that the schema of "propertyNames" leaves.
  Result<DfaPointer> strings_of(const Assertion& assertion) {
    auto branches = expand_schema(document_, {{assertion.argument, false}}, steps_);
    if (!branches) return branches.error();
    std::vector<DfaPointer> parts{every_text()};
    for (SchemaBranch& branch : *branches) {
      if ((branch.types & kStringType) == 0) continue;
      std::erase_if(branch.assertions,
                    [](const Assertion& one) { return (subject_of(one) & kStringType) == 0; });
      auto node = scalars_.strings(branch.assertions);
      if (!node) return node.error();
      const bool bounded = node->min > 0 || node->max != kRepeatUnbounded;
      if (bounded) {
        auto length = dfa_of_length(node->min, node->max);
        auto both = length ? intersect({node->dfa, *length}) : length;
        both = scalars_.admit(std::move(both), *assertion.owner, "propertyNames");
        if (!both) return both;
        node->dfa = *both;
      }
      parts.push_back(node->dfa);
    }
    auto any = combine(parts, 0, [&parts](std::span<const DfaState> states) {
      for (std::size_t i = 1; i < parts.size(); ++i) {
        if (parts[i]->accepts(states[i])) return std::uint32_t{0};
      }
      return Dfa::kNoLabel;
    });
    return scalars_.admit(std::move(any), *assertion.owner, "propertyNames");
  }

  SchemaDocument& document_;
  SchemaScalars scalars_;
  std::vector<Node> nodes_;
  std::map<SchemaTerms, NodeId> by_terms_;
  std::map<std::pair<unsigned, std::vector<AssertionKey>>, NodeId> by_assertions_;
  std::vector<std::pair<NodeId, const SchemaTerms*>> waiting_;
  std::size_t steps_ = 0;
};

}  // namespace

Result<GrammarPointer> compile_json_schema(std::string_view schema_json,
                                           const SchemaOptions& options) {
  auto document = SchemaDocument::parse(schema_json, options.place);
  if (!document) return document.error();
  return Compiler(*document).compile(options.object_only, options.place);
}

}  // namespace backplane::local
