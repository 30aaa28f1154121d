// SPDX-License-Identifier: Apache-2.0
// Real threads: every loop runs on one of its own and backends emit from others, so that the thread
// sanitizer sees what the rules of bp_sink allow.
#include "runtime/pipeline/gateway.hpp"
#include "runtime/services/clock.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <thread>

namespace backplane::test {
namespace {

constexpr auto kSilent = static_cast<LogLevel>(4);

class ThreadLoop {
 public:
  ThreadLoop() : thread_([this] { run(); }) {}
  ~ThreadLoop() {
    call([this] { stopped_ = true; });
    thread_.join();
  }
  bp_loop* handle() { return reinterpret_cast<bp_loop*>(this); }
  // Runs on the loop, waits for it.
  void call(std::function<void()> body) {
    std::promise<void> done;
    std::function<void()> task = [&] {
      body();
      done.set_value();
    };
    post(
        handle(), [](void* argument) { (*static_cast<std::function<void()>*>(argument))(); },
        &task);
    done.get_future().wait();
  }
  static void post(bp_loop* loop, bp_task task, void* argument) {
    const std::lock_guard lock(of(loop).mutex_);
    of(loop).tasks_.emplace_back(task, argument);
    of(loop).wake_.notify_one();
  }
  static bp_loop_service service(std::vector<std::unique_ptr<ThreadLoop>>& loops) {
    return {
        sizeof(bp_loop_service),
        static_cast<std::uint32_t>(loops.size()),
        &loops,
        [](void* all, std::uint32_t index) {
          return (*static_cast<std::vector<std::unique_ptr<ThreadLoop>>*>(all))[index]->handle();
        },
        [](bp_loop* loop) -> std::uint32_t {
          return of(loop).thread_.get_id() == std::this_thread::get_id() ? 1 : 0;
        },
        &post,
        [](bp_loop* loop, std::uint64_t, bp_task, void*) { return ++of(loop).timers_; },
        [](bp_loop*, std::uint64_t) -> std::uint32_t { return 1; }};
  }

 private:
  static ThreadLoop& of(bp_loop* loop) { return *reinterpret_cast<ThreadLoop*>(loop); }
  void run() {
    while (!stopped_) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !tasks_.empty(); });
      const auto [task, argument] = tasks_.front();
      tasks_.pop_front();
      lock.unlock();
      task(argument);
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<bp_task, void*>> tasks_;
  std::uint64_t timers_ = 0;  // they never fire
  bool stopped_ = false;
  std::thread thread_;
};

// Emits `events` texts and the end on a thread of its own; heeds PAUSE and cancel.
class ThreadedCall final : public bp_call {
 public:
  ThreadedCall(const bp_sink& sink, int events)
      : bp_call{sizeof(bp_call), 0,
                [](bp_call* self) { static_cast<ThreadedCall*>(self)->tell(true); },
                [](bp_call* self) { static_cast<ThreadedCall*>(self)->tell(false); },
                [](bp_call* self) { delete static_cast<ThreadedCall*>(self); }},
        sink_(sink),
        left_(events),
        thread_([this] { run(); }) {}
  ~ThreadedCall() { thread_.join(); }

 private:
  void tell(bool to_cancel) {
    const std::lock_guard lock(mutex_);
    cancelled_ = cancelled_ || to_cancel;
    ++resumes_;
    wake_.notify_one();
  }
  // A resume may overtake the answer PAUSE, so it is resumes since the emit began that count.
  bool wait_after(std::uint32_t flow, std::uint64_t resumes_before) {
    std::unique_lock lock(mutex_);
    if (flow == BP_FLOW_PAUSE) {
      wake_.wait(lock, [&] { return cancelled_ || resumes_ != resumes_before; });
    }
    return !cancelled_ && flow != BP_FLOW_STOP;
  }
  std::uint64_t resumes() {
    const std::lock_guard lock(mutex_);
    return resumes_;
  }
  std::uint32_t emit(std::uint32_t type) {
    bp_event event{};
    event.struct_size = sizeof(bp_event);
    event.type = type;
    event.sequence = sequence_++;
    event.data = str("token");
    return sink_.emit(sink_.context, &event);
  }
  void run() {
    for (bool wanted = true; wanted && left_ > 0; --left_) {
      const std::uint64_t before = resumes();
      wanted = wait_after(emit(BP_EVENT_TEXT), before);
    }
    emit(left_ > 0 ? BP_EVENT_ERROR : BP_EVENT_END);
  }

