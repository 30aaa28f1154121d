// SPDX-License-Identifier: Apache-2.0
// The sections whose entries name a plugin: finds each plugin and checks its settings.
#pragma once

#include <string_view>
#include <utility>

#include "runtime/config/deployment.hpp"
#include "runtime/config/node.hpp"
#include "runtime/config/schema_source.hpp"
#include "runtime/config/validate.hpp"

namespace backplane::config {

inline constexpr std::pair<std::string_view, PluginKind> kPluginSections[] = {
    {"transports", PluginKind::kTransport},
    {"backends", PluginKind::kBackend},
    {"payments", PluginKind::kPayment},
    {"services", PluginKind::kService}};

// Validates every `settings` of `root` in place and adds the instances to `deployment`. Entries
// that already failed the deployment's own schema are passed over.
void resolve_plugins(Node& root, const SchemaSource& source, Validation& context,
                     Deployment& deployment);

}  // namespace backplane::config
