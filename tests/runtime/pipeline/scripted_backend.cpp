// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/pipeline/scripted_backend.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>

namespace backplane::test {
namespace {

// What a plugin that never ends holds for ever is no leak of the host.
std::vector<const void*>& never_ended() {
  static auto* kept = new std::vector<const void*>;
  return *kept;
}

}  // namespace

Step head(std::vector<std::pair<std::string, std::string>> headers) {
  Step step;
  step.type = BP_EVENT_HEAD;
  step.headers = std::move(headers);
  return step;
}
Step text(std::string data) {
  Step step;
  step.data = std::move(data);
  return step;
}
Step text_with_logprobs(std::string data, std::string logprobs) {
  Step step = text(std::move(data));
  step.logprobs = std::move(logprobs);
  return step;
}
Step reasoning(std::string data) {
  Step step = text(std::move(data));
  step.type = BP_EVENT_REASONING;
  return step;
}
Step tool_call(std::string id, std::string name, std::string arguments) {
  Step step = text(std::move(arguments));
  step.type = BP_EVENT_TOOL_CALL;
  step.tool_call = {std::move(id), std::move(name)};
  return step;
}
Step receipt(std::string document) {
  Step step = text(std::move(document));
  step.type = BP_EVENT_RECEIPT;
  return step;
}
Step usage(std::uint64_t prompt, std::uint64_t completion) {
  Step step;
  step.type = BP_EVENT_USAGE;
  step.tokens = {prompt, completion};
  return step;
}
Step end() {
  Step step;
  step.type = BP_EVENT_END;
  return step;
}
Step error(Code code, std::uint32_t http_status) {
  Step step;
  step.type = BP_EVENT_ERROR;
  step.error = {code, "scripted", "SCRIPTED", http_status, 0};
  return step;
}

Script::Script() {
  submit_error.code = Code::kOk;
}
Script::Script(std::vector<Step> all) : Script() {
  steps = std::move(all);
}

class ScriptedBackend::Call final : public bp_call {
 public:
  Call(ScriptedBackend& owner, bp_loop* loop, const bp_sink& sink, Script script)
      : bp_call{sizeof(bp_call), 0, [](bp_call* self) { of(self).on_cancel(); },
                [](bp_call* self) { of(self).on_resume(); },
                [](bp_call* self) { of(self).on_release(); }},
        owner_(owner),
        loop_(loop),
        sink_(sink),
        script_(std::move(script)) {}

  // Emits every step that is due; books the next turn for the rest.
  void run() {
    while (!ended_ && !paused_ && next_ < script_.steps.size()) {
      const Step& step = script_.steps[next_];
      if (step.when != When::kNow && !due_) return schedule<&Call::go_on>(step.when, step.delay_ms);
      due_ = false;
      ++next_;
      const std::uint32_t flow = emit(step, step.when == When::kElsewhere);
      if (flow == BP_FLOW_STOP && script_.keeps_stop) return on_stop();
      if (flow == BP_FLOW_PAUSE && script_.keeps_pause) paused_ = true;
    }
  }
  bool pending() const { return pending_ != 0; }

 private:
  static Call& of(bp_call* self) { return *static_cast<Call*>(self); }

  template <void (Call::*what)()>
  void schedule(When when, std::uint64_t delay_ms) {
    ++pending_;
    const bp_task task = [](void* self) {
      auto* call = static_cast<Call*>(self);
      --call->pending_;
      (call->*what)();
      call->delete_when_idle();
    };
    const bp_loop_service& loops = owner_.loops_.service();
    if (when == When::kAfter) {
      loops.post_after(loop_, delay_ms, task, this);
    } else {
      loops.post(loop_, task, this);
    }
  }
  void go_on() {
    due_ = true;
    if (!stopped_ || !script_.keeps_stop) run();
    due_ = false;
  }

  std::uint32_t emit(const Step& step, bool elsewhere) {
    bp_usage tokens{};
    tokens.struct_size = step.usage_size;
    tokens.prompt_tokens = step.tokens.first;
    tokens.completion_tokens = step.tokens.second;
    bp_error failure;
    report(step.error, &failure);
    std::vector<bp_pair> headers;
    for (const auto& [name, value] : step.headers) headers.push_back({str(name), str(value)});
    bp_event event{};
    event.struct_size = step.struct_size;
    event.type = step.type;
    event.sequence = sequence_++ + static_cast<std::uint64_t>(step.sequence_shift);
    event.data = str(step.data);
    if (step.type == BP_EVENT_USAGE) event.usage = &tokens;
    if (step.type == BP_EVENT_ERROR && !step.without_error) event.error = &failure;
    const bp_tool_call called{step.tool_call_size, 0, str(step.tool_call.first),
                              str(step.tool_call.second)};
    if (step.type == BP_EVENT_TOOL_CALL && step.tool_call_size != 0) event.tool_call = &called;
    event.logprobs = str(step.logprobs);
    std::optional<bp_rate_limit> limit = step.rate_limit;
    if (limit) event.rate_limit = &*limit;
    event.headers = headers.data();
    event.header_count = headers.size();
    if (step.type == BP_EVENT_END || step.type == BP_EVENT_ERROR) ended_ = true;
    const std::uint32_t flow = give(event, elsewhere);
    if (limit) *limit = {};  // borrowed for the emit
    return flow;
  }
  std::uint32_t give(const bp_event& event, bool elsewhere) {
    std::uint32_t flow = BP_FLOW_CONTINUE;
    ++emitting_;
    if (elsewhere) {
      owner_.loops_.elsewhere([&] { flow = sink_.emit(sink_.context, &event); });
    } else {
      flow = sink_.emit(sink_.context, &event);
    }
    --emitting_;
    if (ended_ && script_.stray_after_end && !strayed_) {
      strayed_ = true;
      emit(text("stray"), elsewhere);
      emit(end(), elsewhere);
    }
    return flow;
  }

