// SPDX-License-Identifier: Apache-2.0
// Plain scalars by the YAML 1.2 core schema (yaml.org/spec/1.2.2, 10.3.2): `no`, `yes` and `on` are
// strings; 0x and 0o are integers.
#pragma once

#include <string>
#include <string_view>

#include "backplane/result.hpp"
#include "runtime/config/node.hpp"

namespace backplane::config {

// The node an unquoted scalar stands for. Fails for numbers no value here can hold: integers
// beyond 64 bits, infinities and NaN.
Result<Node> resolve_scalar(std::string text);

}  // namespace backplane::config
