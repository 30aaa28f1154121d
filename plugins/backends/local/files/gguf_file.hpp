// SPDX-License-Identifier: Apache-2.0
// Opens a GGUF file, or all files of a model that was cut into parts, by the name of the first.
#pragma once

#include <backplane/result.hpp>
#include <string>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

inline constexpr std::uint64_t kGgufPartsMax = 1024;

// What is known of the parts (keys "split.*") is checked and then dropped from the metadata.
Result<ModelFile> open_gguf(const std::string& path);

}  // namespace backplane::local
