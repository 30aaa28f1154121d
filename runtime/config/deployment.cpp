// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/deployment.hpp"

#include <algorithm>
#include <cassert>

#include "runtime/config/price.hpp"

namespace backplane::config {
namespace {

const Node& at(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  assert(found);
  return *found;
}

// The index of `node`'s text among the names of an enumeration, in its order; the first for a
// reference that was not read.
template <class Enumeration>
Enumeration enumeration_of(const Node& node, std::initializer_list<std::string_view> names) {
  const auto found = std::find(names.begin(), names.end(), node.text);
  assert(found != names.end() || node.kind == NodeKind::kNull);
  return static_cast<Enumeration>(found != names.end() ? found - names.begin() : 0);
}

std::int64_t amount(const Node& node) {
  const Result<std::int64_t> nano_usd = parse_nano_usd(node.text);
  return nano_usd ? *nano_usd : 0;  // only an unread reference has no amount
}

Price read_price(const Node& node) {
  return {amount(at(node, "input")), amount(at(node, "output"))};
}

Route read_route(const Node& node) {
  Route route{at(node, "backend").text,
              at(node, "model").text,
              at(node, "weight").integer,
              {},
              {},
              node.position};
  if (const Node* cost = node.find("cost")) route.cost = read_price(*cost);
  if (const Node* privacy = node.find("privacy")) route.privacy = privacy->text;
  return route;
}

Model read_model(const Entry& entry) {
  Model model;
  model.name = entry.key;
  model.position = entry.position;
  model.policy = enumeration_of<Policy>(
      at(entry.value, "policy"), {"ordered", "weighted", "cheapest", "fastest", "least_busy"});
  for (const Node& alias : at(entry.value, "aliases").items) {
    model.aliases.push_back(alias.text);
  }
  if (const Node* price = entry.value.find("price")) {
    model.price = read_price(*price);
  }
  if (const Node* cache = entry.value.find("cache")) {
    model.cache = Cache{at(*cache, "ttl_seconds").integer, at(*cache, "charge_percent").integer};
  }
  model.sticky = at(entry.value, "sticky").boolean;
  model.attempts = at(entry.value, "attempts").integer;
  model.retry_percent = at(entry.value, "retry_percent").integer;
  if (const Node* hedge = entry.value.find("hedge")) {
    model.hedge_percent = at(*hedge, "percent").integer;
    model.hedge_after_ms = at(*hedge, "after_ms").integer;
  }
  model.continues_streams = at(entry.value, "failover").text == "continue";
  for (const Node& route : at(entry.value, "routes").items) {
    model.routes.push_back(read_route(route));
  }
  return model;
}

Log read_log(const Node& node) {
  Log log;
  log.level = enumeration_of<LogLevel>(at(node, "level"),
                                       {"trace", "debug", "info", "warning", "error", "off"});
  log.format = enumeration_of<LogFormat>(at(node, "format"), {"text", "json"});
  return log;
}

Limits read_limits(const Node& node) {
  return {at(node, "max_body_bytes").integer,
          at(node, "max_depth").integer,
          at(node, "call_timeout_ms").integer,
          at(node, "drain_ms").integer,
          at(node, "loops").integer,
          at(node, "max_receipts").integer,
          at(node, "max_receipt_bytes").integer,
          at(node, "receipt_seconds").integer,
          at(node, "cache_bytes").integer,
          at(node, "cache_answer_bytes").integer};
}

std::vector<std::pair<std::string, std::string>> texts_of(const Node& node) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const Entry& entry : node.entries) texts.emplace_back(entry.key, entry.value.text);
  return texts;
}

double number_of(const Node& node) {
  return node.kind == NodeKind::kReal ? node.real : static_cast<double>(node.integer);
}

Telemetry read_telemetry(const Node* node) {
  const Node* otlp = node != nullptr ? node->find("otlp") : nullptr;
  if (otlp == nullptr) return {};
  return {Otlp{at(*otlp, "endpoint").text, texts_of(at(*otlp, "headers")),
               number_of(at(*otlp, "sample_ratio")), at(*otlp, "service_name").text,
               texts_of(at(*otlp, "attributes"))}};
}

}  // namespace

const Model* Deployment::find_model(std::string_view name) const {
  const auto found = std::find_if(models.begin(), models.end(), [&](const Model& model) {
    return model.name == name ||
           std::find(model.aliases.begin(), model.aliases.end(), name) != model.aliases.end();
  });
  return found != models.end() ? &*found : nullptr;
}

void read_sections(const Node& root, Deployment& deployment) {
  for (const Entry& model : at(root, "models").entries) {
    deployment.models.push_back(read_model(model));
  }
  deployment.limits = read_limits(at(root, "limits"));
  deployment.log = read_log(at(root, "log"));
  deployment.telemetry = read_telemetry(root.find("telemetry"));
  if (const Node* admin = root.find("admin")) {
    deployment.admin = Admin{at(*admin, "listen").text, at(*admin, "token").text};
  }
}

PluginSearch read_plugin_search(const Node& root) {
  PluginSearch search;
  const Node* section = root.find("plugins");
  const Node* path = section ? section->find("path") : nullptr;
  const Node* digests = section ? section->find("sha256") : nullptr;
  for (std::size_t i = 0; path && i < path->items.size(); ++i) {
    search.folders.push_back(path->items[i].text);
  }
  for (std::size_t i = 0; digests && i < digests->entries.size(); ++i) {
    search.digests.emplace_back(digests->entries[i].key, digests->entries[i].value.text);
  }
  return search;
}

}  // namespace backplane::config
