// SPDX-License-Identifier: Apache-2.0
// What a caller asks for, what it hears, and one request on its way from the first to the other.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/model/model.hpp"
#include "plugins/backends/local/sampling/sampler.hpp"
#include "plugins/backends/local/sampling/stop_matcher.hpp"
#include "plugins/backends/local/tokenizer/detokenizer.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {

using RequestId = std::uint64_t;

inline constexpr std::size_t kStopStringsMax = 16;
inline constexpr std::size_t kStopStringBytesMax = 1024;

struct GenerateRequest {
  std::vector<Token> prompt_tokens;
  std::uint32_t max_tokens = 0;  // 0: as many as the context has room for
  SamplingOptions sampling;
  std::vector<std::string> stop;  // never part of the output
};

enum class FinishReason { kStop, kLength, kCancelled };

struct Usage {
  std::uint32_t prompt_tokens = 0;
  std::uint32_t completion_tokens = 0;  // every token picked, the ending one too
};

// Hears one request, on the engine's thread: any number of texts, then exactly one of on_finish
// and on_error, then nothing. May call the engine's submit, cancel, pause and resume; must not
// block or throw. Lives until its terminal call returns.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  // Whole UTF-8 characters, at least one.
  virtual void on_text(std::string_view text) = 0;
  virtual void on_finish(FinishReason reason, const Usage& usage) = 0;
  virtual void on_error(const Error& error) = 0;
};

// One admitted request: what is in its cache and what comes next. The engine's thread only.
class Generation {
 public:
  Generation(RequestId id, GenerateRequest request, StreamListener& listener)
      : id_(id),
        request_(std::move(request)),
        listener_(listener),
        sampler_(request_.sampling),
        stops_(request_.stop) {
    usage_.prompt_tokens = static_cast<std::uint32_t>(request_.prompt_tokens.size());
  }

  RequestId id() const { return id_; }
  StreamListener& listener() const { return listener_; }
  // Positions its cache must hold.
  std::size_t positions() const { return request_.prompt_tokens.size() + request_.max_tokens; }
  bool has_cache() const { return cache_ != nullptr; }
  void set_cache(std::unique_ptr<KvCache> cache) { cache_ = std::move(cache); }

  // Prompt tokens that are not in the cache yet; 0 once tokens are being generated.
  std::size_t prompt_left() const;
  // Appends the next `count` prompt tokens, or the last generated token, to a batch.
  void append_entries(std::size_t count, std::vector<BatchEntry>& batch);
  // Takes the logits of its last entry: picks a token and tells the listener. True when the
  // request is over; the listener has heard its end then.
  bool accept(std::span<const float> logits, const Tokenizer& tokenizer);
  // Ends it early.
  void cancel();

 private:
  void say(const std::string& text);
  void finish(FinishReason reason);

  RequestId id_;
  GenerateRequest request_;
  StreamListener& listener_;
  std::unique_ptr<KvCache> cache_;
  Sampler sampler_;
  Detokenizer detokenizer_;
  StopMatcher stops_;
  std::uint32_t position_ = 0;  // tokens in the cache
  Token last_ = 0;
  Usage usage_;
};

}  // namespace backplane::local
