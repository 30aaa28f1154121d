// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/schema_scalars.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>

#include "plugins/backends/local/structured/formats.hpp"
#include "plugins/backends/local/structured/number_language.hpp"
#include "plugins/backends/local/structured/regex.hpp"
#include "plugins/backends/local/structured/schema_reader.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

std::string number_text(const json::value& value) {
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value.get_double());
  return {buffer, end.ptr};
}

// How a model may write a number that is given: 5, 5.0, 0.5.
std::vector<std::string> spellings(const json::value& value) {
  const std::string text = number_text(value);
  const auto decimal = parse_decimal(text);
  if (!decimal) return {text};
  const std::string whole =
      (decimal->negative ? "-" : "") + (decimal->whole.empty() ? "0" : decimal->whole);
  if (!decimal->fraction.empty()) return {whole + "." + decimal->fraction};
  return {whole, whole + ".0"};
}

std::vector<const json::value*> values_of(const Assertion& assertion) {
  std::vector<const json::value*> values;
  if (assertion.keyword == "const") return {assertion.argument};
  for (const json::value& value : assertion.argument->get_array()) values.push_back(&value);
  return values;
}

// Backwards from the ends of strings; the first byte of a character costs one, the others nothing.
std::vector<std::uint32_t> distances(const Dfa& dfa) {
  std::vector<std::vector<std::pair<DfaState, bool>>> before(dfa.size());
  std::vector<std::uint32_t> distance(dfa.size(), kRepeatUnbounded);
  std::deque<DfaState> open;
  for (DfaState state = 1; state < dfa.size(); ++state) {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      const DfaState next = dfa.next(state, static_cast<std::uint8_t>(byte));
      const std::pair edge(state, (byte & 0xc0) != 0x80);
      if (next == Dfa::kDead || (!before[next].empty() && before[next].back() == edge)) continue;
      before[next].push_back(edge);
    }
    if (!dfa.accepts(state)) continue;
    distance[state] = 0;
    open.push_back(state);
  }
  while (!open.empty()) {
    const DfaState state = open.front();
    open.pop_front();
    for (const auto& [source, is_first] : before[state]) {
      const std::uint32_t through = distance[state] + (is_first ? 1 : 0);
      if (through >= distance[source]) continue;
      distance[source] = through;
      is_first ? open.push_back(source) : open.push_front(source);
    }
  }
  return distance;
}

Result<DfaPointer> other_numbers(const std::vector<DfaPointer>& equal) {
  std::vector<DfaPointer> parts{dfa_of_numbers(false, false)};
  parts.insert(parts.end(), equal.begin(), equal.end());
  return combine(parts, 0, [&parts](std::span<const DfaState> states) {
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (parts[i]->accepts(states[i])) return Dfa::kNoLabel;
    }
    return parts[0]->accepts(states[0]) ? 0 : Dfa::kNoLabel;
  });
}

}  // namespace

Result<std::uint32_t> count_of(const SchemaDocument& document, const Assertion& assertion) {
  const json::value& value = *assertion.argument;
  constexpr double kMost = kRepeatUnbounded - 1;
  const double count = value.is_number() ? value.to_number<double>() : -1;
  if (!(count >= 0) || count != std::floor(count)) {
    return document.fault(*assertion.owner, assertion.keyword,
                          "must be a whole number, at least 0");
  }
  return static_cast<std::uint32_t>(std::min(count, kMost));
}

Result<DfaPointer> SchemaScalars::admit(Result<DfaPointer> dfa, const json::object& owner,
                                        std::string_view keyword) {
  if (!dfa) return document_.fault(owner, keyword, dfa.error().message);
  bytes_ += (*dfa)->bytes();
  cost_ += (*dfa)->cost();
  if (bytes_ > kAutomataBytesMax || cost_ > kAutomataCostMax) {
    return document_.fault(owner, keyword, "makes the schema too large to be enforced");
  }
  return dfa;
}

