// SPDX-License-Identifier: Apache-2.0
// A model file of any format into one GGUF file, its weights in another type. Reads and writes
// piece by piece: memory stays at some tens of MiB.
#pragma once

#include <string>
#include <vector>

#include "plugins/backends/local/convert/recipe.hpp"
#include "plugins/backends/local/store/progress.hpp"

namespace backplane::local {

struct ConversionOptions {
  Recipe recipe;
  std::size_t threads = 0;  // 0: as many as the process may use
};

struct Conversion {
  std::uint64_t source_bytes = 0;  // of all tensors
  std::uint64_t bytes = 0;
  std::uint64_t weights = 0;
  std::vector<std::string> notes;  // what somebody should know about the result
};

// `path` must not be the source's. A weight that is not finite is an error.
Result<Conversion> convert_model(const ModelFile& source, const std::string& path,
                                 const ConversionOptions& options, Progress& progress);

}  // namespace backplane::local
