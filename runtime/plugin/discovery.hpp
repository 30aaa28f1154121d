// SPDX-License-Identifier: Apache-2.0
// Finds plugins by their manifests. Runs no plugin code and maps no plugin file.
#pragma once

#include "runtime/plugin/manifest.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace backplane {

struct PluginInfo {
  Manifest manifest;
  std::filesystem::path path;         // of the .so
  std::filesystem::path schema_path;  // of the JSON Schema beside it
};

struct Discovery {
  std::vector<PluginInfo> plugins;    // by kind, then name
  std::vector<std::string> warnings;  // what was passed over, and why
};

inline constexpr std::size_t kFilesPerFolderMax = 1024;

// Looks into <folder>/backends, /transports and /payments of each folder in turn. Of two plugins of
// one kind and name the one found first stays; the other is a warning. Any thread.
Discovery discover_plugins(const std::vector<std::filesystem::path>& folders);

// The configured folders, then ../lib/backplane/plugins (and the multiarch sibling) as seen from
// the file that holds this code, be it libbackplane.so or an executable.
std::vector<std::filesystem::path> plugin_search_path(
    const std::vector<std::filesystem::path>& configured);

}  // namespace backplane
