// SPDX-License-Identifier: Apache-2.0
// `uses: name@>=1.2,<2`: which plugin, in which versions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/result.hpp"

namespace backplane::config {

// major.minor.patch; what is not written is 0. A pre-release or build suffix is not looked at.
using Version = std::array<std::uint32_t, 3>;

Result<Version> parse_version(std::string_view text);

struct Requirement {
  struct Bound {
    std::string relation;  // >= > <= < =
    Version version{};
  };
  std::string name;
  std::string range;          // as written after the @; empty for any
  std::vector<Bound> bounds;  // all must hold

  bool accepts(const Version& version) const;
};

// `name`, or `name@` and comparisons separated by commas; `name@1.2` means `=1.2`, which accepts
// exactly 1.2.0.
Result<Requirement> parse_requirement(std::string_view uses);

}  // namespace backplane::config
