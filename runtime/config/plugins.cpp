// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/plugins.hpp"

#include <map>
#include <utility>

#include "runtime/config/json.hpp"

namespace backplane::config {
namespace {

std::vector<PluginInstance>& list_of(Deployment& deployment, PluginKind kind) {
  switch (kind) {
    case PluginKind::kTransport:
      return deployment.transports;
    case PluginKind::kBackend:
      return deployment.backends;
    case PluginKind::kPayment:
      return deployment.payments;
    case PluginKind::kService:
      break;
  }
  return deployment.services;
}

std::int64_t integer_at(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  return found ? found->integer : 0;
}

class Resolver {
 public:
  Resolver(const SchemaSource& source, Validation& context, Deployment& deployment)
      : source_(source), context_(context), deployment_(deployment) {}

  void resolve(PluginKind kind, Entry& entry, const std::string& path) {
    const Node* uses = entry.value.find("uses");
    Node* settings = entry.value.find("settings");
    if (!uses || uses->kind != NodeKind::kString || !settings || !settings->is_mapping()) {
      return;
    }
    const Result<Requirement> requirement = parse_requirement(uses->text);
    if (!requirement) {
      report(*uses, path, requirement.error());
      return;
    }
    const Result<PluginSchema> plugin = source_.find(kind, *requirement, deployment_.plugins);
    if (!plugin) {
      report(*uses, path, plugin.error());
      return;
    }
    const Result<Schema>& schema = compiled(*plugin);
    if (!schema) {
      report(*uses, path, schema.error());
      return;
    }
    context_.schema_name = plugin->name + " " + plugin->version;
    validate(*settings, *schema, path_of_key(path, "settings"), context_);
    add(kind, entry, *requirement, *plugin, *settings);
  }

 private:
  const Result<Schema>& compiled(const PluginSchema& plugin) {
    const std::string id =
        std::string(name_of(plugin.kind)) + " " + plugin.name + " " + plugin.version;
    const auto known = schemas_.find(id);
    if (known != schemas_.end()) {
      return known->second;
    }
    Result<Schema> schema = compile_schema(settings_schema(plugin));
    if (!schema) {
      schema = invalid_argument("the settings schema of " + plugin.name + " " + plugin.version +
                                " is invalid: " + schema.error().message);
    }
    return schemas_.emplace(id, std::move(schema)).first->second;
  }

  void add(PluginKind kind, const Entry& entry, const Requirement& requirement,
           const PluginSchema& plugin, const Node& settings) {
    PluginInstance instance;
    instance.kind = kind;
    instance.name = entry.key;
    instance.plugin = plugin.name;
    instance.range = requirement.range;
    instance.version = plugin.version;
    instance.settings = to_canonical_json(settings);
    instance.position = entry.position;
    instance.max_concurrent = integer_at(entry.value, "max_concurrent");
    instance.timeout_ms = integer_at(entry.value, "timeout_ms");
    instance.first_event_timeout_ms = integer_at(entry.value, "first_event_timeout_ms");
    instance.eject_after = integer_at(entry.value, "eject_after");
    instance.eject_slower = integer_at(entry.value, "eject_slower");
    instance.eject_ms = integer_at(entry.value, "eject_ms");
    if (const Node* adaptive = entry.value.find("adaptive_concurrency")) {
      instance.concurrency_min = integer_at(*adaptive, "min");
      instance.concurrency_max = integer_at(*adaptive, "max");
    }
    list_of(deployment_, kind).push_back(std::move(instance));
  }

  void report(const Node& uses, const std::string& path, const Error& error) {
    context_.diagnostics.error(uses.position, path_of_key(path, "uses"), error.message);
  }

  const SchemaSource& source_;
  Validation& context_;
  Deployment& deployment_;
  std::map<std::string, Result<Schema>> schemas_;
};

}  // namespace

void resolve_plugins(Node& root, const SchemaSource& source, Validation& context,
                     Deployment& deployment) {
  Resolver resolver(source, context, deployment);
  for (const auto& [section, kind] : kPluginSections) {
    Node* node = root.find(section);
    for (std::size_t i = 0; node && i < node->entries.size(); ++i) {
      Entry& entry = node->entries[i];
      resolver.resolve(kind, entry, path_of_key(std::string(section), entry.key));
    }
  }
}

}  // namespace backplane::config
