// SPDX-License-Identifier: Apache-2.0
// A deployment as the runtime consumes it: checked, complete, typed. Plain data; immutable once
// loaded, so any thread may read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/config/diagnostic.hpp"
#include "runtime/config/node.hpp"
#include "runtime/config/schema_source.hpp"
#include "runtime/config/secrets.hpp"

namespace backplane::config {

struct PluginInstance {
  PluginKind kind = PluginKind::kBackend;
  std::string name;     // the key in the file: the identity of the instance
  std::string plugin;   // the plugin's name
  std::string range;    // as written after the @; empty for any
  std::string version;  // of the plugin chosen
  std::string
      settings;  // canonical JSON, defaults filled in; secrets are names in Deployment::secrets
  Position position;
  std::int64_t max_concurrent = 0;  // 0: no limit; backends only
  std::int64_t timeout_ms = 0;      // backends only, as all that follow
  std::int64_t first_event_timeout_ms = 0;
  std::int64_t eject_after = 0;
  std::int64_t eject_slower = 0;
  std::int64_t eject_ms = 0;
  std::int64_t concurrency_min = 0;  // adaptive_concurrency
  std::int64_t concurrency_max = 0;  // 0: none
};

struct Price {
  std::int64_t input_nano_usd_per_million_tokens = 0;
  std::int64_t output_nano_usd_per_million_tokens = 0;
};

struct Route {
  std::string backend;  // name of a PluginInstance in Deployment::backends
  std::string model;    // what the backend calls the model
  std::int64_t weight = 1;
  std::optional<Price> cost;  // none: what the backend says
  std::string privacy;        // empty: likewise
  Position position;
};

// What is kept of a model's answers.
struct Cache {
  std::int64_t ttl_seconds = 0;
  std::int64_t charge_percent = 0;
};

enum class Policy : std::uint8_t { kOrdered, kWeighted, kCheapest, kFastest, kLeastBusy };

struct Model {
  std::string name;
  std::vector<std::string> aliases;
  Policy policy = Policy::kOrdered;
  bool sticky = false;
  std::int64_t attempts = 0;
  std::int64_t retry_percent = 0;
  bool continues_streams = false;  // failover: continue
  std::int64_t hedge_percent = 0;  // 0: no hedge
  std::int64_t hedge_after_ms = 0;
  std::optional<Price> price;  // none: free
  std::optional<Cache> cache;  // none: nothing is kept
  std::vector<Route> routes;   // at least one
  Position position;
};

struct Limits {
  std::int64_t max_body_bytes = 0;
  std::int64_t max_depth = 0;
  std::int64_t call_timeout_ms = 0;
  std::int64_t drain_ms = 0;
  std::int64_t loops = 0;  // 0: one per core
  std::int64_t max_receipts = 0;
  std::int64_t max_receipt_bytes = 0;
  std::int64_t receipt_seconds = 0;
  std::int64_t cache_bytes = 0;
  std::int64_t cache_answer_bytes = 0;
};

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarning, kError, kOff };
enum class LogFormat : std::uint8_t { kText, kJson };

struct Log {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

// Where traces go.
struct Otlp {
  std::string endpoint;
  std::vector<std::pair<std::string, std::string>> headers;  // values: names in Deployment::secrets
  double sample_ratio = 1.0;
  std::string service_name;
  std::vector<std::pair<std::string, std::string>> attributes;
};

struct Telemetry {
  std::optional<Otlp> otlp;  // none: nothing is traced
};

// The operator's own endpoint.
struct Admin {
  std::string listen;
  std::string token;  // the name of a secret
};

struct Deployment {
  std::string file;
  std::vector<PluginInstance> transports;
  std::vector<PluginInstance> backends;
  std::vector<PluginInstance> payments;
  std::vector<PluginInstance> services;
  std::vector<Model> models;
  PluginSearch plugins;
  Limits limits;
  Log log;
  Telemetry telemetry;
  std::optional<Admin> admin;
  Secrets secrets;  // wiped when the deployment goes
  Node tree;        // the resolved tree, for explain and diff; holds no secret

  // The model of that name or alias, or null.
  const Model* find_model(std::string_view name) const;
};

// The typed parts of a validated and cross-checked tree, all but its plugin instances.
void read_sections(const Node& root, Deployment& deployment);

// The `plugins` section, which is needed before settings can be checked.
PluginSearch read_plugin_search(const Node& root);

}  // namespace backplane::config
