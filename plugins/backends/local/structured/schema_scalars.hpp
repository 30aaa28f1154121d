// SPDX-License-Identifier: Apache-2.0
// The strings and the numbers that a list of assertions leaves.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plugins/backends/local/structured/grammar_nodes.hpp"
#include "plugins/backends/local/structured/schema_branches.hpp"

namespace backplane::local {

// Remembers the automata of patterns and formats, which schemas repeat.
class SchemaScalars {
 public:
  explicit SchemaScalars(const SchemaDocument& document) : document_(document) {}

  Result<StringNode> strings(const std::vector<Assertion>& assertions);
  // `types`: kIntegerType, kFractionType, or both.
  Result<DfaPointer> numbers(const std::vector<Assertion>& assertions, unsigned types);
  // Of a pattern that is searched for; `owner` has it under `keyword`.
  Result<DfaPointer> pattern(std::string_view text, const boost::json::object& owner,
                             std::string_view keyword);
  // Counts an automaton against the bounds of the grammar.
  Result<DfaPointer> admit(Result<DfaPointer> dfa, const boost::json::object& owner,
                           std::string_view keyword);

 private:
  struct Length {
    std::uint64_t min = 0, max = kRepeatUnbounded;
  };
  Status add_string(const Assertion& assertion, Length& length, std::vector<DfaPointer>& parts);
  Status add_length(const Assertion& assertion, Length& length) const;
  Result<DfaPointer> string_part(const Assertion& assertion);
  Result<DfaPointer> string_values(const Assertion& assertion);
  Result<DfaPointer> number_part(const Assertion& assertion);
  Result<DfaPointer> number_values(const Assertion& assertion);
  Result<DfaPointer> join(const std::vector<DfaPointer>& parts,
                          const std::vector<Assertion>& assertions);

  const SchemaDocument& document_;
  std::map<std::string, DfaPointer> known_;
  std::size_t bytes_ = 0;
  std::uint64_t cost_ = 0;
};

// A count as JSON Schema writes it: a whole number, at least 0; beyond 32 bits, the largest.
Result<std::uint32_t> count_of(const SchemaDocument& document, const Assertion& assertion);

}  // namespace backplane::local
