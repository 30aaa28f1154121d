// SPDX-License-Identifier: Apache-2.0
// One call over a fake host, from submit to release.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/http_call.hpp"
#include "fake_host.hpp"

namespace backplane::testing {

inline const Headers kEventStream{{"content-type", "text/event-stream; charset=utf-8"}};
inline const Headers kJsonBody{{"content-type", "application/json"}};

inline std::string delta(std::string_view text) {
  return R"({"choices":[{"index":0,"delta":{"content":")" + std::string(text) +
         R"("},"finish_reason":null}]})";
}
inline const std::string kStop = R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
inline const std::string kUsage =
    R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})";
inline std::string event(std::string_view document) {
  return "data: " + std::string(document) + "\n\n";
}

class CallRig {
 public:
  explicit CallRig(std::uint32_t flags = BP_REQUEST_STREAM)
      : upstream{*dialect::find_services(Host(host.get())),
                 {},
                 dialect::Scrubber("http://secret.example/v1", {"sk-secret"}),
                 dialect::Counter(Host(host.get()), "malformed", "x", "test")},
        body(make_buffer(R"({"model":"m","stream":true})")) {
    request.struct_size = sizeof(request);
    request.flags = flags;
    request.id = str("request-1");
    request.body = body;
    request.loop = host.loop();
  }
  ~CallRig() {
    release();
    if (body.release != nullptr) body.release(body.owner);
  }
  CallRig(const CallRig&) = delete;

  Status start(bool hide_usage = false) {
    rules.stream.hide_usage = hide_usage;
    Result<dialect::BodySplice> splice = dialect::BodySplice::make(request, hide_usage);
    Result<Call*> made = dialect::start_call(upstream, request, *sink.get(),
                                             {"http://secret.example/v1/chat/completions",
                                              {{"accept", "text/event-stream"}},
                                              std::move(*splice),
                                              rules,
                                              {},
                                              std::move(filter)});
    if (!made) return made.error();
    call = *made;
    std::exchange(body, bp_buffer{}).release(request.body.owner);  // the call holds its own count
    return ok();
  }
  // A stream that has begun.
  void open(bool hide_usage = false) {
    ASSERT_TRUE(start(hide_usage));
    host.head(200, kEventStream);
  }
  void cancel() {
    call->cancel(call);
    host.run();
  }
  void resume() {
    sink.paused = false;
    call->resume(call);
    host.run();
  }
  // As the host does: after the terminal event, and the response goes to its end by itself.
  void release() {
    if (call == nullptr) return;
    if (!sink.ended) cancel();
    EXPECT_TRUE(sink.ended);
    call->release(std::exchange(call, nullptr));
    if (host.is_open()) host.done();
    host.run();
  }

  FakeHost host;
  RecordingSink sink;
  dialect::Upstream upstream;
  dialect::AnswerRules rules;
  std::unique_ptr<dialect::AnswerFilter> filter;
  bp_buffer body;
  bp_request request{};
  bp_call* call = nullptr;
};

}  // namespace backplane::testing
