// SPDX-License-Identifier: Apache-2.0
// What one document of a chat's stream (chat.completion.chunk) says to whoever reads its text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace backplane {

struct ChunkText {
  std::string text;           // of choice 0
  std::string finish_reason;  // empty: none yet
  // Nothing but the text of one choice: no tool call, no reasoning, no logprobs, no second choice.
  bool is_plain = true;
  // As they stand, JSON; empty: the document has none. Borrowed from the document.
  std::string_view id;
  std::string_view created;
  std::string_view model;
};

// [any-thread] Nothing where the document is no such chunk, as far as it is read.
std::optional<ChunkText> read_chunk_text(std::string_view document);

}  // namespace backplane
