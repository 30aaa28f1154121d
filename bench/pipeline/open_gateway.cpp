// SPDX-License-Identifier: Apache-2.0
#include "bench/pipeline/open_gateway.hpp"

#include "runtime/services/clock.hpp"

#include <cstdlib>
#include <iostream>

namespace backplane::bench {
namespace {

constexpr char kBody[] =
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})";

template <class T>
T expect(Result<T> result) {
  if (result) return std::move(*result);
  std::cerr << result.error().message << '\n';
  std::exit(1);
}

void ignore(bp_call* /*call*/) {}

}  // namespace

const bp_backend OpenGateway::kBackend = {
    sizeof(bp_backend),
    0,
    nullptr,
    nullptr,
    [](void* self, const bp_request* /*request*/, const bp_sink* sink, bp_call** out,
       bp_error* /*error*/) -> std::uint32_t {
      static bp_call call{sizeof(bp_call), 0, ignore, ignore, ignore};
      *out = &call;
      static_cast<OpenGateway*>(self)->submit_(*sink);
      return BP_CODE_OK;
    },
    nullptr,
    nullptr,
    nullptr,
    nullptr};

OpenGateway::OpenGateway(Submit submit, CacheRules rules)
    : submit_(std::move(submit)),
      loops_(expect(Loops::start(1))),
      body_(BufferRef::adopt(make_buffer(kBody))) {
  backend_.name = "scripted";
  backend_.table = &kBackend;
  backend_.self = this;
  Model model;
  model.name = "m";
  model.routes.push_back({&backend_, "m", 1});
  model.cache = std::move(rules);
  router_ = std::make_unique<Router>(std::vector<Model>{model});
  metrics_ = std::make_unique<CallMetrics>(expect(CallMetrics::create(registry_, *router_)));
  Gateway::Options options;
  options.cache = &cache_;
  generation_ = std::make_unique<Generation>(*loops_->table(), *system_clock(), *metrics_, logger_,
                                             *router_, payments_, options);
  gateway_ = std::make_unique<Gateway>(*loops_->table(), registry_, *generation_);
  gateway_->set_serving(true);
}

// Tasks of calls that are over may still wait on the loop.
OpenGateway::~OpenGateway() {
  while (gateway_->live_calls() > 0) on_loop([] {});
  loops_->stop();
}

bp_call* OpenGateway::begin(const bp_sink& sink) {
  bp_request request{};
  request.struct_size = sizeof(bp_request);
  request.operation = str("chat.completions");
  request.content_type = str("application/json");
  request.body = body_.get();
  request.loop = loops_->at(0).handle();
  bp_call* call = nullptr;
  bp_error error{};
  const bp_gateway& table = *gateway_->table();
  if (table.begin(table.context, &request, &sink, &call, &error) == BP_CODE_OK) return call;
  std::cerr << error.message << '\n';
  std::exit(1);
}

}  // namespace backplane::bench
