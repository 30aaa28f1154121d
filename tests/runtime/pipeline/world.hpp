// SPDX-License-Identifier: Apache-2.0
// A gateway in a world of virtual time: scripted backends and payments behind it, clients in front,
// all by the C tables as plugins would. The end of a world checks that nothing is left over.
#pragma once

#include "runtime/pipeline/gateway.hpp"
#include "tests/runtime/pipeline/scripted_payment.hpp"

#include <functional>
#include <memory>

namespace backplane::test {

class World {
 public:
  explicit World(std::uint32_t loop_count = 1, std::uint64_t seed = 1);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Before open.
  ScriptedBackend& add_backend(const std::string& name, std::uint64_t calls_max = 0);
  // One of the test's own making, which outlives this.
  BackendInstance& add_instance(const std::string& name, const bp_backend* table, void* self);
  ScriptedPayment& add_payment(const std::string& name);
  Model& add_model(const std::string& name, const std::vector<std::string>& backends);
  Gateway::Options options;

  void open();
  void run() { loops.run_until_idle(); }
  const bp_gateway& table() const { return *gateway->table(); }
  BackendInstance& instance(const std::string& name);
  std::string metrics() const { return registry.text(); }
  // The value of one line of the metrics; -1 where there is none.
  double metric(const std::string& series) const;

  VirtualLoops loops;
  MetricsRegistry registry;
  ResponseCache cache;
  std::unique_ptr<Gateway> gateway;

 private:
  Logger logger_;
  std::vector<std::unique_ptr<ScriptedBackend>> backends_;
  std::vector<std::unique_ptr<ScriptedPayment>> scripted_payments_;
  std::vector<std::unique_ptr<BackendInstance>> instances_;  // of the scripted ones
  std::vector<std::unique_ptr<BackendInstance>> others_;
  std::vector<Model> models_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<CallMetrics> call_metrics_;
  std::vector<PaymentInstance> payments_;
  std::unique_ptr<Generation> generation_;
};

// One call as a transport holds it. Checks the stream: on its loop, gapless, one terminal event,
// nothing after it or after release, HEAD first unless the call failed before.
class Client {
 public:
  struct Event {
    std::uint32_t type;
    std::string data, detail;
    std::uint32_t flags;
    Error error;
    std::map<std::string, std::string> headers;
    std::string logprobs;
    std::string tool_call;  // "id/name"
  };
  // Answers a BP_FLOW_*; may act on the client.
  using Answer = std::function<std::uint32_t(Client&, const Event&)>;

  explicit Client(World& world, std::uint32_t loop = 0) : world_(world), loop_(loop) {}
  ~Client() { leave(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::uint32_t begin(const std::string& body = R"({"model":"m","stream":true})");
  void cancel() {
    world_.loops.on(loop_, [this] { call_->cancel(call_); });
  }
  void resume() {
    world_.loops.on(loop_, [this] { call_->resume(call_); });
  }
  void leave();
  void leave_at(std::size_t index);  // from inside the emit of this event

  bool ended() const { return ended_; }
  bool left() const { return left_; }
  // "head text:hi usage end", an error as "error:CODE/status".
  std::string log() const;
  const std::vector<Event>& events() const { return events_; }
  const Event& last() const { return events_.back(); }

  Answer answer;
  bp_error begin_error{};
  std::string id;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::int64_t deadline_ns = 0;
  std::string operation = "chat.completions";
  std::string content_type = "application/json";
  const bp_body_stream* body_stream = nullptr;

 private:
  std::uint32_t on_event(const bp_event& event);
  World& world_;
  const std::uint32_t loop_;
  bp_call* call_ = nullptr;
  std::vector<Event> events_;
  std::uint64_t next_sequence_ = 0;
  bool beginning_ = false;
  bool ended_ = false;
  bool left_ = false;
};

}  // namespace backplane::test
