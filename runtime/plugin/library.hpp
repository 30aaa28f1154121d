// SPDX-License-Identifier: Apache-2.0
// Maps one plugin file and gets its descriptor.
#pragma once

#include "runtime/plugin/manifest.hpp"

#include <backplane/abi.h>

#include <filesystem>

namespace backplane {

// [control] Maps the file with every symbol resolved and none shared, and calls its entry. A mapped
// library stays mapped until the process ends; opening it again finds it again, so a file that is
// another one by now (`sha256`, what it is) is refused. The descriptor is checked (descriptor.hpp)
// and lives as long. This runs the plugin's code: check_elf comes first.
Result<const bp_plugin*> open_plugin(const std::filesystem::path& file, const std::string& sha256,
                                     const bp_host* host);

// The sha256 of the file is the manifest's.
Status check_sha256(const std::filesystem::path& file, const Manifest& manifest);

}  // namespace backplane
