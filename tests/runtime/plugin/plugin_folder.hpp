// SPDX-License-Identifier: Apache-2.0
// A plugin folder of a test's own, removed with it.
#pragma once

#include "runtime/plugin/manifest.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace backplane {

// The .so of this build's echo backend.
inline const std::filesystem::path kEchoPlugin =
    std::filesystem::path(BACKPLANE_BINARY_DIR) / "lib/backplane/plugins/backends/echo.so";

class PluginFolder {
 public:
  PluginFolder();
  ~PluginFolder();
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(PluginKind kind, std::string_view name) const;

  // Copies `library` with its manifest and schema, under another name if `name` differs.
  void copy(PluginKind kind, const std::filesystem::path& library, const std::string& name) const;
  void write(PluginKind kind, std::string_view name, std::string_view text) const;
  void append(PluginKind kind, std::string_view name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

std::string read_text(const std::filesystem::path& file);

}  // namespace backplane
