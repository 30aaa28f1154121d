// SPDX-License-Identifier: Apache-2.0
// One call on the engine: its listener there, a bp_call to the host. Prepared on the preparer's
// thread, fed by the engine's, cancelled and resumed on the call's loop. It has three holders: the
// host, the preparer, and whoever emits its terminal event; the one that lets go last deletes it.
#pragma once

#include <backplane/plugin.hpp>
#include <mutex>
#include <string>

#include "plugins/backends/local/engine/engine.hpp"
#include "plugins/backends/local/request.hpp"

namespace backplane::local {

class LocalCall final : public Call, public StreamListener {
 public:
  LocalCall(Engine& engine, const bp_request& request, const bp_sink& sink,
            const RequestDefaults& defaults);

  // On the preparer's thread: hands the request to the engine, or ends the call with an error.
  void prepare(std::int64_t now_s);
  // Deletes a call that the host never got.
  void discard() { delete this; }

  void on_cancel() noexcept override;
  void on_resume() noexcept override;
  void on_release() noexcept override { let_go(); }

  void on_piece(const Piece& piece) override;
  void on_finish(FinishReason reason, const Usage& usage) override;
  void on_error(const Error& error) override;

 private:
  ~LocalCall() override = default;
  bool begin_to_prepare();
  Result<std::vector<Token>> prompt_tokens(ParsedRequest& parsed, std::int64_t now_s) const;
  Result<RequestId> submit(std::int64_t now_s);
  void end(const Error& error);
  void let_go();

  Engine& engine_;
  const std::string operation_;
  const BufferRef body_;
  const RequestDefaults defaults_;
  EventWriter events_;
  std::atomic<int> holders_{3};

  std::mutex mutex_;
  RequestId id_ = 0;  // 0: not with the engine yet
  bool preparing_ = false;
  bool cancelled_ = false;
  bool resumed_ = false;  // since the piece that is being sent
};

}  // namespace backplane::local
