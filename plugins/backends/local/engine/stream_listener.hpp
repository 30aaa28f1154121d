// SPDX-License-Identifier: Apache-2.0
// What a caller of the engine hears.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <span>
#include <string_view>

#include "plugins/backends/local/sampling/logprobs.hpp"

namespace backplane::local {

enum class FinishReason { kStop, kLength, kCancelled };

struct Usage {
  std::uint32_t prompt_tokens = 0;
  std::uint32_t cached_prompt_tokens = 0;  // of them: found computed already
  std::uint32_t completion_tokens = 0;     // every token picked, the ending one too
};

// The next part of an answer, borrowed for the call it is passed to.
struct Piece {
  std::string_view text;                   // whole UTF-8 characters; empty only with logprobs
  std::uint32_t tokens = 0;                // picked since the last piece
  std::span<const LogprobEntry> logprobs;  // of tokens whose text has begun, where asked for
};

// Hears one request, on the engine's thread: any number of pieces, then exactly one of on_finish
// and on_error, then nothing. May call the engine's submit, cancel, pause and resume; must not
// block or throw. Lives until its terminal call returns.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  virtual void on_piece(const Piece& piece) = 0;
  // Of a request with pooling, once, in place of pieces: a vector that is borrowed for the call.
  virtual void on_embedding(std::span<const float>) {}
  virtual void on_finish(FinishReason reason, const Usage& usage) = 0;
  virtual void on_error(const Error& error) = 0;
};

}  // namespace backplane::local
