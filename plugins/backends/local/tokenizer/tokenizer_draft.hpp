// SPDX-License-Identifier: Apache-2.0
// A tokenizer as read from a format other than GGUF, on its way to GGUF's metadata.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/tokenizer/vocabulary.hpp"

namespace backplane::local {

struct DraftToken {
  std::string text;
  TokenType type = TokenType::kUnused;  // an id that nobody named
  float score = 0;
  std::uint8_t flags = 0;  // kStrip...
};

struct TokenizerDraft {
  std::string model;  // as tokenizer.ggml.model: "gpt2", "llama", "bert"
  std::vector<DraftToken> tokens;
  std::vector<std::string> merges;    // "left right"
  std::vector<std::string> patterns;  // of words, for "gpt2"
  std::string normalizer;             // as normalizer.hpp names them, separated by spaces
  bool ignore_merges = false;
  bool bytes_written = false;      // patterns from here on see bytes as characters
  bool space_prefix = false;       // before the text
  bool space_prefix_once = false;  // not again after a special token
  std::optional<Token> bos, eos, unknown;
  bool adds_bos = false;
  bool adds_eos = false;

  // The token of this id, which is made where there is none. False beyond what a vocabulary may be.
  bool reserve(std::uint64_t id);
};

// Writes the metadata under GGUF's names, and what those have no word for under backplane.*.
void store(TokenizerDraft draft, ModelFile& out);

}  // namespace backplane::local
