// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/call.hpp"
#include "runtime/plugin/check/tests.hpp"
#include "runtime/plugin/description.hpp"

#include <algorithm>
#include <memory>

namespace backplane {
namespace {

constexpr std::uint64_t kScriptedEventsMax = 16;
constexpr std::size_t kConcurrentCalls = 32;
constexpr std::size_t kNestingDepth = 100'000;
constexpr const char* kChat = "chat.completions";
constexpr const char* kPrompt =
    "Count: one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, "
    "fourteen, fifteen, sixteen, seventeen, eighteen, nineteen and twenty. \xe2\x82\xac "
    "\xf0\x9f\x99\x82";

std::string chat_body(const std::string& model, bool stream) {
  return "{\"model\": \"" + model + "\", \"messages\": [{\"role\": \"user\", \"content\": \"" +
         kPrompt + "\"}], \"max_tokens\": 16, \"stream\": " + (stream ? "true" : "false") + "}";
}

// A started backend that serves chat; every test of calls begins with one.
class Bench {
 public:
  Bench(Probe& probe, const Subject& subject)
      : probe_(probe),
        instance_(probe, host_, subject),
        backend_(*static_cast<const bp_backend*>(subject.table)) {}

  // False: the test is over, the probe knows why.
  bool begin() {
    if (!instance_.begin()) return false;
    bp_buffer out{};
    probe_.step("describe");
    if (backend_.describe(instance_.self(), &out, nullptr) != BP_CODE_OK) {
      probe_.fail("describe failed");
      return false;
    }
    const Result<Description> description = read_description({out.data, out.size});
    if (out.release != nullptr) out.release(out.owner);
    if (!description) {
      probe_.fail("describe: " + description.error().message);
      return false;
    }
    const std::vector<std::string>& operations = description->operations;
    if (std::find(operations.begin(), operations.end(), kChat) == operations.end()) {
      probe_.skip("serves no chat.completions");
      return false;
    }
    if (!description->models.empty()) model_ = description->models.front().id;
    return true;
  }

  CallRequest chat(bool stream = true) const {
    return {kChat, chat_body(model_, stream), model_, stream};
  }
  std::unique_ptr<CheckCall> call(CallRequest request, CallScript script = {}) {
    return std::make_unique<CheckCall>(probe_, host_, std::move(request), script);
  }
  bool submit(CheckCall& call) { return call.submit(backend_, instance_.self()); }

  // Submits a chat that must be taken.
  std::unique_ptr<CheckCall> start(CallScript script, bool stream = true) {
    std::unique_ptr<CheckCall> started = call(chat(stream), script);
    if (submit(*started)) return started;
    instance_.give_up("submit failed: " + started->refusal());
    return nullptr;
  }

  // Runs one whole chat; the number of its events, 0 where it failed.
  std::uint64_t run_whole(bool stream = true) {
    const std::unique_ptr<CheckCall> whole = start({}, stream);
    if (!whole || !whole->wait_for_end("")) return 0;
    if (whole->terminal_type() != BP_EVENT_END) {
      instance_.give_up("a plain chat ended with an ERROR event, code " +
                        std::to_string(whole->terminal_code()));
      return 0;
    }
    whole->release();
    return whole->events();
  }

