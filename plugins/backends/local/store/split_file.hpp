// SPDX-License-Identifier: Apache-2.0
// Names of models that lie in several files: NAME-00001-of-00003.gguf.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace backplane::local {

struct SplitFile {
  std::string base;        // what comes before the number, with the folder
  std::size_t number = 0;  // from 1
  std::size_t count = 0;
};

std::optional<SplitFile> parse_split_file(std::string_view path);
std::string split_file_name(const SplitFile& file);

}  // namespace backplane::local
