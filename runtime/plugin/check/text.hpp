// SPDX-License-Identifier: Apache-2.0
// What the conformance check asks of texts that a plugin hands over.
#pragma once

#include "runtime/plugin/manifest.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace backplane {

bool is_utf8(std::string_view text);

struct Description {
  std::vector<std::string> models;
  std::vector<std::string> operations;
};

// Reads what a backend's describe returned; the error says what is wrong with it.
Result<Description> read_description(std::string_view text);

// What is wrong with the description of a plugin of this kind; empty: nothing.
std::string fault_of_description(PluginKind kind, std::string_view text);

}  // namespace backplane