  void on_stop() {
    if (stopped_) return;
    stopped_ = true;
    if (!script_.ends_on_cancel) {
      ++owner_.owes_;
      never_ended().push_back(&sink_);
      never_ended().push_back(this);
      return;
    }
    if (script_.cancel_when == When::kNow && emitting_ == 0 && pending_ == 0) return finish();
    const When when = script_.cancel_when == When::kAfter ? When::kAfter : When::kTurn;
    schedule<&Call::finish>(when, script_.cancel_delay_ms);
  }
  void finish() {
    if (ended_) return;
    const bool elsewhere = script_.cancel_when == When::kElsewhere;
    if (script_.usage_on_cancel) emit(usage(7, 5), elsewhere);
    emit(error(Code::kCancelled), elsewhere);
  }
  void on_cancel() {
    EXPECT_EQ(emitting_, 0) << "cancelled from inside its emit";
    EXPECT_FALSE(released_) << "cancelled after release";
    EXPECT_TRUE(owner_.loops_.service().is_current(loop_));
    ++owner_.cancelled;
    if (script_.keeps_stop && !ended_) return on_stop();
    if (std::exchange(paused_, false) && pending_ == 0) run();  // goes on, paused or not
  }
  void on_resume() {
    EXPECT_EQ(emitting_, 0) << "resumed from inside its emit";
    EXPECT_FALSE(released_) << "resumed after release";
    EXPECT_TRUE(owner_.loops_.service().is_current(loop_));
    ++owner_.resumed;
    if (!paused_) return;
    paused_ = false;
    if (pending_ == 0 && (!stopped_ || !script_.keeps_stop)) run();
  }
  void on_release() {
    EXPECT_TRUE(ended_) << "released before its end";
    EXPECT_FALSE(released_) << "released twice";
    EXPECT_EQ(emitting_, 0) << "released from inside its emit";
    EXPECT_TRUE(owner_.loops_.service().is_current(loop_));
    released_ = true;
    ++owner_.released;
    delete_when_idle();
  }
  void delete_when_idle() {
    if (released_ && pending_ == 0) delete this;
  }

  ScriptedBackend& owner_;
  bp_loop* const loop_;
  const bp_sink& sink_;
  const Script script_;
  std::size_t next_ = 0;
  std::uint64_t sequence_ = 0;
  int emitting_ = 0;
  int pending_ = 0;
  bool due_ = false;
  bool paused_ = false;
  bool stopped_ = false;
  bool ended_ = false;
  bool released_ = false;
  bool strayed_ = false;
};

ScriptedBackend::ScriptedBackend(std::string name, VirtualLoops& loops)
    : name_(std::move(name)), loops_(loops) {}

ScriptedBackend::~ScriptedBackend() {
  EXPECT_EQ(live(), owes_) << name_ << ": calls that were never released";
}

const bp_backend* ScriptedBackend::table() {
  static const bp_backend kTable{
      sizeof(bp_backend), 0, nullptr, nullptr, &submit, nullptr, nullptr, nullptr, nullptr};
  return &kTable;
}

std::uint32_t ScriptedBackend::submit(void* self, const bp_request* request, const bp_sink* sink,
                                      bp_call** out, bp_error* error) {
  auto& backend = *static_cast<ScriptedBackend*>(self);
  ++backend.submitted;
  Seen& seen = backend.last;
  seen = {std::string(view(request->id)),
          std::string(view(request->model)),
          std::string(view(request->body)),
          std::string(view(request->operation)),
          request->flags,
          request->deadline_ns,
          request->max_output_tokens,
          {}};
  for (std::uint64_t i = 0; i < request->metadata_count; ++i) {
    seen.metadata.emplace(view(request->metadata[i].name), view(request->metadata[i].value));
  }
  if (backend.scripts.empty()) backend.scripts.push_back({{text("hi"), end()}});
  Script script = backend.scripts.front();
  if (backend.scripts.size() > 1) backend.scripts.pop_front();
  const bool fails = script.submit_error.code != Code::kOk;
  if (fails || !script.gives_call) script.keeps_pause = script.keeps_stop = false;
  auto call = std::make_unique<Call>(backend, request->loop, *sink, script);
  call->run();
  if (fails || !script.gives_call) {
    EXPECT_FALSE(call->pending()) << "a script whose submit fails has steps for later";
    never_ended().push_back(sink);
    return fails ? report(script.submit_error, script.submit_says_why ? error : nullptr)
                 : BP_CODE_OK;
  }
  ++backend.accepted_;
  *out = call.release();
  return BP_CODE_OK;
}

}  // namespace backplane::test
