// SPDX-License-Identifier: Apache-2.0
// A look at a document of a chat without parsing it: which of its keys tell something, and whether
// its dialect may need a translation. It may say yes too often, never too seldom.
#pragma once

#include <cstddef>
#include <string_view>

namespace backplane::dialect {

enum class Completion;

struct ChunkSigns {
  bool needs_parse = false;         // it may hold usage, a finish reason, an error, a second choice
  bool has_choice = false;          // of what needs no parse: choice 0
  bool may_need_changes = false;    // chunk_normalizer.hpp
  bool says_stop = false;           // a choice ended with "stop"
  bool is_plain_reasoning = false;  // the one change is reasoning, under that name alone
  bool has_other_choice = false;    // than the first; or a later tool call
  std::size_t reasoning_at = 0;     // where the key of plain reasoning stands, with its quote
};

// In JSON text a quote inside a string is escaped, so what stands before a colon and ends in a
// quote is a key, or the end of a string that another key begins with.
ChunkSigns scan_chunk(std::string_view document, Completion completion);

// The reasons that the dialect knows.
bool is_known_finish(std::string_view reason);

}  // namespace backplane::dialect
