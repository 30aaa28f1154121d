// SPDX-License-Identifier: Apache-2.0
// Turns places in a text into lines and columns as an editor shows them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/node.hpp"

namespace backplane::config {

// Borrows `text` for its lifetime. Cheapest when asked in the order of the text; one thread.
class LineIndex {
 public:
  LineIndex(std::string file, std::string_view text);

  // `line` and `byte` count from 0, `byte` from the start of the line; both are clamped to the
  // text.
  Position at(int line, int byte);
  // `offset` counts bytes from the start of the text.
  Position at_offset(std::size_t offset);

 private:
  std::string file_;
  std::string_view text_;
  std::vector<std::size_t> starts_;
  std::size_t counted_row_ = 0;  // the last answer, from which the next one goes on
  std::size_t counted_to_ = 0;
  int counted_ = 0;
};

}  // namespace backplane::config
