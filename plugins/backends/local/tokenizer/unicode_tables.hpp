// SPDX-License-Identifier: Apache-2.0
// Ranges of code points by general category, ascending and disjoint.
#pragma once

#include <cstdint>
#include <span>

namespace backplane::local {

struct CodePointRange {
  std::uint32_t first;
  std::uint32_t last;
};

std::span<const CodePointRange> letter_ranges();
std::span<const CodePointRange> number_ranges();
std::span<const CodePointRange> punctuation_ranges();

}  // namespace backplane::local
