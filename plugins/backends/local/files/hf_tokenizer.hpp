// SPDX-License-Identifier: Apache-2.0
// What a Hugging Face folder says of text: the tokens (tokenizer.json), which of them begin and end
// a text (tokenizer_config.json, generation_config.json, config.json), and the chat templates
// (chat_template.jinja, or in tokenizer_config.json), under GGUF's keys "tokenizer.".
#pragma once

#include <backplane/result.hpp>
#include <filesystem>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

// `out` has the model's tensors: there is a token for each row of the embeddings.
Status read_hf_tokenizer(const std::filesystem::path& folder, ModelFile& out);

}  // namespace backplane::local
