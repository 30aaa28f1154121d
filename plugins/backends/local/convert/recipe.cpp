// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/convert/recipe.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace backplane::local {
namespace {

using kernels::Type;
using Mix = Recipe::Mix;

constexpr std::array<Recipe, 13> kRecipes = {{{"F32", 0, Type::kF32},
                                              {"F16", 1, Type::kF16},
                                              {"BF16", 32, Type::kBF16},
                                              {"Q8_0", 7, Type::kQ8_0},
                                              {"Q4_0", 2, Type::kQ4_0},
                                              {"Q4_1", 3, Type::kQ4_1},
                                              {"Q5_0", 8, Type::kQ5_0},
                                              {"Q5_1", 9, Type::kQ5_1},
                                              {"Q4_K_S", 14, Type::kQ4_K, Mix::kSmall},
                                              {"Q4_K_M", 15, Type::kQ4_K, Mix::kMedium},
                                              {"Q5_K_S", 16, Type::kQ5_K, Mix::kSmall},
                                              {"Q5_K_M", 17, Type::kQ5_K, Mix::kMedium},
                                              {"Q6_K", 18, Type::kQ6_K}}};

bool is_number(Type type) {
  return type == Type::kF32 || type == Type::kF16 || type == Type::kBF16;
}

std::size_t layer_of(std::string_view name) {
  std::size_t layer = 0;
  if (name.starts_with("blk.")) {
    std::from_chars(name.data() + 4, name.data() + name.size(), layer);
  }
  return layer;
}

// The first and the last eighth of the layers, and every third between them.
bool matters_more(std::size_t layer, std::size_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

Type mixed(const Recipe& recipe, const ModelShape& shape, std::string_view name) {
  const std::size_t layer = layer_of(name);
  const bool is_value = name.ends_with(".attn_v.weight");
  const bool is_down = name.ends_with(".ffn_down.weight");
  if (recipe.mix == Mix::kMedium && name.ends_with(".attn_qkv.weight")) {
    return recipe.type == Type::kQ4_K ? Type::kQ5_K : Type::kQ6_K;
  }
  if (recipe.mix == Mix::kMedium && (is_value || is_down) && matters_more(layer, shape.layers)) {
    return Type::kQ6_K;
  }
  if (recipe.mix == Mix::kSmall && recipe.type == Type::kQ4_K &&
      ((is_value && layer < 4) || (is_down && layer < shape.layers / 8))) {
    return Type::kQ5_K;
  }
  return recipe.type;
}

Type wanted(const Recipe& recipe, const ModelShape& shape, const FileTensor& tensor) {
  const std::string_view name = tensor.name;
  const bool stays = tensor.dimensions.size() < 2 || !name.ends_with("weight") ||
                     name.find("_norm") != std::string_view::npos;
  if (stays) return Type::kF32;
  if (is_number(recipe.type)) return recipe.type;
  const bool is_output =
      name == "output.weight" || (name == "token_embd.weight" && !shape.has_output);
  if (is_output && recipe.type != Type::kQ8_0) return Type::kQ6_K;
  return mixed(recipe, shape, name);
}

// The next type whose blocks are shorter and which loses no more.
Type fallback_of(Type type) {
  switch (type) {
    case Type::kQ4_K:
      return Type::kQ5_0;
    case Type::kQ5_K:
      return Type::kQ5_1;
    case Type::kQ6_K:
      return Type::kQ8_0;
    default:
      return Type::kF16;
  }
}

}  // namespace

Result<Recipe> find_recipe(std::string_view name) {
  std::string wanted(name);
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (wanted == "Q4_K" || wanted == "Q5_K") wanted += "_M";
  std::string names;
  for (const Recipe& recipe : kRecipes) {
    if (wanted == recipe.name) return recipe;
    names += std::string(names.empty() ? "" : ", ") + recipe.name;
  }
  return invalid_argument("type '" + std::string(name) + "' is not known; known are " + names);
}

ModelShape shape_of(const ModelFile& file) {
  ModelShape shape;
  shape.has_output = file.tensor("output.weight") != nullptr;
  for (const FileTensor& tensor : file.tensors()) {
    if (tensor.name.starts_with("blk.")) {
      shape.layers = std::max(shape.layers, layer_of(tensor.name) + 1);
    }
  }
  return shape;
}

Choice choose_type(const Recipe& recipe, const ModelShape& shape, const FileTensor& tensor) {
  Choice choice{wanted(recipe, shape, tensor), false};
  while (tensor.dimensions[0] % kernels::layout_of(choice.type).block_weights != 0) {
    choice = {fallback_of(choice.type), true};
  }
  return choice;
}

}  // namespace backplane::local
