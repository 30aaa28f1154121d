// SPDX-License-Identifier: Apache-2.0
// Cases as text. `=== title` begins a case, `--- name` a section of it, in this order:
//   --- FILE          a file of the case; the first is the one that is loaded. In `--- bytes FILE`
//                     \xNN stands for a byte and \t for a tab.
//   --- env           NAME=value, one per line
//   --- no_env        values of references are not read
// and what must come of it, of which a case has one or more:
//   --- errors | --- warnings | --- deployment | --- explain [MODEL]
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace backplane::config {

struct Case {
  std::string title;
  std::vector<std::pair<std::string, std::string>> files;  // name, content
  std::map<std::string, std::string> environment;
  bool no_env = false;
  std::vector<std::pair<std::string, std::string>> expected;  // section, text
};

std::vector<Case> read_cases(const std::string& path);

}  // namespace backplane::config
