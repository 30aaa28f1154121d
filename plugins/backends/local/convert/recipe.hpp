// SPDX-License-Identifier: Apache-2.0
// Which type each tensor of a converted model gets. The recipes are those whose names people know:
// in Q4_K_M and its kin some tensors that matter more are kept at more bits, in every quantised
// type the output is kept at Q6_K, and what is small stays F32.
#pragma once

#include <backplane/result.hpp>
#include <string>
#include <string_view>

#include "kernels/tensor.hpp"
#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

struct Recipe {
  enum class Mix { kPlain, kSmall, kMedium };
  const char* name;
  std::uint32_t file_type;  // general.file_type
  kernels::Type type;       // of most weights
  Mix mix = Mix::kPlain;
};

// By its name, in either case: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K_S, Q4_K_M,
// Q5_K_S, Q5_K_M, Q6_K; Q4_K and Q5_K mean the medium ones.
Result<Recipe> find_recipe(std::string_view name);

struct Choice {
  kernels::Type type = kernels::Type::kF32;
  bool is_fallback = false;  // the rows do not hold whole blocks of what the recipe wants
};

// What else of the model a recipe looks at.
struct ModelShape {
  std::size_t layers = 0;
  bool has_output = false;  // a tensor of its own for the output
};
ModelShape shape_of(const ModelFile& file);

Choice choose_type(const Recipe& recipe, const ModelShape& shape, const FileTensor& tensor);

}  // namespace backplane::local
