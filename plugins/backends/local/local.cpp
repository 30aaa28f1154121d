// SPDX-License-Identifier: Apache-2.0
// The backend that runs models on this machine.
#include <backplane/clock.h>

#include <backplane/command.hpp>
#include <backplane/plugin.hpp>

#include <boost/json.hpp>

#include "plugins/backends/local/commands/commands.hpp"
#include "plugins/backends/local/engine_metrics.hpp"
#include "plugins/backends/local/local_call.hpp"
#include "plugins/backends/local/pooled_call.hpp"
#include "plugins/backends/local/preparer.hpp"
#include "plugins/backends/local/served_model.hpp"
#include "plugins/backends/local/settings_fields.hpp"
#include "plugins/backends/local/store/model_store.hpp"

namespace {

namespace json = boost::json;
using namespace backplane;
using namespace backplane::local;

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

struct Settings {
  EngineOptions engine;
  RequestDefaults request;
  std::optional<ToolFormat> tools;  // else what the chat template gives away
  bool splits_reasoning = true;
  json::object fields;
};

Result<Settings> read_settings(std::string_view text) {
  boost::system::error_code failure;
  const json::value document = json::parse(text, failure);
  const json::value* model =
      document.is_object() ? document.as_object().if_contains("model") : nullptr;
  if (failure || model == nullptr || !model->is_string()) {
    return invalid_argument("settings.model: expected the path of a model");
  }
  const json::object& fields = document.as_object();
  Settings settings;
  EngineOptions& engine = settings.engine;
  engine.model_path = model->as_string();
  engine.threads = number<std::size_t>(fields, "threads", engine.threads);
  engine.context_tokens = number(fields, "context_tokens", engine.context_tokens);
  engine.answer_tokens_default = number(fields, "default_max_tokens", engine.answer_tokens_default);
  engine.batch_tokens = number(fields, "batch_tokens", engine.batch_tokens);
  engine.sequences_max = number(fields, "max_sequences", engine.sequences_max);
  engine.queue_max = number(fields, "max_queue", engine.queue_max);
  engine.cache_bytes_max = number(fields, "cache_megabytes", engine.cache_bytes_max >> 20U) << 20U;
  engine.reuse_prefixes = flag(fields, "reuse_prefixes", engine.reuse_prefixes);
  engine.step_ms = number(fields, "step_ms", engine.step_ms);
  engine.lazy = word(fields, "load", "eager") == "lazy";
  engine.idle_unload = std::chrono::seconds(number(fields, "idle_unload_seconds", 0U));
  settings.request.temperature = number(fields, "temperature", settings.request.temperature);
  if (const auto tools = word(fields, "tool_format", "auto"); tools != "auto") {
    settings.tools.emplace();
    if (!find_tool_format(tools, *settings.tools)) {
      return invalid_argument("settings.tool_format: not a format");
    }
  }
  settings.splits_reasoning = flag(fields, "split_reasoning", settings.splits_reasoning);
  settings.request.top_p = number(fields, "top_p", settings.request.top_p);
  engine.allows_adapters = has_adapters(fields);
  settings.fields = fields;
  return settings;
}

class Local final : public Backend {
 public:
  static Result<std::unique_ptr<Local>> create(Host host, const InstanceOptions& options) {
    const auto* clock = host.find<bp_clock>(BP_CLOCK_ID);
    if (clock == nullptr) {
      return Error{Code::kFailedPrecondition, "this host offers no " BP_CLOCK_ID, {}, 0, 0};
    }
    Result<Settings> settings = read_settings(options.settings);
    if (!settings) return settings.error();
    return std::make_unique<Local>(host, *clock, options.name, std::move(*settings));
  }
  Local(Host host, const bp_clock& clock, std::string_view name, Settings settings)
      : host_(host), clock_(clock), name_(name), settings_(std::move(settings)) {}

