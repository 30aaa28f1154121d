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
#include "plugins/backends/local/engine/engine_options.hpp"
#include "plugins/backends/local/engine/generate_request.hpp"
#include "plugins/backends/local/engine/model_text.hpp"
#include "plugins/backends/local/engine/stream_listener.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

class BatchLoop;

class Engine {
 public:
  // Loads the model, all but its weights where `lazy`, and starts the thread. Errors name the file,
  // the place and the remedy.
  static Result<std::unique_ptr<Engine>> load(const EngineOptions& options);
  ~Engine();

  const ModelInfo& info() const { return text_.info(); }
  const Tokenizer& tokenizer() const { return text_.tokenizer(); }
  // Of the model: its metadata and tensors.
  const ModelFile& file() const { return text_.file(); }

  // The prompt of a conversation, by the model's own template. `inputs` holds what the template
  // may ask for: messages, add_generation_prompt, tools, ...; bos_token and eos_token are added.
  // `now_s`: Unix time, for templates that name the date. kFailedPrecondition when the model has
  // no template, kInvalidArgument with the template's line and words when it refuses.
  Result<std::string> render_chat(Object inputs, std::int64_t now_s) const {
    return text_.render_chat(std::move(inputs), now_s);
  }
  // context_length_exceeded, without tokenizing it, for a text that no tokens could make fit.
  Status check_length(std::string_view text) const { return text_.check_length(text); }
  // The tokens of a text written by the template (special tokens are recognised and the
  // beginning-of-sequence token is not doubled) or by a user (they are not).
  std::vector<Token> tokenize_chat(std::string_view rendered) const {
    return text_.tokenize_chat(rendered);
  }
  std::vector<Token> tokenize_text(std::string_view text) const {
    return text_.tokenize_text(text);
  }

  // Queues a request; returns at once. The listener is not owned and hears nothing when this
  // fails: kInvalidArgument for what the request asks (type context_length_exceeded when it does
  // not fit the context), kResourceExhausted with retry_after_ms when the queue is full,
  // kUnavailable after stop().
  Result<RequestId> submit(GenerateRequest request, StreamListener& listener);
  // Takes effect before the next step; the listener hears on_finish(kCancelled) unless the
  // request was over before. Unknown ids are ignored.
  void cancel(RequestId id);
  // A paused request computes nothing until resumed; at most the text of one step still comes. It
  // gives way to whoever needs its place or its pages. Unknown ids are ignored.
  void pause(RequestId id);
  void resume(RequestId id);

  // Ends the thread; requests not over hear on_error(kUnavailable). Idempotent.
  void stop();

 private:
  Engine(ModelText text, const EngineOptions& options);
  Status check(const GenerateRequest& request) const;

  const ModelText text_;
  const std::uint32_t answer_tokens_default_;
  std::unique_ptr<BatchLoop> loop_;
};

}  // namespace backplane::local
