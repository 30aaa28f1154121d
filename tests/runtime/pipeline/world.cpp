// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

constexpr auto kSilent = static_cast<LogLevel>(4);

}  // namespace

World::World(std::uint32_t loop_count, std::uint64_t seed)
    : loops(loop_count, seed), logger_(kSilent, LogFormat::kText) {
  options.cache = &cache;
}

World::~World() {
  loops.run_to_the_end();
  if (gateway == nullptr) return;
  EXPECT_EQ(gateway->live_calls(), 0U) << "calls that were never destroyed";
  EXPECT_EQ(metric("backplane_live_calls"), 0.0);
  EXPECT_EQ(cache.flights(), 0U);
  EXPECT_EQ(cache.reserved_bytes(), 0U);
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    if (backends_[i]->owes_an_end()) continue;
    EXPECT_EQ(instances_[i]->in_flight.load(), 0U) << instances_[i]->name;
  }
  for (const auto& other : others_) EXPECT_EQ(other->in_flight.load(), 0U) << other->name;
}

ScriptedBackend& World::add_backend(const std::string& name, std::uint64_t calls_max) {
  backends_.push_back(std::make_unique<ScriptedBackend>(name, loops));
  auto instance = std::make_unique<BackendInstance>();
  instance->name = name;
  instance->table = ScriptedBackend::table();
  instance->self = backends_.back().get();
  instance->calls_max = calls_max;
  instances_.push_back(std::move(instance));
  return *backends_.back();
}

BackendInstance& World::add_instance(const std::string& name, const bp_backend* table, void* self) {
  others_.push_back(std::make_unique<BackendInstance>());
  others_.back()->name = name;
  others_.back()->table = table;
  others_.back()->self = self;
  return *others_.back();
}

ScriptedPayment& World::add_payment(const std::string& name) {
  scripted_payments_.push_back(std::make_unique<ScriptedPayment>(name, loops));
  ScriptedPayment& payment = *scripted_payments_.back();
  payments_.push_back({name, ScriptedPayment::table(), &payment});
  return payment;
}

BackendInstance& World::instance(const std::string& name) {
  for (const auto* list : {&instances_, &others_}) {
    for (const auto& instance : *list) {
      if (instance->name == name) return *instance;
    }
  }
  throw std::invalid_argument("no backend " + name);
}

Model& World::add_model(const std::string& name, const std::vector<std::string>& backends) {
  Model model;
  model.name = name;
  for (const std::string& backend : backends) {
    model.routes.push_back({&instance(backend), backend + "-" + name, 1});
  }
  models_.push_back(std::move(model));
  return models_.back();
}

void World::open() {
  router_ = std::make_unique<Router>(models_);
  call_metrics_ = std::make_unique<CallMetrics>(*CallMetrics::create(registry, *router_));
  generation_ = std::make_unique<Generation>(loops.service(), loops.clock(), *call_metrics_,
                                             logger_, *router_, payments_, options);
  gateway = std::make_unique<Gateway>(loops.service(), registry, *generation_);
  gateway->set_serving(true);
}

double World::metric(const std::string& series) const {
  const std::string text = '\n' + metrics();
  const std::size_t found = text.find('\n' + series + ' ');
  return found == std::string::npos ? -1 : std::stod(text.substr(found + series.size() + 2));
}

std::uint32_t Client::begin(const std::string& body) {
  bp_buffer buffer = make_buffer(body);
  std::vector<bp_pair> pairs;
  for (const auto& [name, value] : metadata) pairs.push_back({str(name), str(value)});
  bp_request request{};
  request.struct_size = sizeof(bp_request);
  request.id = str(id);
  request.operation = str(operation);
  request.content_type = str(content_type);
  request.body_stream = body_stream;
  request.body = buffer;
  request.deadline_ns = deadline_ns;
  request.loop = world_.loops.at(loop_);
  request.metadata = pairs.data();
  request.metadata_count = pairs.size();
  const bp_sink sink{sizeof(bp_sink), 16, this, [](void* self, const bp_event* event) {
                       return static_cast<Client*>(self)->on_event(*event);
                     }};
  beginning_ = true;
  std::uint32_t code = BP_CODE_OK;
  world_.loops.on(loop_, [&] {
    const bp_gateway& gateway = world_.table();
    code = gateway.begin(gateway.context, &request, &sink, &call_, &begin_error);
  });
  beginning_ = false;
  buffer.release(buffer.owner);
  return code;
}

std::uint32_t Client::on_event(const bp_event& event) {
  EXPECT_FALSE(beginning_) << "an event before begin has returned";
  EXPECT_FALSE(ended_) << "an event after the terminal one";
  EXPECT_FALSE(left_) << "an event after release";
  EXPECT_TRUE(world_.loops.service().is_current(world_.loops.at(loop_)));
  EXPECT_EQ(event.struct_size, sizeof(bp_event));
  EXPECT_EQ(event.sequence, next_sequence_++);
  const bool terminal = event.type == BP_EVENT_END || event.type == BP_EVENT_ERROR;
  EXPECT_EQ(event.type == BP_EVENT_HEAD, event.sequence == 0 && event.type != BP_EVENT_ERROR);
  Event seen{event.type,
             std::string(view(event.data)),
             std::string(view(event.detail)),
             event.flags,
             {},
             {},
             {},
             {}};
  if (event.error != nullptr) seen.error = error_of(*event.error);
  seen.logprobs = view(event.logprobs);
  if (event.tool_call != nullptr) {
    seen.tool_call = std::string(view(event.tool_call->id)) + '/';
    seen.tool_call += view(event.tool_call->name);
  }
  for (std::uint64_t i = 0; i < event.header_count; ++i) {
    seen.headers.emplace(view(event.headers[i].name), view(event.headers[i].value));
  }
  events_.push_back(seen);
  ended_ = ended_ || terminal;
  return answer ? answer(*this, seen) : BP_FLOW_CONTINUE;
}

void Client::leave() {
  if (call_ == nullptr || left_) return;
  left_ = true;
  world_.loops.on(loop_, [this] { call_->release(call_); });
}

void Client::leave_at(std::size_t index) {
  answer = [index](Client& self, const Event&) -> std::uint32_t {
    if (self.events().size() == index + 1) self.leave();
    return BP_FLOW_CONTINUE;
  };
}

std::string Client::log() const {
  constexpr const char* kNames[] = {"?",   "text",  "finish", "chunk",     "body", "usage",
                                    "end", "error", "head",   "reasoning", "tool"};
  std::string log;
  for (const Event& event : events_) {
    if (!log.empty()) log += ' ';
    log += event.type <= BP_EVENT_TOOL_CALL ? kNames[event.type] : "unknown";
    if (event.type == BP_EVENT_TOOL_CALL) log += ':' + event.tool_call;
    const bool is_text = event.type == BP_EVENT_TEXT || event.type == BP_EVENT_REASONING ||
                         event.type == BP_EVENT_TOOL_CALL;
    if (is_text) log += ':' + event.data + event.logprobs;
    if (event.type == BP_EVENT_ERROR) {
      log += ':' + event.error.type + '/' + std::to_string(event.error.http_status);
    }
  }
  return log;
}

}  // namespace backplane::test
