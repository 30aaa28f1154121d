// SPDX-License-Identifier: Apache-2.0
// A file's tensors as a model asks for them: by name and shape. Errors name the tensor.
#pragma once

#include <backplane/result.hpp>
#include <string>
#include <vector>

#include "kernels/tensor.hpp"
#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

using TensorShape = std::vector<std::uint64_t>;  // fastest first

Result<const FileTensor*> find_tensor(const ModelFile& file, const std::string& name,
                                      const TensorShape& shape);
// The type that kernels know it by.
Result<kernels::Type> type_of(const ModelFile& file, const FileTensor& tensor);
// Of whichever type it is in the file.
Result<std::vector<float>> read_vector(const ModelFile& file, const std::string& name,
                                       std::size_t size);

}  // namespace backplane::local