Result<DfaPointer> SchemaScalars::pattern(std::string_view text, const json::object& owner,
                                          std::string_view keyword) {
  const auto found = known_.find("p" + std::string(text));
  if (found != known_.end()) return found->second;
  auto dfa = admit(dfa_of_search(text), owner, keyword);
  if (dfa) known_.emplace("p" + std::string(text), *dfa);
  return dfa;
}

Result<StringNode> SchemaScalars::strings(const std::vector<Assertion>& assertions) {
  Length length;
  std::vector<DfaPointer> parts;
  for (const Assertion& assertion : assertions) {
    if (auto done = add_string(assertion, length, parts); !done) return done.error();
  }
  const auto max =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(length.max, kRepeatUnbounded));
  const auto min =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(length.min, kRepeatUnbounded));
  if (parts.empty()) return StringNode{every_text(), min, max};
  if (min > 0) {
    auto dfa = admit(dfa_of_length(min, kRepeatUnbounded), *assertions.front().owner, "minLength");
    if (!dfa) return dfa.error();
    parts.push_back(std::move(*dfa));
  }
  auto dfa = join(parts, assertions);
  if (!dfa) return dfa.error();
  StringNode node{std::move(*dfa), 0, max};
  if (max != kRepeatUnbounded) node.distance = distances(*node.dfa);
  return node;
}

Status SchemaScalars::add_string(const Assertion& assertion, Length& length,
                                 std::vector<DfaPointer>& parts) {
  if (assertion.keyword == "minLength" || assertion.keyword == "maxLength") {
    return add_length(assertion, length);
  }
  auto part = string_part(assertion);
  if (!part) return part.error();
  if (!assertion.negated) {
    parts.push_back(std::move(*part));
    return ok();
  }
  auto others = admit(complement(*part), *assertion.owner, assertion.keyword);
  if (!others) return others.error();
  parts.push_back(std::move(*others));
  return ok();
}

Status SchemaScalars::add_length(const Assertion& assertion, Length& length) const {
  auto count = count_of(document_, assertion);
  if (!count) return count.error();
  const bool is_min = (assertion.keyword == "minLength") != assertion.negated;
  if (is_min) {
    length.min = std::max<std::uint64_t>(length.min, *count + (assertion.negated ? 1u : 0u));
  } else if (!assertion.negated) {
    length.max = std::min<std::uint64_t>(length.max, *count);
  } else if (*count == 0) {
    length.max = 0, length.min = 1;  // shorter than nothing
  } else {
    length.max = std::min<std::uint64_t>(length.max, *count - 1);
  }
  return ok();
}

Result<DfaPointer> SchemaScalars::string_part(const Assertion& assertion) {
  const json::object& owner = *assertion.owner;
  if (assertion.kind == Assertion::Kind::kValues) return string_values(assertion);
  if (!assertion.argument->is_string()) {
    return document_.fault(owner, assertion.keyword, "must be a string");
  }
  const std::string_view text = assertion.argument->get_string();
  if (assertion.keyword == "pattern") return pattern(text, owner, "pattern");
  if (kind_of_format(text) == FormatKind::kRefused) {
    return document_.fault(owner, "format",
                           "\"" + std::string(text) +
                               "\" is not supported, since it cannot be enforced; leave it out");
  }
  const auto found = known_.find("f" + std::string(text));
  if (found != known_.end()) return found->second;
  auto dfa = admit(dfa_of_format(text), owner, "format");
  if (dfa) known_.emplace("f" + std::string(text), *dfa);
  return dfa;
}

Result<DfaPointer> SchemaScalars::string_values(const Assertion& assertion) {
  std::vector<std::string> texts;
  for (const json::value* value : values_of(assertion)) {
    if (value->is_string()) texts.emplace_back(value->get_string());
  }
  return admit(dfa_of_strings(texts), *assertion.owner, assertion.keyword);
}

