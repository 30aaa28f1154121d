// SPDX-License-Identifier: Apache-2.0
// A host of which the test is the network and the clock: one loop whose tasks run when told, an
// HTTP client that records what is sent and delivers what the test says, secrets from a map.
#pragma once

#include <backplane/clock.h>
#include <backplane/http.h>
#include <backplane/log.h>
#include <backplane/loop.h>
#include <backplane/metrics.h>
#include <backplane/secrets.h>
#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::testing {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct SentRequest {
  std::string method;
  std::string url;
  Headers headers;
  std::vector<bp_str> body;  // as borrowed: read it while the exchange lives
  bp_http_request raw{};

  // What was to be sent at once.
  std::string text() const {
    std::string joined;
    for (const bp_str& piece : body) joined += view(piece);
    return joined;
  }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return "<none>";
  }
};

class FakeHost {
 public:
  FakeHost() = default;
  FakeHost(const FakeHost&) = delete;

  const bp_host* get() const { return &host_; }
  bp_loop* loop() { return reinterpret_cast<bp_loop*>(this); }

  // Runs the tasks that are on the loop, and those they post.
  void run() {
    while (true) {
      std::pair<bp_task, void*> task;
      {
        const std::lock_guard lock(mutex_);
        if (tasks_.empty()) return;
        task = tasks_.front();
        tasks_.pop_front();
      }
      task.first(task.second);
    }
  }

  bool is_open() const { return handler_ != nullptr; }

  struct Timer {
    std::uint64_t delay_ms;
    bp_task task;
    void* argument;
  };
  std::map<std::uint64_t, Timer> timers;
  // Runs the one timer there is, whatever its delay.
  void fire() {
    ASSERT_EQ(timers.size(), 1U);
    const Timer timer = timers.begin()->second;
    timers.clear();
    timer.task(timer.argument);
  }

  void head(std::uint32_t status, const Headers& headers) {
    ASSERT_TRUE(is_open());
    std::vector<bp_pair> pairs;
    for (const auto& [name, value] : headers) pairs.push_back({str(name), str(value)});
    handler_->head(context_, status, pairs.data(), pairs.size());
  }
  // The bytes lie in memory of their own that is gone afterwards: who keeps a view is found out.
  std::uint32_t data(std::string_view bytes) {
    EXPECT_TRUE(is_open());
    EXPECT_FALSE(is_paused_) << "data after PAUSE, before resume";
    const std::vector<char> own(bytes.begin(), bytes.end());
    const std::uint32_t flow = handler_->data(context_, {own.data(), own.size()});
    if (flow == BP_FLOW_STOP) handler_ = nullptr;
    is_paused_ = flow == BP_FLOW_PAUSE;
    return flow;
  }
  void done() {
    ASSERT_TRUE(is_open());
    std::exchange(handler_, nullptr)->done(context_);
  }
  void failed(std::uint32_t code, std::string_view message) {
    ASSERT_TRUE(is_open());
    bp_error error{};
    report({static_cast<Code>(code), std::string(message), {}, 0, 0}, &error);
    std::exchange(handler_, nullptr)->failed(context_, &error);
  }

  std::vector<SentRequest> requests;
  std::map<std::string, std::string> secrets;
  std::vector<std::string> log_lines;
  std::map<std::string, std::int64_t> counters;  // by name
  std::string missing_interface;                 // get_interface gives null for it
  std::int64_t monotonic_ns = 1'000'000'000;
  std::int64_t unix_ns = 0;
  bool refuses_requests = false;
  bool takes_many = false;  // exchanges at a time, of which the last is served
  int cancel_count = 0;
  int resume_count = 0;

 private:
  static FakeHost& self(void* context) { return *static_cast<FakeHost*>(context); }

