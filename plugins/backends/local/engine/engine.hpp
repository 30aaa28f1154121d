// SPDX-License-Identifier: Apache-2.0
// The local inference engine: a GGUF model, and any number of requests generating from it
// together. One thread of its own runs steps; each step computes a batch made of all requests.
//
// Threads: every method may be called from any thread, stop() and the destructor not from a
// listener. Results do not depend on what else is running.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/chat_template/value.hpp"
#include "plugins/backends/local/engine/generate_request.hpp"
#include "plugins/backends/local/engine/stream_listener.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

struct EngineOptions {
  std::string model_path;
  std::size_t threads = 0;           // 0: as many as the process may use
  std::uint32_t context_tokens = 0;  // of one request; 0: what the model was made for
  // Of a request that gives no max_tokens, at most; room for them is reserved in the cache. 0: the
  // rest of the context.
  std::uint32_t answer_tokens_default = 0;
  std::uint32_t batch_tokens = 128;                        // computed in one step, at most
  std::uint32_t sequences_max = 32;                        // generating at the same time
  std::uint32_t queue_max = 256;                           // waiting for their turn
  std::uint64_t cache_bytes_max = std::uint64_t{2} << 30;  // keys and values of all requests
};

struct ModelInfo {
  std::string name;
  std::string architecture;
  std::string file_type;  // of most weights: "Q8_0"
  std::uint64_t parameters = 0;
  std::uint32_t context_tokens = 0;  // the most a request may use, prompt and answer together
};

class Engine {
 public:
  // Loads the model and starts the thread. Errors name the file, the place and the remedy.
  static Result<std::unique_ptr<Engine>> load(const EngineOptions& options);
  ~Engine();

  const ModelInfo& info() const;
  const Tokenizer& tokenizer() const;

  // The prompt of a conversation, by the model's own template. `inputs` holds what the template
  // may ask for: messages, add_generation_prompt, tools, ...; bos_token and eos_token are added.
  // `now_s`: Unix time, for templates that name the date. kFailedPrecondition when the model has
  // no template, kInvalidArgument with the template's line and words when it refuses.
  Result<std::string> render_chat(Object inputs, std::int64_t now_s) const;
  // CONTEXT_LENGTH_EXCEEDED, without tokenizing it, for a text that no tokens could make fit.
  Status check_length(std::string_view text) const;
  // The tokens of a text written by the template (special tokens are recognised and the
  // beginning-of-sequence token is not doubled) or by a user (they are not).
  std::vector<Token> tokenize_chat(std::string_view rendered) const;
  std::vector<Token> tokenize_text(std::string_view text) const;

  // Queues a request; returns at once. The listener is not owned and hears nothing when this
  // fails: kInvalidArgument for what the request asks (type CONTEXT_LENGTH_EXCEEDED when it does
  // not fit the context), kResourceExhausted with retry_after_ms when the queue is full,
  // kUnavailable after stop().
  Result<RequestId> submit(GenerateRequest request, StreamListener& listener);
  // Takes effect before the next step; the listener hears on_finish(kCancelled) unless the
  // request was over before. Unknown ids are ignored.
  void cancel(RequestId id);
  // A paused request keeps its place and its cache and computes nothing until resumed; at most
  // the text of one step still comes. Unknown ids are ignored.
  void pause(RequestId id);
  void resume(RequestId id);

  // Ends the thread; requests not over hear on_error(kUnavailable). Idempotent.
  void stop();

 private:
  class Loop;
  explicit Engine(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace backplane::local
