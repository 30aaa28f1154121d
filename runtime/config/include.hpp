// SPDX-License-Identifier: Apache-2.0
// `include: [globs]`: more files of the same grammar, merged into one tree.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "runtime/config/diagnostic.hpp"
#include "runtime/config/node.hpp"

namespace backplane::config {

inline constexpr std::size_t kIncludedFilesMax = 256;  // in all, the first file with them
inline constexpr std::size_t kIncludeDepthMax = 8;     // files that include files

// The tree of `file` and all it includes, without the `include` keys. Globs are relative to the
// file they stand in. Top-level maps are merged name by name; a name defined twice is an error.
// Nothing when there were errors.
std::optional<Node> read_with_includes(const std::string& file, Diagnostics& diagnostics);

}  // namespace backplane::config
