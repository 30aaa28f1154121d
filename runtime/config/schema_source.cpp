// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/schema_source.hpp"

#include <algorithm>

#include "runtime/config/suggestion.hpp"

namespace backplane::config {
namespace {

Error no_such_plugin(const std::vector<PluginSchema>& plugins, PluginKind kind,
                     const std::string& name) {
  std::vector<std::string> names;
  for (const PluginSchema& plugin : plugins) {
    const bool is_new = std::find(names.begin(), names.end(), plugin.name) == names.end();
    if (plugin.kind == kind && is_new) {
      names.push_back(plugin.name);
    }
  }
  const std::string kind_name(name_of(kind));
  const std::string meant = did_you_mean(name, names);
  return {
      Code::kNotFound,
      "no " + kind_name + " plugin " + quote(name) + "; available are " + list_names(names) + meant,
      {},
      0,
      0};
}

}  // namespace

std::string_view name_of(PluginKind kind) {
  switch (kind) {
    case PluginKind::kBackend:
      return "backend";
    case PluginKind::kTransport:
      return "transport";
    case PluginKind::kPayment:
      return "payment";
    case PluginKind::kService:
      return "service";
  }
  return "plugin";
}

std::string_view settings_schema(const PluginSchema& plugin) {
  static constexpr std::string_view kNone = R"({"type":"object","additionalProperties":false})";
  return plugin.schema.empty() ? kNone : std::string_view(plugin.schema);
}

Result<PluginSchema> choose_plugin(const std::vector<PluginSchema>& plugins, PluginKind kind,
                                   const Requirement& requirement) {
  const PluginSchema* best = nullptr;
  Version best_version{};
  std::vector<std::string> versions;
  for (const PluginSchema& plugin : plugins) {
    if (plugin.kind != kind || plugin.name != requirement.name) {
      continue;
    }
    versions.push_back(plugin.version);
    const Result<Version> parsed = parse_version(plugin.version);
    const Version version = parsed ? *parsed : Version{};
    if (requirement.accepts(version) && (!best || version > best_version)) {
      best = &plugin;
      best_version = version;
    }
  }
  if (best) {
    return *best;
  }
  if (versions.empty()) {
    return no_such_plugin(plugins, kind, requirement.name);
  }
  return Error{Code::kNotFound,
               std::string(name_of(kind)) + " plugin " + quote(requirement.name) +
                   ": no version satisfies " + quote(requirement.range) + "; available are " +
                   list_names(versions),
               {},
               0,
               0};
}

}  // namespace backplane::config