  static std::uint32_t send(void* context, const bp_http_request* request,
                            const bp_http_handler* handler, void* handler_context,
                            bp_http_exchange** out, bp_error* error) {
    FakeHost& host = self(context);
    if (host.refuses_requests) return report(invalid_argument("bad url"), error);
    EXPECT_TRUE(host.takes_many || !host.is_open()) << "one exchange at a time";
    SentRequest sent;
    sent.method = view(request->method);
    sent.url = view(request->url);
    for (std::uint64_t at = 0; at < request->header_count; ++at) {
      sent.headers.emplace_back(view(request->headers[at].name), view(request->headers[at].value));
    }
    sent.body.assign(request->body, request->body + request->body_count);
    sent.raw = *request;
    host.requests.push_back(std::move(sent));
    host.handler_ = handler;
    host.context_ = handler_context;
    host.is_paused_ = false;
    *out = reinterpret_cast<bp_http_exchange*>(&host);
    return BP_CODE_OK;
  }
  static void resume(bp_http_exchange* exchange) {
    FakeHost& host = *reinterpret_cast<FakeHost*>(exchange);
    EXPECT_TRUE(host.is_open()) << "resume of an exchange that has ended";
    host.is_paused_ = false;
    ++host.resume_count;
  }
  static void cancel(bp_http_exchange* exchange) {
    FakeHost& host = *reinterpret_cast<FakeHost*>(exchange);
    EXPECT_TRUE(host.takes_many || host.is_open()) << "cancel of an exchange that has ended";
    host.handler_ = nullptr;
    ++host.cancel_count;
  }
  static void post(bp_loop* loop, bp_task task, void* argument) {
    FakeHost& host = *reinterpret_cast<FakeHost*>(loop);
    const std::lock_guard lock(host.mutex_);
    host.tasks_.emplace_back(task, argument);
  }
  static std::uint64_t post_after(bp_loop* loop, std::uint64_t delay_ms, bp_task task,
                                  void* argument) {
    FakeHost& host = *reinterpret_cast<FakeHost*>(loop);
    host.timers[++host.timer_names_] = {delay_ms, task, argument};
    return host.timer_names_;
  }
  static std::uint32_t cancel_timer(bp_loop* loop, std::uint64_t timer) {
    return reinterpret_cast<FakeHost*>(loop)->timers.erase(timer) != 0 ? 1 : 0;
  }
  static std::uint32_t secret(void* context, bp_str reference, bp_buffer* out, bp_error* error) {
    const auto& secrets = self(context).secrets;
    const auto found = secrets.find(std::string(view(reference)));
    if (found == secrets.end()) {
      return report({Code::kNotFound, "no such secret", {}, 0, 0}, error);
    }
    *out = make_buffer(found->second);
    return BP_CODE_OK;
  }
  static std::uint32_t define(void* context, const bp_metric_options* options, std::uint64_t* out,
                              bp_error*) {
    FakeHost& host = self(context);
    *out = host.counters_.size();
    host.counters_.emplace_back(view(options->name));
    return BP_CODE_OK;
  }
  static void count(void* context, std::uint64_t handle, std::int64_t value) {
    self(context).counters[self(context).counters_.at(handle)] += value;
  }
  static const void* find(const bp_host* host, bp_str id) {
    FakeHost& fake = self(host->context);
    const std::string_view name = view(id);
    if (name == fake.missing_interface) return nullptr;
    if (name == BP_HTTP_ID) return &fake.http_;
    if (name == BP_LOOP_ID) return &fake.loop_;
    if (name == BP_CLOCK_ID) return &fake.clock_;
    if (name == BP_LOG_ID) return &fake.log_;
    if (name == BP_METRICS_ID) return &fake.metrics_;
    if (name == BP_SECRETS_ID) return &fake.secrets_;
    return nullptr;
  }

  bp_http http_{sizeof(bp_http), 0, this, &send, &resume, &cancel};
  bp_loop_service loop_{sizeof(bp_loop_service),
                        1,
                        this,
                        [](void* context, std::uint32_t) { return self(context).loop(); },
                        [](bp_loop*) { return std::uint32_t{1}; },
                        &post,
                        &post_after,
                        &cancel_timer};
  bp_clock clock_{sizeof(bp_clock),
                  0,
                  this,
                  [](void* context) { return self(context).monotonic_ns; },
                  [](void* context) { return self(context).unix_ns; },
                  nullptr};
  bp_log log_{sizeof(bp_log), 0, this, nullptr,
              [](void* context, std::uint32_t, bp_str, bp_str message, const bp_pair*,
                 std::uint64_t) { self(context).log_lines.emplace_back(view(message)); }};
  bp_metrics metrics_{sizeof(bp_metrics), 0, this, &define, &count, nullptr};
  bp_secrets secrets_{sizeof(bp_secrets), 0, this, &secret};
  bp_host host_{sizeof(bp_host), BP_ABI_MAJOR, BP_ABI_MINOR, 0, {"test", 4}, this, &find};