  const bp_sink& sink_;
  int left_;
  std::uint64_t sequence_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::uint64_t resumes_ = 0;
  bool cancelled_ = false;
  std::thread thread_;
};

// A client on its loop: counts, and may pause or leave.
struct ThreadClient {
  bp_call* call = nullptr;
  std::uint64_t leave_at = UINT64_MAX;
  std::uint64_t pause_every = UINT64_MAX;
  std::uint64_t events = 0;
  bool over = false;
  ThreadLoop* loop = nullptr;
  std::promise<void> done;

  static std::uint32_t emit(void* context, const bp_event* event) {
    auto& self = *static_cast<ThreadClient*>(context);
    EXPECT_EQ(event->sequence, self.events++);
    const bool ended = event->type == BP_EVENT_END || event->type == BP_EVENT_ERROR;
    if (ended || self.events > self.leave_at) {
      self.over = true;
      self.call->release(self.call);
      self.done.set_value();
      return BP_FLOW_STOP;
    }
    if (self.events % self.pause_every != 0) return BP_FLOW_CONTINUE;
    ThreadLoop::post(self.loop->handle(), &resume, context);
    return BP_FLOW_PAUSE;
  }
  static void resume(void* context) {
    auto& self = *static_cast<ThreadClient*>(context);
    if (!self.over) self.call->resume(self.call);
  }
};

// Calls on two loops, of which some pause and some leave; those that stay get all `events`.
void run_calls(int events, const char* request_body, const CacheRules& rules) {
  constexpr int kCalls = 48;
  std::vector<std::unique_ptr<ThreadLoop>> loops;
  for (int i = 0; i < 2; ++i) loops.push_back(std::make_unique<ThreadLoop>());
  const bp_loop_service service = ThreadLoop::service(loops);
  bp_backend table{};
  table.struct_size = sizeof(bp_backend);
  table.submit = [](void* self, const bp_request*, const bp_sink* sink, bp_call** out,
                    bp_error*) -> std::uint32_t {
    *out = new ThreadedCall(*sink, *static_cast<int*>(self));
    return BP_CODE_OK;
  };
  BackendInstance backend;
  backend.name = "a";
  backend.table = &table;
  backend.self = &events;
  Model model;
  model.name = "m";
  model.routes = {{&backend, "m", 1}};
  model.cache = rules;
  const Router router({model});
  MetricsRegistry registry;
  CallMetrics metrics = *CallMetrics::create(registry, router);
  Logger logger(kSilent, LogFormat::kText);
  const std::vector<PaymentInstance> payments;
  ResponseCache cache;
  Generation::Options options;
  options.cache = &cache;
  Generation generation(service, *system_clock(), metrics, logger, router, payments, options);
  Gateway gateway(service, registry, generation);
  gateway.set_serving(true);

  std::vector<ThreadClient> clients(kCalls);
  bp_buffer body = make_buffer(request_body);
  for (int i = 0; i < kCalls; ++i) {
    ThreadClient& client = clients[static_cast<std::size_t>(i)];
    ThreadLoop& loop = *loops[static_cast<std::size_t>(i) % loops.size()];
    client.loop = &loop;
    if (i % 4 == 2) client.pause_every = 10;
    if (i % 4 == 1) client.leave_at = static_cast<std::uint64_t>(i) * 7;
    loop.call([&] {
      bp_request request{};
      request.struct_size = sizeof(bp_request);
      request.body = body;
      request.loop = loop.handle();
      const bp_sink sink{sizeof(bp_sink), 0, &client, &ThreadClient::emit};
      const bp_gateway& front = *gateway.table();
      EXPECT_EQ(front.begin(front.context, &request, &sink, &client.call, nullptr), BP_CODE_OK);
    });
  }
  for (ThreadClient& client : clients) client.done.get_future().wait();
  while (gateway.live_calls() != 0 || backend.in_flight.load() != 0) {
    for (const auto& loop : loops) loop->call([] {});
  }
  for (const auto& loop : loops) loop->call([] {});  // what was posted last
  for (const ThreadClient& client : clients) {
    if (client.leave_at != UINT64_MAX) continue;
    EXPECT_EQ(client.events, static_cast<std::uint64_t>(events) + 2);
  }
  EXPECT_EQ(cache.flights() + cache.reserved_bytes(), 0U);
  body.release(body.owner);
}

TEST(Threads, EventsOfManyThreadsArriveInOrder) {
  run_calls(2000, R"({"model":"m"})", {});  // more than the queue takes before it pauses
}

TEST(Threads, CallsOfAllLoopsShareWhatOneOfThemGets) {
  for (int round = 0; round < 10; ++round) {
    run_calls(200, R"({"model":"m","seed":1})", {60, 0, ""});
    run_calls(20, R"({"model":"m"})", {60, 0, ""});
  }
}

}  // namespace
}  // namespace backplane::test
