// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/model/file_tensors.hpp"

#include <algorithm>

#include "kernels/dequantize.hpp"

namespace backplane::local {
namespace {

std::string shape_text(const TensorShape& shape) {
  std::string text = "[";
  for (const std::uint64_t dimension : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dimension);
  }
  return text + "]";
}

}  // namespace

Result<const FileTensor*> find_tensor(const ModelFile& file, const std::string& name,
                                      const TensorShape& shape) {
  const FileTensor* tensor = file.tensor(name);
  if (tensor == nullptr) {
    return file.wrong("tensor " + name, "is missing; convert the model again");
  }
  if (tensor->dimensions == shape) return tensor;
  return file.wrong("tensor " + name, "has shape " + shape_text(tensor->dimensions) +
                                          ", expected " + shape_text(shape));
}

Result<kernels::Type> type_of(const ModelFile& file, const FileTensor& tensor) {
  const std::string_view name = find_ggml_type(tensor.type)->name;  // its names of types are ours
  const auto* found =
      std::find_if(std::begin(kernels::kTypes), std::end(kernels::kTypes),
                   [&](kernels::Type type) { return name == kernels::layout_of(type).name; });
  if (found != std::end(kernels::kTypes)) return *found;
  return file.wrong(
      "tensor " + printable(tensor.name),
      "has type " + std::string(name) + "; use a file of another type, such as Q8_0 or Q4_K");
}

Result<std::vector<float>> read_vector(const ModelFile& file, const std::string& name,
                                       std::size_t size) {
  const auto tensor = find_tensor(file, name, {size});
  if (!tensor) return tensor.error();
  const auto type = type_of(file, **tensor);
  if (!type) return type.error();
  std::vector<float> values(size);
  kernels::dequantize_row(*type, (*tensor)->data.data(), values);
  return values;
}

}  // namespace backplane::local
