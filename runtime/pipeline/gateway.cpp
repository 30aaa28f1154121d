// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/gateway.hpp"

#include <array>

namespace backplane {
namespace {

Gateway& self_of(void* context) {
  return *static_cast<Gateway*>(context);
}

}  // namespace

Gateway::Gateway(const bp_loop_service& loops, const bp_clock& clock, MetricsRegistry& registry,
                 CallMetrics& metrics, Logger& logger, const Router& router,
                 const std::vector<PaymentInstance>& payments, Options options)
    : context_{loops, clock, payments, metrics, logger, options.call, {}, options.tracer},
      registry_(registry),
      router_(router),
      options_(options),
      models_(models_json()),
      table_{sizeof(bp_gateway),
             0,
             this,
             [](void* self, const bp_request* request, const bp_sink* sink, bp_call** out,
                bp_error* error) -> std::uint32_t {
               return sdk::guarded(error, [&]() -> std::uint32_t {
                 Result<bp_call*> call = self_of(self).begin(*request, *sink);
                 if (!call) return self_of(self).reject(call.error(), error);
                 *out = *call;
                 return BP_CODE_OK;
               });
             },
             [](void* self, bp_buffer* out, bp_error* error) -> std::uint32_t {
               return sdk::guarded(error, [&]() -> std::uint32_t {
                 *out = make_buffer(self_of(self).models_);
                 return BP_CODE_OK;
               });
             },
             [](void* self) -> std::uint32_t { return self_of(self).serving() ? 1 : 0; },
             [](void* self, bp_buffer* out, bp_error* error) -> std::uint32_t {
               return sdk::guarded(error, [&]() -> std::uint32_t {
                 *out = make_buffer(self_of(self).registry_.text());
                 return BP_CODE_OK;
               });
             }} {
  for (std::uint32_t i = 0; i < loops.count; ++i) {
    loops_.push_back(std::make_unique<LoopCalls>(loops, loops.at(loops.context, i)));
  }
}

Result<bp_call*> Gateway::begin(const bp_request& request, const bp_sink& sink) {
  if (!serving_.load()) {
    return Error{Code::kUnavailable, "the server is starting or shutting down; try again",
                 "NOT_READY", 503, 1000};
  }
  if (context_.live_calls.load() >= options_.calls_max) {
    return Error{Code::kUnavailable, "the server has as many calls as it takes; try again",
                 "OVERLOADED", 503, 1000};
  }
  LoopCalls* const calls = calls_of(request.loop);
  if (calls == nullptr || context_.loops.is_current(request.loop) == 0) {
    return internal_error("the call was begun off its loop");
  }
  if (request.body.size > options_.body_bytes_max) {
    return Error{
        Code::kInvalidArgument,
        "the request body is larger than " + std::to_string(options_.body_bytes_max) + " bytes",
        "BODY_TOO_LARGE", 413, 0};
  }
  if (is_form_data(view(request.content_type))) return begin_form(*calls, request, sink);
  if (request.body_stream != nullptr) {
    return internal_error("the call has a body on its way that is no form");
  }
  Result<RequestScan> scan = scan_request(request.body, options_.scan);
  if (!scan) return scan.error();
  const Result<GatewayCall*> call = open(*calls, request, sink, std::move(*scan), nullptr);
  if (!call) return call.error();
  return *call;
}

// Where the beginning names the model the call is routed at once; else it is read on for it.
Result<bp_call*> Gateway::begin_form(LoopCalls& calls, const bp_request& request,
                                     const bp_sink& sink) {
  auto scan = FormScan::open(view(request.content_type), options_.scan);
  if (!scan) return scan.error();
  Status status = (*scan)->feed(view(request.body));
  if (status && request.body_stream == nullptr) status = (*scan)->finish();
  if (!status) return status.error();
  if (request.body_stream != nullptr && !(*scan)->has_model()) {
    auto* form = new FormCall(context_, calls, *this, request, sink, std::move(*scan),
                              options_.body_bytes_max);
    form->start_later();
    return form;
  }
  const RequestScan found = (*scan)->found();
  std::unique_ptr<FormInput> input;
  if (const bp_body_stream* stream = request.body_stream) {
    input = std::make_unique<FormInput>(*stream, stream->size, std::move(*scan));
  }
  const Result<GatewayCall*> call = open(calls, request, sink, found, std::move(input));
  if (!call) return call.error();
  return *call;
}

Result<GatewayCall*> Gateway::open(LoopCalls& calls, const bp_request& request, const bp_sink& sink,
                                   RequestScan scan, std::unique_ptr<FormInput> input) {
  if (scan.model_size == 0) {
    return Error{Code::kInvalidArgument,
                 "model: missing; name one of those that GET /v1/models lists",
                 "MISSING_REQUIRED_PARAMETER", 400, 0};
  }
  const Result<const Model*> model = router_.find(scan.model);
  if (!model) return model.error();
  std::uint64_t random = 0;
  if ((*model)->policy == RoutePolicy::kWeighted) {
    context_.clock.random(context_.clock.context, &random, sizeof(random));
  }
  auto routes = Router::order(**model, view(request.operation), scan.provider, random);
  if (!routes) return routes.error();
  auto* call =
      new GatewayCall(context_, calls, request, sink, std::move(scan), **model, std::move(*routes));
  call->take_input(std::move(input));
  call->start_later();
  return call;
}

std::uint32_t Gateway::reject(const Error& error, bp_error* out) {
  context_.metrics.rejected(rejection_of(error));
  return report(error, out);
}

LoopCalls* Gateway::calls_of(const bp_loop* loop) {
  for (const auto& calls : loops_) {
    if (calls->loop == loop) return calls.get();
  }
  return nullptr;
}

void Gateway::shut_down_calls() {
  for (const auto& calls : loops_) {
    context_.loops.post(
        calls->loop,
        [](void* argument) {
          const auto& on_loop = *static_cast<LoopCalls*>(argument);
          const std::vector<GatewayCall*> all(on_loop.live.begin(), on_loop.live.end());
          for (GatewayCall* call : all) call->shut_down();
          const std::vector<FormCall*> forms(on_loop.forms.begin(), on_loop.forms.end());
          for (FormCall* form : forms) form->shut_down();
        },
        calls.get());
  }
}

std::string Gateway::models_json() const {
  const std::int64_t created_s = context_.clock.unix_ns(context_.clock.context) / 1'000'000'000;
  std::string json = "[";
  for (const auto& [name, model] : router_.models()) {
    if (json.size() > 1) json += ',';
    json += R"({"id":")" + json_escaped(name) + R"(","object":"model","created":)" +
            std::to_string(created_s) + R"(,"owned_by":"backplane"})";
  }
  return json + ']';
}

}  // namespace backplane
