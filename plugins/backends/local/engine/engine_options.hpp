// SPDX-License-Identifier: Apache-2.0
// How an engine is to run.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "plugins/backends/local/engine/meters.hpp"

namespace backplane::local {

struct EngineOptions {
  std::string model_path;
  std::size_t threads = 0;           // 0: as many as the process may use
  std::uint32_t context_tokens = 0;  // of one request; 0: what the model was made for
  // Of a request that gives no max_tokens, at most. 0: the rest of the context.
  std::uint32_t answer_tokens_default = 0;
  std::uint32_t batch_tokens = 256;                        // computed in one step, at most
  std::uint32_t sequences_max = 32;                        // generating at the same time
  std::uint32_t queue_max = 256;                           // waiting for their turn
  std::uint64_t cache_bytes_max = std::uint64_t{2} << 30;  // keys and values of all requests
  bool reuse_prefixes = true;
  // How long a step may take for the sake of prompts, while streams wait for their next token.
  std::uint32_t step_ms = 100;

  bool allows_adapters = false;              // makes room to compute them in
  bool lazy = false;                         // weights are loaded when the first request comes
  std::chrono::milliseconds idle_unload{0};  // weights go after so long without a request; 0: never

  EngineMeters* meters = nullptr;  // outlives the engine
  // What happens to the weights; any thread; may be empty.
  std::function<void(std::string_view line, bool is_error)> log;
};

}  // namespace backplane::local