Result<DfaPointer> SchemaScalars::numbers(const std::vector<Assertion>& assertions,
                                          unsigned types) {
  const bool is_plain = assertions.empty() && types == kNumberType;
  const DfaPointer all = dfa_of_numbers(types == kIntegerType, is_plain);
  // Given numbers may be written with an exponent that no bound could follow.
  const bool only_values = std::all_of(assertions.begin(), assertions.end(), [](const auto& one) {
    return one.kind == Assertion::Kind::kValues && !one.negated;
  });
  std::vector<DfaPointer> parts;
  if (assertions.empty() || !only_values || types != kNumberType) parts.push_back(all);
  if (types == kFractionType) {
    auto whole = dfa_of_multiples({false, "1", ""});
    if (!whole) return whole;
    auto fractions = other_numbers({*whole});
    if (!fractions) return fractions;
    parts.push_back(std::move(*fractions));
  }
  for (const Assertion& assertion : assertions) {
    auto part = number_part(assertion);
    if (!part) return part;
    if (assertion.negated)
      part = admit(other_numbers({*part}), *assertion.owner, assertion.keyword);
    if (!part) return part;
    parts.push_back(std::move(*part));
  }
  return join(parts, assertions);
}

Result<DfaPointer> SchemaScalars::number_part(const Assertion& assertion) {
  const json::object& owner = *assertion.owner;
  const std::string_view keyword = assertion.keyword;
  if (assertion.kind == Assertion::Kind::kValues) return number_values(assertion);
  if (!assertion.argument->is_number()) return document_.fault(owner, keyword, "must be a number");
  const auto decimal = parse_decimal(number_text(*assertion.argument));
  if (!decimal) return document_.fault(owner, keyword, "has too many digits to be enforced");
  if (keyword == "multipleOf") {
    if (decimal->is_zero() || decimal->negative) {
      return document_.fault(owner, keyword, "must be a number above 0");
    }
    return admit(dfa_of_multiples(*decimal), owner, keyword);
  }
  const bool is_lower = keyword.ends_with("inimum");
  bool is_exclusive = keyword.starts_with("exclusive");
  // Draft 4: a flag beside the bound.
  const json::value* flag = owner.if_contains(is_lower ? "exclusiveMinimum" : "exclusiveMaximum");
  if (flag != nullptr && flag->is_bool()) is_exclusive = flag->get_bool();
  return admit(dfa_of_bound({*decimal, is_lower, is_exclusive}), owner, keyword);
}

Result<DfaPointer> SchemaScalars::number_values(const Assertion& assertion) {
  std::vector<std::string> texts;
  std::vector<DfaPointer> equal;
  for (const json::value* value : values_of(assertion)) {
    if (!value->is_number()) continue;
    const auto all = spellings(*value);
    texts.insert(texts.end(), all.begin(), all.end());
    if (!assertion.negated) continue;
    const auto decimal = parse_decimal(number_text(*value));
    if (!decimal) {
      return document_.fault(*assertion.owner, assertion.keyword,
                             "has a number with too many digits to be excluded");
    }
    auto least = dfa_of_bound({*decimal, true, false});
    auto most = dfa_of_bound({*decimal, false, false});
    auto same = least && most ? intersect({*least, *most}) : least;
    if (!same) return document_.fault(*assertion.owner, assertion.keyword, same.error().message);
    equal.push_back(std::move(*same));
  }
  if (!assertion.negated) return admit(dfa_of_strings(texts), *assertion.owner, assertion.keyword);
  // All numbers that are one of them, for the caller to exclude.
  equal.insert(equal.begin(), dfa_of_numbers(false, false));
  auto any = combine(equal, 0, [&equal](std::span<const DfaState> states) {
    for (std::size_t i = 1; i < equal.size(); ++i) {
      if (equal[i]->accepts(states[i])) return std::uint32_t{0};
    }
    return Dfa::kNoLabel;
  });
  return admit(std::move(any), *assertion.owner, assertion.keyword);
}

Result<DfaPointer> SchemaScalars::join(const std::vector<DfaPointer>& parts,
                                       const std::vector<Assertion>& assertions) {
  auto all = intersect(parts);
  if (assertions.empty() || parts.size() < 2) return all;
  return admit(std::move(all), *assertions.back().owner, assertions.back().keyword);
}

}  // namespace backplane::local