 private:
  Probe& probe_;
  CheckHost host_;
  CheckInstance instance_;
  const bp_backend& backend_;
  std::string model_ = "check";
};

void stream_events(Probe& probe, const Subject& subject) {
  Bench bench(probe, subject);
  if (bench.begin()) bench.run_whole(true);
}

void answer_whole(Probe& probe, const Subject& subject) {
  Bench bench(probe, subject);
  if (bench.begin()) bench.run_whole(false);
}

// Runs `one` with the script at every event of a chat in turn, up to a bound.
template <class One>
void at_every_event(Probe& probe, const Subject& subject, std::uint32_t answer, One one) {
  Bench bench(probe, subject);
  if (!bench.begin()) return;
  const std::uint64_t count = std::min(bench.run_whole(), kScriptedEventsMax);
  for (std::uint64_t event = 0; event < count && !probe.settled(); ++event) {
    const std::unique_ptr<CheckCall> call = bench.start({event, answer});
    if (call) one(*call);
  }
}

void honour_stop(Probe& probe, const Subject& subject) {
  at_every_event(probe, subject, BP_FLOW_STOP, [](CheckCall& call) {
    if (call.wait_for_script() && call.wait_for_end("STOP")) call.release();
  });
}

void honour_pause(Probe& probe, const Subject& subject) {
  at_every_event(probe, subject, BP_FLOW_PAUSE, [](CheckCall& call) {
    if (!call.wait_for_script()) return;
    if (call.terminal_type() == 0) call.resume();
    if (call.wait_for_end("")) call.release();
  });
}

void honour_cancel(Probe& probe, const Subject& subject) {
  at_every_event(probe, subject, BP_FLOW_PAUSE, [&](CheckCall& call) {
    if (!call.wait_for_script()) return;
    const bool was_over = call.terminal_type() != 0;
    call.cancel();
    if (!call.wait_for_end("cancel")) return;
    if (!was_over && call.terminal_type() == BP_EVENT_ERROR &&
        call.terminal_code() != BP_CODE_CANCELLED) {
      return probe.fail("a cancelled call ended with code " + std::to_string(call.terminal_code()) +
                        ", expected CANCELLED (1)");
    }
    call.release();
  });
}

void cancel_at_once(Probe& probe, const Subject& subject) {
  Bench bench(probe, subject);
  if (!bench.begin()) return;
  const std::unique_ptr<CheckCall> call = bench.start({});
  if (!call) return;
  call->cancel();
  if (call->wait_for_end("cancel")) call->release();
}

std::vector<std::string> garbage() {
  return {"",
          "{",
          "[]",
          "null",
          "{}",
          "{\"model\": 7}",
          "{\"model\": \"check\", \"messages\": {}}",
          "{\"model\": \"check\", \"messages\": [[]]}",
          "{\"model\": \"check\", \"messages\": [{\"role\": 1, \"content\": {}}]}",
          "{\"messages\": [{\"role\": \"user\", \"content\": \"\\ud800\"}]}",
          "{\"messages\": [{\"role\": \"user\", \"content\": \"\xff\xfe\"}]}",
          std::string("{\"messages\0\": []}", 17),
          std::string(kNestingDepth, '['),
          "{\"messages\": " + std::string(kNestingDepth, '[')};
}

// A body nobody can serve: an error from submit, or one terminal event.
void refuse_garbage(Probe& probe, const Subject& subject) {
  Bench bench(probe, subject);
  if (!bench.begin()) return;
  for (const std::string& body : garbage()) {
    CallRequest request = bench.chat();
    request.body = body;
    const std::unique_ptr<CheckCall> call = bench.call(std::move(request));
    if (!bench.submit(*call)) continue;
    if (!call->wait_for_end("")) return;
    call->release();
  }
}

void refuse_unknown_operation(Probe& probe, const Subject& subject) {
  Bench bench(probe, subject);
  if (!bench.begin()) return;
  CallRequest request = bench.chat();
  request.operation = "check.no_such_operation";
  const std::unique_ptr<CheckCall> call = bench.call(std::move(request));
  if (!bench.submit(*call)) return;
  if (!call->wait_for_end("")) return;
  if (call->terminal_type() == BP_EVENT_END) {
    probe.fail("served an operation that it does not describe; refuse it with UNIMPLEMENTED");
  }
  call->release();
}

void serve_many(Probe& probe, const Subject& subject) {
  Bench bench(probe, subject);
  if (!bench.begin()) return;
  std::vector<std::unique_ptr<CheckCall>> calls;
  for (std::size_t i = 0; i < kConcurrentCalls && !probe.settled(); ++i) {
    calls.push_back(bench.start({i % 4, BP_FLOW_PAUSE}));
    if (!calls.back()) return;
  }
  for (const std::unique_ptr<CheckCall>& call : calls) {
    if (!call->wait_for_script()) return probe.fail("one of 32 calls at once got no event");
    if (call->terminal_type() == 0) call->resume();
  }
  for (const std::unique_ptr<CheckCall>& call : calls) {
    if (!call->wait_for_end("")) return;
    call->release();
  }
}

constexpr CheckTest kTests[] = {
    {"backend.stream", &stream_events},   {"backend.whole_answer", &answer_whole},
    {"backend.stop", &honour_stop},       {"backend.pause", &honour_pause},
    {"backend.cancel", &honour_cancel},   {"backend.early_cancel", &cancel_at_once},
    {"backend.garbage", &refuse_garbage}, {"backend.unknown_operation", &refuse_unknown_operation},
    {"backend.many_calls", &serve_many}};

}  // namespace

std::span<const CheckTest> backend_tests() {
  return kTests;
}

}  // namespace backplane