  std::vector<std::string> counters_;
  std::uint64_t timer_names_ = 0;
  std::mutex mutex_;
  std::deque<std::pair<bp_task, void*>> tasks_;
  const bp_http_handler* handler_ = nullptr;
  void* context_ = nullptr;
  bool is_paused_ = false;
};

// Writes down the events of one call and checks the rules of a sink at every one.
class RecordingSink {
 public:
  const bp_sink* get() const { return &sink_; }

  // What emit answers, by the number of the event; CONTINUE where nothing is said.
  std::map<std::uint64_t, std::uint32_t> answers;
  void set_overrun(std::uint32_t count) { sink_.max_overrun = count; }

  // "head name: value", "chunk {...}", "chunk @name {...}", "body", "usage 3 4", "end", "error 14
  // 502"
  std::vector<std::string> events;
  std::vector<std::string> chunks;
  std::vector<std::string> receipts;
  std::string body;
  std::string media_type;
  std::string closing;  // what END said
  bp_usage usage{};
  bp_error error{};
  bp_rate_limit rate_limit{};  // of the last event that told one
  bool ended = false;
  bool paused = false;  // set by an answer PAUSE; the test clears it when it resumes
  std::uint64_t after_pause = 0;

 private:
  static std::uint32_t emit(void* context, const bp_event* event) {
    auto& sink = *static_cast<RecordingSink*>(context);
    EXPECT_FALSE(sink.ended) << "event after the terminal one";
    EXPECT_EQ(event->sequence, sink.events.size()) << "gap in the sequence";
    sink.write(*event);
    if (sink.paused && !sink.ended) {
      EXPECT_LE(++sink.after_pause, sink.sink_.max_overrun) << "overrun after PAUSE";
    }
    const auto answer = sink.answers.find(event->sequence);
    if (answer == sink.answers.end()) return BP_FLOW_CONTINUE;
    if (answer->second == BP_FLOW_PAUSE) {
      sink.paused = true;
      sink.after_pause = 0;
    }
    return answer->second;
  }

  void write(const bp_event& event) {
    if (event.rate_limit != nullptr) rate_limit = *event.rate_limit;
    const std::string data(view(event.data));
    const std::string name = '@' + std::string(view(event.detail));
    switch (event.type) {
      case BP_EVENT_HEAD: {
        std::string text = "head";
        for (std::uint64_t i = 0; i < event.header_count; ++i) {
          text += ' ' + std::string(view(event.headers[i].name)) + ": " +
                  std::string(view(event.headers[i].value));
        }
        events.push_back(text);
        break;
      }
      case BP_EVENT_CHUNK:
        chunks.push_back(data);
        events.push_back("chunk " + (event.detail.size == 0 ? data : name + ' ' + data));
        break;
      case BP_EVENT_BODY:
        body += data;
        media_type = view(event.detail);
        events.push_back("body");
        break;
      case BP_EVENT_USAGE:
        usage = *event.usage;
        events.push_back("usage " + std::to_string(usage.prompt_tokens) + ' ' +
                         std::to_string(usage.completion_tokens));
        break;
      case BP_EVENT_END:
        ended = true;
        closing = data;
        events.emplace_back("end");
        break;
      case BP_EVENT_ERROR:
        ended = true;
        error = *event.error;
        events.push_back("error " + std::to_string(error.code) + ' ' +
                         std::to_string(error.http_status));
        break;
      case BP_EVENT_RECEIPT:
        receipts.push_back(data);
        events.emplace_back("event 11");
        break;
      default:
        events.push_back("event " + std::to_string(event.type));
    }
  }

  bp_sink sink_{sizeof(bp_sink), 0, this, &emit};
};

}  // namespace backplane::testing
