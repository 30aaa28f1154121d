// SPDX-License-Identifier: Apache-2.0
// An engine with a tiny model, requests for it, and what is heard of them.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/backends/local/engine/engine.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {

// Remembers what it hears. on_first_text runs on the engine's thread.
class Heard : public StreamListener {
 public:
  std::function<void(RequestId)> on_first_text;

  void submit(Engine& engine, GenerateRequest request) {
    const std::lock_guard lock(mutex_);
    const auto id = engine.submit(std::move(request), *this);
    ASSERT_TRUE(id) << id.error().message;
    id_ = *id;
  }
  void on_piece(const Piece& piece) override {
    std::unique_lock lock(mutex_);
    EXPECT_FALSE(terminal_);
    EXPECT_FALSE(piece.text.empty());
    const bool first = text_.empty();
    text_ += piece.text;
    const RequestId id = id_;
    lock.unlock();
    changed_.notify_all();
    if (first && on_first_text) on_first_text(id);
  }
  void on_embedding(std::span<const float> vector) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(terminal_);
    EXPECT_TRUE(embedding_.empty());
    embedding_.assign(vector.begin(), vector.end());
  }
  void on_finish(FinishReason reason, const Usage& usage) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(terminal_) << "a second terminal call";
    terminal_ = true;
    reason_ = reason;
    usage_ = usage;
    changed_.notify_all();
  }
  void on_error(const Error& error) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(terminal_) << "a second terminal call";
    terminal_ = true;
    error_ = error;
    changed_.notify_all();
  }

  void wait_for_text() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !text_.empty() || terminal_; });
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return terminal_; });
  }
  RequestId id() const { return locked(id_); }
  std::string text() const { return locked(text_); }
  std::vector<float> embedding() const { return locked(embedding_); }
  bool over() const { return locked(terminal_); }
  FinishReason reason() const { return locked(reason_); }
  Usage usage() const { return locked(usage_); }
  std::optional<Error> error() const { return locked(error_); }

 private:
  template <class T>
  T locked(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  RequestId id_ = 0;
  std::string text_;
  std::vector<float> embedding_;
  bool terminal_ = false;
  FinishReason reason_ = FinishReason::kStop;
  Usage usage_;
  std::optional<Error> error_;
};

inline EngineOptions tiny_options() {
  EngineOptions options;
  options.model_path = tiny_model().save("engine.gguf");
  options.threads = 2;
  options.batch_tokens = 16;
  options.sequences_max = 8;
  return options;
}

inline std::unique_ptr<Engine> load(const EngineOptions& options) {
  auto engine = Engine::load(options);
  EXPECT_TRUE(engine) << (engine ? "" : engine.error().message);
  return engine ? std::move(*engine) : nullptr;
}

inline GenerateRequest request_for(int number, std::uint32_t max_tokens = 40) {
  GenerateRequest request;
  request.prompt_tokens = {kTinyBos};
  for (int i = 0; i < 3 + number * 5; ++i) {
    request.prompt_tokens.push_back(kTinyFirstByte + (i * 37 + number * 11) % 256);
  }
  request.max_tokens = max_tokens;
  request.sampling = {number % 2 == 0 ? 0.0f : 1.2f, 0, 0.95f, static_cast<std::uint64_t>(number)};
  return request;
}

inline std::string text_alone(Engine& engine, const GenerateRequest& request) {
  Heard heard;
  heard.submit(engine, request);
  heard.wait();
  return heard.text();
}

}  // namespace backplane::local
