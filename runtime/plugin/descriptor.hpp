// SPDX-License-Identifier: Apache-2.0
// The rules for what a loaded plugin hands over: its descriptor and its kind's table. Any thread.
#pragma once

#include "runtime/plugin/manifest.hpp"

#include <backplane/abi.h>

#include <string>

namespace backplane {

inline constexpr std::uint64_t kSchemaBytesMax = 64 * 1024;

// The descriptor is whole and speaks this runtime's ABI.
Status check_descriptor(const std::string& file, const bp_plugin* plugin);

// It says what the manifest says.
Status check_against(const std::string& file, const bp_plugin& plugin, const Manifest& manifest);

// get_interface gives the kind's table with every function of revision 1 in it.
Status check_table(const std::string& file, const bp_plugin& plugin, PluginKind kind);

}  // namespace backplane
