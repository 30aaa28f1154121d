// SPDX-License-Identifier: Apache-2.0
// Trees to and from JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "backplane/result.hpp"
#include "runtime/config/node.hpp"

namespace backplane::config {

inline constexpr std::size_t kJsonDepthMax = 64;

// The tree of a JSON text; its positions are empty. Keys keep their order.
Result<Node> parse_json(std::string_view text);

// One line, keys sorted, no spaces: equal trees give equal text.
std::string to_canonical_json(const Node& tree);

// Two spaces per level, keys as they stand in the tree, a final line break.
std::string to_pretty_json(const Node& tree);

// A JSON string literal.
std::string json_string(std::string_view text);

}  // namespace backplane::config
