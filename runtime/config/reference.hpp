// SPDX-License-Identifier: Apache-2.0
// `{env: NAME}` and `{file: PATH}`: values that stand outside the deployment file. They are read
// after parsing, never pasted into its text.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "backplane/result.hpp"
#include "runtime/config/node.hpp"

namespace backplane::config {

// Reads an environment variable; empty when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The process's own.
std::optional<std::string> process_environment(const std::string& name);

// A mapping with the one key `env` or `file`.
bool is_reference(const Node& node);

struct Referenced {
  Origin origin = Origin::kEnvironment;
  std::string name;  // the variable, or the file beside the one that names it
};

// What a reference points at, without reading it. Fails for a bad name.
Result<Referenced> parse_reference(const Node& node);

// Its text. One line break at the end of a file is left out.
Result<std::string> read_reference(const Referenced& target, const Environment& environment);

}  // namespace backplane::config
