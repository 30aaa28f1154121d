// SPDX-License-Identifier: Apache-2.0
// What came of a reload.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace backplane {

struct ReloadOutcome {
  std::uint64_t generation = 0;       // that serves now
  std::vector<std::string> changes;   // "backends.groq: changed"
  std::vector<std::string> warnings;  // with their places in the file
  std::vector<std::string> errors;    // likewise; empty: done, else nothing has changed

  explicit operator bool() const { return errors.empty(); }
};

}  // namespace backplane