  Status start() override {
    EngineOptions options = settings_.engine;
    const Result<std::string> path = find_model_path(options.model_path);
    if (!path) return path.error();
    options.model_path = *path;
    metrics_ = std::make_unique<EngineMetrics>(host_, name_);
    options.meters = metrics_.get();
    options.log = [host = host_](std::string_view line, bool is_error) {
      host.log(is_error ? BP_LOG_ERROR : BP_LOG_INFO, line);
    };
    Result<std::unique_ptr<Engine>> engine = Engine::load(options);
    if (!engine) return engine.error();
    engine_ = std::move(*engine);
    Result<ServedModel> served = ServedModel::load(settings_.fields, *engine_);
    if (!served) return served.error();
    served_ = std::move(*served);
    preparer_ = std::make_unique<Preparer>(settings_.engine.queue_max);
    const ModelInfo& info = engine_->info();
    output_.format = format_of_template(info.chat_template);
    output_.format.tools = format_of_template(info.template_for(true)).tools;
    output_.trie = std::make_unique<TokenTrie>(engine_->tokenizer());
    if (settings_.tools) output_.format.tools = *settings_.tools;
    if (!settings_.splits_reasoning) output_.format.reasoning = {};
    host_.log(BP_LOG_INFO, (options.lazy ? "found " : "loaded ") + info.name + ", " +
                               info.file_type + ", " + std::to_string(info.parameters) +
                               " parameters, context of " + std::to_string(info.context_tokens) +
                               " tokens");
    return ok();
  }

  Result<Call*> submit(const bp_request& request, const bp_sink& sink) override {
    const std::string_view operation = view(request.operation);
    if (!served_.serves(operation)) {
      return Error{Code::kUnimplemented,
                   "the local backend does not serve " + std::string(operation),
                   {},
                   0,
                   0};
    }
    const std::int64_t now_ms = clock_.unix_ns(clock_.context) / 1'000'000;
    if (operation == "embeddings" || operation == "rerank") {
      auto* call = new PooledCall(*engine_, *served_.adapters, served_.pooled, request, sink);
      return begin(call, [call, now_ms] { call->prepare(now_ms); });
    }
    RequestDefaults defaults = settings_.request;
    clock_.random(clock_.context, &defaults.seed, sizeof(defaults.seed));
    auto* call = new LocalCall(*engine_, output_, *served_.adapters, request, sink, defaults);
    return begin(
        call, [call, now_ms] { call->prepare(now_ms / 1000); },
        [call] { return call->may_take_long(); });
  }

  void stop() override {
    preparer_->stop();
    engine_->stop();
  }

  std::string describe() override {
    const ModelInfo& info = engine_->info();
    const json::object model{{"id", info.name}, {"context_length", info.context_tokens}};
    return json::serialize(json::object{{"models", json::array{model}},
                                        {"operations", json::value_from(served_.operations)}});
  }

 private:
  template <class AnyCall>
  Result<Call*> begin(AnyCall* call, std::function<void()> prepare,
                      std::function<bool()> is_long = {}) {
    if (preparer_->post(std::move(prepare), std::move(is_long))) return call;
    call->discard();
    return Error{Code::kResourceExhausted, "the local backend's queue is full; try again soon",
                 "QUEUE_FULL", 429, 1000};
  }

  const Host host_;
  const bp_clock& clock_;
  const std::string name_;
  const Settings settings_;
  std::unique_ptr<EngineMetrics> metrics_;
  ModelOutput output_;  // before the engine, which may use it to its end
  std::unique_ptr<Engine> engine_;
  ServedModel served_;
  std::unique_ptr<Preparer> preparer_;
};

constexpr bp_command kCommands[] = {
    command<&run_model_command>("model", "Bring, list, inspect, convert, measure, remove models"),
    command<&run_tokenize_command>("tokenize",
                                   "Print the token ids of a text, as a model cuts it up")};

}  // namespace

BP_EXPORT_BACKEND_WITH_COMMANDS(Local, kSchema, kCommands);
