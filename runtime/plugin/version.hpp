// SPDX-License-Identifier: Apache-2.0
// Versions of plugins, and what a deployment's `uses:` asks of them.
#pragma once

#include <backplane/result.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

using Version = std::array<std::uint32_t, 3>;  // major, minor, patch; compared in this order

// "1.2.3", exactly.
std::optional<Version> parse_version(std::string_view text);

// One comparison. A bound may leave parts out: they count as 0, but "=1.2" takes every 1.2.x.
struct VersionBound {
  enum class Relation { kAtLeast, kAbove, kAtMost, kBelow, kEqual };
  Relation relation = Relation::kAtLeast;
  Version version{};
  std::size_t parts = 3;  // how many were written

  bool accepts(const Version& candidate) const;
};

// `name`, or `name@` and comparisons that must all hold: "echo@>=1.2,<2".
struct PluginReference {
  std::string name;
  std::string range;  // as written, for messages
  std::vector<VersionBound> bounds;

  bool accepts(const Version& candidate) const;
};

inline constexpr std::size_t kReferenceBytesMax = 256;

Result<PluginReference> parse_reference(std::string_view uses);

}  // namespace backplane
