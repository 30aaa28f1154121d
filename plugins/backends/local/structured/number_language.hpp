// SPDX-License-Identifier: Apache-2.0
// JSON numbers between bounds and by multiples, exactly: by their digits, never through a float.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/backends/local/structured/dfa.hpp"

namespace backplane::local {

inline constexpr std::size_t kNumberDigitsMax = 128;  // before, and after, the point

// A decimal: sign, digits before the point without leading zeros ("" for 0), digits after it
// without trailing ones.
struct Decimal {
  bool negative = false;
  std::string whole, fraction;
  bool is_zero() const { return whole.empty() && fraction.empty(); }
};
// Of a number as JSON writes it; nothing where its exponent asks for too many digits.
std::optional<Decimal> parse_decimal(std::string_view json_number);

struct NumberBound {
  Decimal value;
  bool is_lower = false;
  bool is_exclusive = false;
};

// How numbers are written: integers without point and exponent, others with at most
// kNumberDigitsMax digits and, where `exponent`, one of at most 299.
DfaPointer dfa_of_numbers(bool integers, bool exponent);
// The numbers, among those without exponent, within a bound.
Result<DfaPointer> dfa_of_bound(const NumberBound& bound);
// The multiples of a decimal that is above 0.
Result<DfaPointer> dfa_of_multiples(const Decimal& divisor);

}  // namespace backplane::local
