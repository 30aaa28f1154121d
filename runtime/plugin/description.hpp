// SPDX-License-Identifier: Apache-2.0
// What a backend says of itself (<backplane/backend.h>, describe).
#pragma once

#include <backplane/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

struct Description {
  std::vector<std::string> models;      // empty: any name is passed on
  std::vector<std::string> operations;  // never empty
};

// Reads what describe returned; the error says what is wrong with it.
Result<Description> read_description(std::string_view text);

}  // namespace backplane
