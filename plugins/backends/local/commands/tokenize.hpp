// SPDX-License-Identifier: Apache-2.0
// `backplane tokenize MODEL < TEXT`: the token ids of a text, as a line of JSON.
#pragma once

#include <backplane/result.hpp>
#include <string>
#include <string_view>

#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

inline constexpr std::size_t kTokenizedBytesMax = 64u << 20;

// `model`: a GGUF file, a folder with a tokenizer.json, such a file itself, or a name in the store.
Result<std::string> tokenize(const std::string& model, std::string_view text,
                             EncodeOptions options);

}  // namespace backplane::local
