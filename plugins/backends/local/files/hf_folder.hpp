// SPDX-License-Identifier: Apache-2.0
// Opens a model as Hugging Face lays it out: a folder with config.json, tokenizer.json,
// tokenizer_config.json and model.safetensors, or several such files that
// model.safetensors.index.json names. The result is what a converter would have made of it.
#pragma once

#include <backplane/result.hpp>
#include <string>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

inline constexpr std::size_t kHfShardsMax = 1024;

Result<ModelFile> open_hf_folder(const std::string& path, TensorData data);

}  // namespace backplane::local
