// SPDX-License-Identifier: Apache-2.0
// One call on the engine: the listeners of its choices there, a bp_call to the host. Prepared on
// the preparer's thread, fed by the engine's, cancelled and resumed on the call's loop. It has
// three holders: the host, the preparer, and whoever emits its terminal event; the one that lets go
// last deletes it.
#pragma once

#include <backplane/plugin.hpp>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/backends/local/choice.hpp"
#include "plugins/backends/local/engine/engine.hpp"
#include "plugins/backends/local/generation_plan.hpp"
#include "plugins/backends/local/request/request.hpp"

namespace backplane::local {

class LocalCall final : public Call, private ChoiceOwner {
 public:
  // Engine, output and adapters outlive the call.
  LocalCall(Engine& engine, const ModelOutput& output, AdapterStore& adapters,
            const bp_request& request, const bp_sink& sink, const RequestDefaults& defaults);

  // Whether a schema may have to be compiled for it, which can take seconds. Before prepare.
  bool may_take_long() const;
  // On a thread of the preparer's: hands the request to the engine, or ends the call with an error.
  void prepare(std::int64_t now_s);
  // Deletes a call that the host never got.
  void discard() { delete this; }

  void on_cancel() noexcept override;
  void on_resume() noexcept override;
  void on_release() noexcept override { let_go(); }

 private:
  ~LocalCall() override = default;
  bool begin_to_prepare();
  Status submit(std::int64_t now_s);
  Status submit_choices(GenerationPlan plan);
  void on_refused_choice(const Error& error, std::size_t missing);

  EventWriter& begin_event() override;
  void end_event(std::uint32_t flow) override;
  std::uint64_t next_id() override;
  void on_choice_finish(FinishReason reason, const Usage& usage, std::uint32_t reasoning_tokens,
                        std::uint32_t index) override;
  void on_choice_error(const Error& error) override;
  // Of choices; true where none is left.
  bool is_over(std::size_t ended = 1);
  void cancel_choices();
  void end();
  void end(const Error& error);
  void let_go();

  Engine& engine_;
  const ModelOutput& output_;
  AdapterStore& adapters_;
  const std::string operation_;
  const std::string model_;  // as the backend knows it
  const BufferRef body_;
  const RequestDefaults defaults_;
  EventWriter events_;
  std::atomic<int> holders_{3};

  std::deque<Choice> choices_;  // before they are submitted the preparer's, then the engine's
  std::uint32_t choices_per_prompt_ = 1;
  std::uint64_t id_state_;
  bp_usage usage_{};

  std::mutex mutex_;
  std::vector<RequestId> ids_;  // of what is with the engine
  std::size_t left_ = 0;        // choices that are not over
  std::optional<Error> failure_;
  bool preparing_ = false;
  bool cancelled_ = false;
  bool resumed_ = false;  // since the piece that is being sent
};

}  // namespace backplane::local
