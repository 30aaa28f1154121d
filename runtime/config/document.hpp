// SPDX-License-Identifier: Apache-2.0
// YAML text to a tree: the YAML 1.2 core schema, one document, string keys, no duplicate keys, no
// merge keys, and a bound on everything a hostile file could make grow.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/config/diagnostic.hpp"
#include "runtime/config/node.hpp"

namespace backplane::config {

inline constexpr std::size_t kDepthMaxLevels = 64;
inline constexpr std::size_t kNodesMax = 50'000;  // per file, with aliases written out
inline constexpr std::size_t kAliasesMax = 100;   // per file

// The tree of `text`, or nothing after an error was added to `diagnostics`. `file` is the name that
// positions carry. An alias gives a copy of what its anchor stands for, placed where the alias is.
std::optional<Node> parse_document(const std::string& file, std::string_view text,
                                   Diagnostics& diagnostics);

// The same for a file on disk, at most kDocumentMaxBytes long.
std::optional<Node> read_document(const std::string& file, Diagnostics& diagnostics);

}  // namespace backplane::config
