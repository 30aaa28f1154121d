// SPDX-License-Identifier: Apache-2.0
// The subcommands that a loaded plugin offers: bp.commands/1. Any thread.
#pragma once

#include "runtime/plugin/manifest.hpp"

#include <backplane/command.h>

#include <string>
#include <string_view>

namespace backplane {

// The table is whole and has exactly the commands of the manifest, each with a function and a
// sentence about it. A plugin without commands need not offer a table.
Status check_commands(const std::string& file, const bp_plugin& plugin, const Manifest& manifest);

// Of a plugin that passed check_commands; null where it has no such command.
const bp_command* find_command(const bp_plugin& plugin, std::string_view name);

}  // namespace backplane
