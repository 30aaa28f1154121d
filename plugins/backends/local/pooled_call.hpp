// SPDX-License-Identifier: Apache-2.0
// A call that is answered with vectors of texts, or what is made of them: embeddings, a ranking.
// Its texts go to the engine some at a time, each a request of its own, computed together with what
// else there is; the answer is one document. Holders and threads are those of LocalCall.
#pragma once

#include <atomic>
#include <backplane/plugin.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/backends/local/adapters/adapter_choice.hpp"
#include "plugins/backends/local/engine/engine.hpp"
#include "plugins/backends/local/pooled_work.hpp"

namespace backplane::local {

class PooledCall final : public Call {
 public:
  // Texts of one call that the engine has at a time.
  static constexpr std::size_t kAtOnceMax = 32;

  // All outlive the call.
  PooledCall(Engine& engine, AdapterStore& adapters, const PooledSettings& settings,
             const bp_request& request, const bp_sink& sink);

  // On the preparer's thread: hands the first texts to the engine, or ends the call with an error.
  void prepare(std::int64_t now_ms);
  // Deletes a call that the host never got.
  void discard() { delete this; }

  void on_cancel() noexcept override;
  void on_resume() noexcept override {}
  void on_release() noexcept override { let_go(); }

 private:
  // One text at the engine.
  class Text final : public StreamListener {
   public:
    Text(PooledCall& call, std::size_t index) : call_(call), index_(index) {}
    void on_piece(const Piece&) override {}
    void on_embedding(std::span<const float> state) override { call_.take(index_, state); }
    void on_finish(FinishReason reason, const Usage& usage) override {
      call_.finish_text(index_, reason, usage);
    }
    void on_error(const Error& error) override { call_.fail_text(index_, error); }

   private:
    PooledCall& call_;
    const std::size_t index_;
  };

  ~PooledCall() override = default;
  bool begin_to_prepare();
  Status begin(std::int64_t now_ms);
  void take(std::size_t index, std::span<const float> state);
  void finish_text(std::size_t index, FinishReason reason, const Usage& usage);
  void fail_text(std::size_t index, const Error& error);
  Status submit_more();
  void fail(const Error& error);
  void end_text(std::size_t index, std::unique_lock<std::mutex> lock);
  void end(const Error& error);
  void let_go();

  Engine& engine_;
  AdapterStore& adapters_;
  const PooledSettings& settings_;
  const std::string operation_;
  const BufferRef body_;
  const std::string model_;       // as the backend knows it
  const std::string model_json_;  // as the answer has it
  const std::string id_;
  EventWriter events_;
  std::atomic<int> holders_{3};

  // Set before the first text is submitted.
  AdapterChoice adapter_;
  std::optional<std::chrono::milliseconds> keep_alive_;
  std::unique_ptr<PooledWork> work_;

  std::mutex mutex_;  // guards what follows
  std::deque<Text> texts_;
  std::vector<RequestId> ids_;  // of the texts submitted; 0: over
  std::size_t running_ = 0;
  std::uint64_t prompt_tokens_ = 0;
  std::optional<Error> failure_;
  bool preparing_ = false;
  bool cancelled_ = false;
};

}  // namespace backplane::local
