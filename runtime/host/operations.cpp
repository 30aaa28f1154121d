// SPDX-License-Identifier: Apache-2.0
// What an operator sees of a runtime, as JSON; docs/admin.md describes it.
#include "runtime/admin/endpoints.hpp"
#include "runtime/host/runtime_parts.hpp"

#include <boost/json.hpp>

#include <array>

namespace backplane {
namespace {

namespace json = boost::json;

constexpr std::size_t kCallsListedMax = 1'000;  // of all loops

struct LevelName {
  std::string_view name;
  LogLevel level;
};
constexpr std::array<LevelName, 5> kLevels = {{{"debug", LogLevel::kDebug},
                                               {"info", LogLevel::kInfo},
                                               {"warning", LogLevel::kWarn},
                                               {"error", LogLevel::kError},
                                               {"off", LogLevel::kOff}}};

json::array array_of(const std::vector<std::string>& lines) {
  json::array array;
  for (const std::string& line : lines) array.emplace_back(line);
  return array;
}

json::object object_of(const InstanceFacts& facts) {
  return {{"kind", facts.section.substr(0, facts.section.size() - 1)},
          {"name", facts.name},
          {"plugin", facts.plugin},
          {"version", facts.version},
          {"file", facts.file},
          {"sha256", facts.sha256},
          {"generation", facts.generation}};
}

template <class Running>
void append(json::array& out, const std::vector<std::shared_ptr<Running>>& running) {
  for (const auto& each : running) out.emplace_back(object_of(each->plugin->facts()));
}

json::object object_of(const BackendInstance& backend) {
  return {{"name", backend.name},
          {"in_flight", backend.in_flight.load()},
          {"max_concurrent", backend.calls_max.load()},
          {"adaptive_concurrency", backend.limit.now()},
          {"leaked", backend.leaked.load()},
          {"timeout_ms", backend.timeout_ms.load()}};
}

json::value price_of(const std::optional<Price>& price) {
  if (!price) return nullptr;
  return json::object{{"input_nano_usd_per_million_tokens", price->input_nano_usd_per_mtok},
                      {"output_nano_usd_per_million_tokens", price->output_nano_usd_per_mtok}};
}

// Why a route is where it is.
std::string reason_of(const Route& route, RouteHealth health) {
  if (route.backend->is_full()) return "its backend has all the calls that it takes";
  switch (health) {
    case RouteHealth::kGood:
      return "it serves";
    case RouteHealth::kLimited:
      return "its provider takes no more for now";
    case RouteHealth::kProbeDue:
      return "it was left out, and the next call that may tries it";
    case RouteHealth::kEjected:
      return std::string("it is left out, the last failure was ") +
             name_of(route.state->last_failure());
    case RouteHealth::kSlow:
      return "it is left out while others serve, its streams begin much later than usual";
  }
  return "";
}

json::object object_of(const Route& route, std::int64_t now_ns) {
  constexpr std::int64_t kMillisecondNs = 1'000'000;
  constexpr float kUsPerMs = 1'000;
  const RouteHealth health = route.state->health(now_ns);
  const RouteState::Speed speed = route.state->speed(now_ns);
  const std::int64_t until_ns = route.state->until_ns(now_ns);
  json::object out = object_of(*route.backend);
  out.erase("name");
  out.insert({{"backend", route.backend->name},
              {"model", route.model},
              {"weight", route.weight},
              {"state", name_of(health)},
              {"reason", reason_of(route, health)},
              {"for_ms", until_ns == 0 ? 0 : (until_ns - now_ns) / kMillisecondNs},
              {"failures_in_a_row", route.state->failures_in_a_row()},
              {"ejections", route.state->ejections()},
              {"first_event_ms", speed.first_event_us / kUsPerMs},
              {"tokens_per_second", speed.tokens_per_s},
              {"samples", speed.samples},
              {"waiting", speed.waiting},
              {"waiting_ms", speed.waiting_us / kUsPerMs},
              {"cost", price_of(cost_of(route))},
              {"privacy", name_of(privacy_of(route))}});
  return out;
}

json::object object_of(const Model& model, std::int64_t now_ns) {
  json::array routes;
  for (const Route& route : model.routes) routes.emplace_back(object_of(route, now_ns));
  return {{"name", model.name},
          {"policy", name_of(model.policy)},
          {"sticky", model.is_sticky},
          {"price", price_of(model.price)},
          {"routes", std::move(routes)}};
}

json::object object_of(const CallDescription& call, std::uint32_t loop) {
  return {{"id", call.id},           {"model", call.model}, {"operation", call.operation},
          {"backend", call.backend}, {"state", call.phase}, {"age_ms", call.age_ms},
          {"pieces", call.pieces},   {"loop", loop},        {"generation", call.generation}};
}

std::string text_of(const std::vector<LoopCallList>& lists) {
  std::uint64_t live = 0;
  json::array calls;
  for (const LoopCallList& list : lists) {
    live += list.live;
    for (const CallDescription& call : list.calls) calls.emplace_back(object_of(call, list.loop));
  }
  return json::serialize(json::object{{"live", live}, {"calls", std::move(calls)}});
}

json::object object_of(const ReloadOutcome& outcome) {
  return {{"generation", outcome.generation},
          {"changes", array_of(outcome.changes)},
          {"warnings", array_of(outcome.warnings)},
          {"errors", array_of(outcome.errors)}};
}

}  // namespace

bool Runtime::Parts::ready() const {
  return gateway_->ready();
}

std::string Runtime::Parts::metrics() const {
  return host_.metrics.text();
}

std::string Runtime::Parts::status() const {
  const std::int64_t uptime_ns = system_clock()->monotonic_ns(nullptr) - started_ns_;
  json::object out{{"version", BACKPLANE_VERSION},
                   {"state", gateway_->ready() ? "serving" : "draining"},
                   {"file", file_},
                   {"uptime_s", uptime_ns / 1'000'000'000},
                   {"loops", host_.loops->count()},
                   {"live_calls", gateway_->live_calls()},
                   {"connections", host_.net->connection_count()}};
  const std::lock_guard lock(mutex_);
  if (current_ != nullptr) out["generation"] = current_->id();
  out["loaded_unix_s"] = loaded_unix_s_;
  out["last_reload"] = nullptr;
  if (last_reload_unix_s_ != 0) {
    json::object last = object_of(last_reload_);
    last["unix_s"] = last_reload_unix_s_;
    out["last_reload"] = std::move(last);
  }
  return json::serialize(out);
}

std::string Runtime::Parts::plugins() const {
  json::array out;
  const std::lock_guard lock(mutex_);
  if (current_ != nullptr) {
    append(out, current_->transports);
    append(out, current_->backends);
    append(out, current_->payments);
  }
  return json::serialize(json::object{{"plugins", std::move(out)}});
}

std::string Runtime::Parts::routes() const {
  json::array models;
  json::array backends;
  const std::int64_t now_ns = system_clock()->monotonic_ns(nullptr);
  const std::lock_guard lock(mutex_);
  if (current_ != nullptr) {
    for (const auto& [name, model] : current_->router().models()) {
      models.emplace_back(object_of(model, now_ns));
    }
    for (const auto& each : current_->backends) backends.emplace_back(object_of(each->instance));
  }
  return json::serialize(
      json::object{{"models", std::move(models)}, {"backends", std::move(backends)}});
}

std::string Runtime::Parts::log() const {
  for (const LevelName& each : kLevels) {
    if (each.level == host_.logger.level()) {
      return json::serialize(json::object{{"level", each.name}});
    }
  }
  return "{}";
}

bool Runtime::Parts::set_log_level(std::string_view level) {
  for (const LevelName& each : kLevels) {
    if (each.name != level) continue;
    host_.logger.set_level(each.level);
    return true;
  }
  return false;
}

void Runtime::Parts::list_calls(AdminTell tell) {
  gateway_->list_calls(std::max<std::size_t>(kCallsListedMax / host_.loops->count(), 1),
                       [tell = std::move(tell)](const std::vector<LoopCallList>& lists) {
                         tell({200, text_of(lists)});
                       });
}

void Runtime::Parts::cancel_calls(std::string id, AdminTell tell) {
  gateway_->cancel_calls(std::move(id), [tell = std::move(tell)](std::size_t count) {
    if (count == 0) return tell(admin_error(404, "NO_SUCH_CALL", "there is no such call"));
    tell({200, json::serialize(json::object{{"cancelled", count}})});
  });
}

void Runtime::Parts::reload(AdminTell tell) {
  const bool posted = post_reload(std::nullopt, [tell](const ReloadOutcome& outcome) {
    tell({outcome ? 200U : 422U, json::serialize(object_of(outcome))});
  });
  if (!posted) tell(admin_error(503, "STOPPING", "the runtime is stopping"));
}

void Runtime::Parts::drain() {
  host_.logger.write(LogLevel::kInfo, "runtime", "takes no more calls: an operator asked for it");
  gateway_->set_serving(false);
}

std::string Runtime::Parts::clear_cache() {
  const ResponseCache::Size gone = host_.cache.clear();
  return json::serialize(json::object{{"answers", gone.answers}, {"bytes", gone.bytes}});
}

}  // namespace backplane
