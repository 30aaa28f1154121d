// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/gateway.hpp"

#include "runtime/pipeline/credentials.hpp"
#include "runtime/pipeline/routing/prefix_hash.hpp"

#include <array>

namespace backplane {
namespace {

Gateway& self_of(void* context) {
  return *static_cast<Gateway*>(context);
}

Error no_receipt() {
  return {Code::kNotFound,
          "there is no receipt of such a call: it may have ended long ago, have been made with "
          "other credentials, or have been answered by a backend that gives none",
          "RECEIPT_NOT_FOUND", 404, 0};
}

RouteRequest route_request(const bp_request& request, const RequestScan& scan, const Model& model,
                           const FormInput* input) {
  RouteRequest route;
  route.operation = view(request.operation);
  route.prompt_bytes = request.body.size;
  route.max_output_tokens = scan.max_output_tokens;
  route.is_repeatable = input == nullptr;
  if (model.is_sticky && scan.prefix_size != 0) {
    route.prefix_hash =
        prefix_hash_of(view(request.body).substr(scan.prefix_offset, scan.prefix_size));
  }
  return route;
}

}  // namespace

Gateway::Gateway(const bp_loop_service& loops, MetricsRegistry& registry, Generation& first)
    : service_(loops),
      registry_(registry),
      receipts_(first.options().receipts),
      models_(first.models()),
      table_{sizeof(bp_gateway),
             0,
             this,
             [](void* self, const bp_request* request, const bp_sink* sink, bp_call** out,
                bp_error* error) -> std::uint32_t {
               return sdk::guarded(error, [&]() -> std::uint32_t {
                 Result<bp_call*> call = self_of(self).begin(*request, *sink);
                 if (!call) return self_of(self).reject(*request, call.error(), error);
                 *out = *call;
                 return BP_CODE_OK;
               });
             },
             [](void* self, bp_buffer* out, bp_error* error) -> std::uint32_t {
               return sdk::guarded(error, [&]() -> std::uint32_t {
                 *out = make_buffer(*self_of(self).models());
                 return BP_CODE_OK;
               });
             },
             [](void* self) -> std::uint32_t { return self_of(self).ready() ? 1 : 0; },
             [](void* self, bp_buffer* out, bp_error* error) -> std::uint32_t {
               return sdk::guarded(error, [&]() -> std::uint32_t {
                 *out = make_buffer(self_of(self).registry_.text());
                 return BP_CODE_OK;
               });
             },
             [](void* self, bp_str id, const bp_pair* metadata, std::uint64_t count, bp_buffer* out,
                bp_error* error) -> std::uint32_t {
               return sdk::guarded(error, [&]() -> std::uint32_t {
                 const std::string caller = caller_of(metadata, count);
                 const auto receipt = self_of(self).find_receipt(view(id), caller);
                 if (receipt == nullptr) return report(no_receipt(), error);
                 *out = make_buffer(*receipt);
                 return BP_CODE_OK;
               });
             }} {
  for (std::uint32_t i = 0; i < loops.count; ++i) {
    loops_.push_back(std::make_unique<LoopCalls>(loops, i, live_calls_, receipts_));
    loops_.back()->generation = &first;
    first.users(i).enter();
  }
}

Result<bp_call*> Gateway::begin(const bp_request& request, const bp_sink& sink) {
  if (!serving_.load()) {
    return Error{Code::kUnavailable, "the server is starting or shutting down; try again",
                 "NOT_READY", 503, 1000};
  }
  LoopCalls* const calls = calls_of(request.loop);
  if (calls == nullptr || service_.is_current(request.loop) == 0) {
    return internal_error("the call was begun off its loop");
  }
  Generation& generation = *calls->generation;
  const Options& options = generation.options();
  if (live_calls_.load() >= options.calls_max) {
    return Error{Code::kUnavailable, "the server has as many calls as it takes; try again",
                 "OVERLOADED", 503, 1000};
  }
  if (request.body.size > options.body_bytes_max) {
    return Error{
        Code::kInvalidArgument,
        "the request body is larger than " + std::to_string(options.body_bytes_max) + " bytes",
        "BODY_TOO_LARGE", 413, 0};
  }
  if (is_form_data(view(request.content_type))) return begin_form(*calls, request, sink);
  if (request.body_stream != nullptr) {
    return internal_error("the call has a body on its way that is no form");
  }
  Result<RequestScan> scan = scan_request(request.body, options.scan);
  if (!scan) return scan.error();
  const Result<GatewayCall*> call =
      open(generation, *calls, request, sink, std::move(*scan), nullptr);
  if (!call) return call.error();
  return *call;
}

// Where the beginning names the model the call is routed at once; else it is read on for it.
Result<bp_call*> Gateway::begin_form(LoopCalls& calls, const bp_request& request,
                                     const bp_sink& sink) {
  Generation& generation = *calls.generation;
  auto scan = FormScan::open(view(request.content_type), generation.options().scan);
  if (!scan) return scan.error();
  Status status = (*scan)->feed(view(request.body));
  if (status && request.body_stream == nullptr) status = (*scan)->finish();
  if (!status) return status.error();
  if (request.body_stream != nullptr && !(*scan)->has_model()) {
    auto* form = new FormCall(generation, calls, *this, request, sink, std::move(*scan));
    form->start_later();
    return form;
  }
  const RequestScan found = (*scan)->found();
  std::unique_ptr<FormInput> input;
  if (const bp_body_stream* stream = request.body_stream) {
    input = std::make_unique<FormInput>(*stream, stream->size, std::move(*scan));
  }
  const Result<GatewayCall*> call = open(generation, calls, request, sink, found, std::move(input));
  if (!call) return call.error();
  return *call;
}

Result<GatewayCall*> Gateway::open(Generation& generation, LoopCalls& calls,
                                   const bp_request& request, const bp_sink& sink, RequestScan scan,
                                   std::unique_ptr<FormInput> input) {
  if (scan.model_size == 0) {
    return Error{Code::kInvalidArgument,
                 "model: missing; name one of those that GET /v1/models lists",
                 "MISSING_REQUIRED_PARAMETER", 400, 0};
  }
  const Result<const Model*> model = generation.router().find(scan.model);
  if (!model) return model.error();
  auto choice = RouteChoice::make(**model, route_request(request, scan, **model, input.get()),
                                  std::move(scan.provider));
  if (!choice) return choice.error();
  auto* call = new GatewayCall(generation.context(), calls, generation.users(calls.index), request,
                               sink, std::move(scan), **model, std::move(*choice));
  call->take_input(std::move(input));
  call->start_later();
  return call;
}

std::uint32_t Gateway::reject(const bp_request& request, const Error& error, bp_error* out) {
  if (LoopCalls* const calls = calls_of(request.loop)) {
    calls->generation->context().metrics.rejected(rejection_of(error));
  }
  return report(error, out);
}

LoopCalls* Gateway::calls_of(const bp_loop* loop) {
  for (const auto& calls : loops_) {
    if (calls->loop == loop) return calls.get();
  }
  return nullptr;
}

ReceiptStore::Document Gateway::find_receipt(std::string_view id, std::string_view caller) {
  const bp_clock& clock = loops_.front()->generation->context().clock;
  return receipts_.find(id, caller, clock.monotonic_ns(clock.context));
}

void Gateway::replace(Generation& next) {
  receipts_.set_limits(next.options().receipts);
  {
    const std::lock_guard lock(models_mutex_);
    models_ = next.models();
  }
  on_every_loop(
      [this, &next](std::size_t loop) {
        next.users(loop).enter();
        Generation* const before = std::exchange(loops_[loop]->generation, &next);
        before->users(loop).leave();
      },
      [] {});
}

void Gateway::show_models(std::string models) {
  auto shown = std::make_shared<const std::string>(std::move(models));
  const std::lock_guard lock(models_mutex_);
  models_ = std::move(shown);
}

std::shared_ptr<const std::string> Gateway::models() const {
  const std::lock_guard lock(models_mutex_);
  return models_;
}

void Gateway::shut_down_calls() {
  on_every_loop(
      [this](std::size_t loop) {
        const auto& live = loops_[loop]->live;
        const std::vector<GatewayCall*> all(live.begin(), live.end());
        for (GatewayCall* call : all) call->shut_down();
        const auto& forms = loops_[loop]->forms;
        const std::vector<FormCall*> reading(forms.begin(), forms.end());
        for (FormCall* form : reading) form->shut_down();
      },
      [] {});
}

void Gateway::list_calls(std::size_t most, std::function<void(std::vector<LoopCallList>)> told) {
  // Shared by the tasks of all loops, each of which writes its own place.
  auto lists = std::make_shared<std::vector<LoopCallList>>(loops_.size());
  on_every_loop(
      [this, most, lists](std::size_t loop) {
        LoopCallList& list = (*lists)[loop];
        list.loop = static_cast<std::uint32_t>(loop);
        list.live = loops_[loop]->live.size();
        for (const GatewayCall* call : loops_[loop]->live) {
          if (list.calls.size() == most) break;
          list.calls.push_back(call->describe());
        }
      },
      [lists, told = std::move(told)] { told(std::move(*lists)); });
}

void Gateway::cancel_calls(std::string id, std::function<void(std::size_t)> told) {
  auto count = std::make_shared<std::atomic<std::size_t>>(0);  // shared by the tasks of all loops
  on_every_loop(
      [this, id = std::move(id), count](std::size_t loop) {
        std::vector<GatewayCall*> found;
        for (GatewayCall* call : loops_[loop]->live) {
          if (call->id() == id) found.push_back(call);
        }
        for (GatewayCall* call : found) call->cancel_by_operator();
        count->fetch_add(found.size());
      },
      [count, told = std::move(told)] { told(count->load()); });
}

void Gateway::on_every_loop(std::function<void(std::size_t)> work, std::function<void()> done) {
  struct Round {
    std::function<void(std::size_t)> work;
    std::function<void()> done;
    std::atomic<std::size_t> left;
  };
  struct Task {
    std::shared_ptr<Round> round;  // shared by the tasks of all loops
    std::size_t loop;
  };
  const auto round = std::make_shared<Round>();
  round->work = std::move(work);
  round->done = std::move(done);
  round->left.store(loops_.size());
  for (std::size_t loop = 0; loop < loops_.size(); ++loop) {
    service_.post(
        loops_[loop]->loop,
        [](void* argument) {
          const std::unique_ptr<Task> task(static_cast<Task*>(argument));
          task->round->work(task->loop);
          if (task->round->left.fetch_sub(1) == 1) task->round->done();
        },
        new Task{round, loop});
  }
}

}  // namespace backplane
