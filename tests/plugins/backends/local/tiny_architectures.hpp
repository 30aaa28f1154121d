// SPDX-License-Identifier: Apache-2.0
// A tiny model of each architecture, with the numbers of its metadata small enough that a hundred
// tokens see every window, cap and scaling.
#pragma once

#include <string>
#include <vector>

#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {

struct NamedArchitecture {
  std::string name;
  TinyArchitecture shape;
};

const std::vector<NamedArchitecture>& tiny_architectures();
const TinyArchitecture& tiny_architecture(const std::string& name);

}  // namespace backplane::local
