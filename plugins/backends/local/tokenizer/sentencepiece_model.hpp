// SPDX-License-Identifier: Apache-2.0
// Reads tokenizer.model, a ModelProto of SentencePiece
// (https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto), into the
// tokenizer's metadata of a ModelFile. What the file asks for is done or refused by its name; the
// bytes are not trusted.
#pragma once

#include <backplane/result.hpp>
#include <string_view>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

inline constexpr std::size_t kSentencePieceBytesMax = 64u << 20;

// Models of type BPE with byte_fallback. Whether the tokens around a text are added the format does
// not say. `out` is unchanged where it fails.
Status read_sentencepiece_model(std::string_view bytes, ModelFile& out);

}  // namespace backplane::local
