// SPDX-License-Identifier: Apache-2.0
// Reads tokenizer.json, the format of Hugging Face's `tokenizers`
// (https://huggingface.co/docs/tokenizers/components), into the tokenizer's metadata of a
// ModelFile. What the document asks for is done as it says or refused, never passed over; the error
// names the place.
#pragma once

#include <backplane/result.hpp>
#include <string_view>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

inline constexpr std::size_t kTokenizerJsonBytesMax = 64u << 20;

// Sets the beginning- and end-of-sequence tokens where the document's post-processor adds them; the
// others, of which it says nothing, are for the caller. `out` is unchanged where it fails.
Status read_tokenizer_json(std::string_view text, ModelFile& out);

}  // namespace backplane::local
