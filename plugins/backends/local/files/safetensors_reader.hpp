// SPDX-License-Identifier: Apache-2.0
// The tensors of one safetensors file (https://github.com/huggingface/safetensors#format): eight
// bytes of length, a JSON header, the data. Trusts none of it: every tensor lies within the file,
// has the size that its shape says, and shares no bytes with another.
#pragma once

#include <backplane/result.hpp>
#include <span>
#include <string>
#include <vector>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

inline constexpr std::uint64_t kSafetensorsHeaderBytesMax = 16u << 20;

// The type of a tensor that GGUF has no type for.
inline constexpr std::uint32_t kNoGgmlType = UINT32_MAX;

// In the names and types of the file, with the dimensions turned round as GGUF has them (fastest
// first). `bytes` is the whole file; names live as long as `keeper`. `path` is for messages.
Result<std::vector<FileTensor>> read_safetensors(const std::string& path,
                                                 std::span<const std::byte> bytes,
                                                 ModelFile& keeper);

}  // namespace backplane::local
