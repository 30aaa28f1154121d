// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/schema_branches.hpp"

#include <deque>
#include <set>

#include "plugins/backends/local/structured/grammar.hpp"
#include "plugins/backends/local/structured/schema_keywords.hpp"

namespace backplane::local {
namespace {

// A branch on its way, with what it still has to satisfy.
struct Partial {
  SchemaBranch branch;
  SchemaTerms terms;
  std::vector<SchemaClause> clauses;
  std::set<SchemaTerm> seen;

  void add(const SchemaOption& option) {
    branch.types &= option.types;
    branch.assertions.insert(branch.assertions.end(), option.assertions.begin(),
                             option.assertions.end());
    terms.insert(terms.end(), option.terms.begin(), option.terms.end());
  }
};

class Expander {
 public:
  Expander(SchemaDocument& document, std::size_t& steps) : document_(document), steps_(steps) {}

  Result<std::vector<SchemaBranch>> expand(const SchemaTerms& terms) {
    Partial first;
    first.terms = terms;
    open_.push_back(std::move(first));
    while (!open_.empty()) {
      Partial partial = std::move(open_.back());
      open_.pop_back();
      if (auto done = advance(std::move(partial)); !done) return done.error();
      if (++steps_ > kExpansionsMax || open_.size() + done_.size() > kSchemaBranchesMax) {
        return too_many();
      }
    }
    return std::move(done_);
  }

 private:
  Error too_many() const {
    const std::string message =
        "combines into more than " + std::to_string(kSchemaBranchesMax) + " alternatives";
    if (last_ == nullptr) return invalid_argument("the schema " + message);
    return document_.fault(*last_, keyword_of(*last_), message);
  }
  static std::string_view keyword_of(const boost::json::object& object) {
    for (const char* name : {"oneOf", "anyOf", "allOf", "not", "if"}) {
      if (object.if_contains(name) != nullptr) return name;
    }
    return "type";
  }

  Status advance(Partial partial) {
    if (partial.branch.types == 0) return ok();
    if (!partial.terms.empty()) return take_term(std::move(partial));
    if (!partial.clauses.empty()) return take_clause(std::move(partial));
    done_.push_back(std::move(partial.branch));
    return ok();
  }

  Status take_term(Partial partial) {
    const SchemaTerm term = partial.terms.back();
    partial.terms.pop_back();
    // A schema that leads back to itself asks for nothing more.
    if (!partial.seen.insert(term).second) return push(std::move(partial));
    if (partial.seen.contains({term.schema, !term.negated})) return ok();
    if (term.schema->is_bool()) {
      return term.schema->get_bool() == term.negated ? ok() : push(std::move(partial));
    }
    const boost::json::object& schema = term.schema->get_object();
    if (term.negated) {
      auto denials = denials_of(document_, schema);
      if (!denials) return denials.error();
      partial.clauses.push_back(std::move(*denials));
    } else {
      auto demands = demands_of(document_, schema);
      if (!demands) return demands.error();
      if (!demands->clauses.empty()) last_ = &schema;
      partial.add(demands->at_once);
      for (SchemaClause& clause : demands->clauses) partial.clauses.push_back(std::move(clause));
    }
    return push(std::move(partial));
  }

  Status take_clause(Partial partial) {
    const SchemaClause clause = std::move(partial.clauses.back());
    partial.clauses.pop_back();
    for (auto option = clause.rbegin(); option != clause.rend(); ++option) {
      Partial next = partial;
      next.add(*option);
      if (next.branch.types != 0) open_.push_back(std::move(next));
    }
    return ok();
  }

  Status push(Partial partial) {
    open_.push_back(std::move(partial));
    return ok();
  }

  SchemaDocument& document_;
  std::vector<Partial> open_;
  std::vector<SchemaBranch> done_;
  const boost::json::object* last_ = nullptr;
  std::size_t& steps_;
};

}  // namespace

Result<std::vector<SchemaBranch>> expand_schema(SchemaDocument& document, const SchemaTerms& terms,
                                                std::size_t& steps) {
  return Expander(document, steps).expand(terms);
}

}  // namespace backplane::local
