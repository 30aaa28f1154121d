// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/plugin/plugin_folder.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace backplane {

namespace fs = std::filesystem;

PluginFolder::PluginFolder() {
  std::string pattern = (fs::temp_directory_path() / "backplane-plugins-XXXXXX").string();
  path_ = fs::canonical(mkdtemp(pattern.data()));
  for (const char* kind : {"backends", "transports", "payments"})
    fs::create_directory(path_ / kind);
}

PluginFolder::~PluginFolder() {
  std::error_code failure;
  fs::remove_all(path_, failure);
}

fs::path PluginFolder::file(PluginKind kind, std::string_view name) const {
  return path_ / (std::string(name_of(kind)) + "s") / name;
}

void PluginFolder::copy(PluginKind kind, const fs::path& library, const std::string& name) const {
  const fs::path folder = library.parent_path();
  const std::string old_name = library.stem();
  fs::copy_file(library, file(kind, name + ".so"));
  fs::copy_file(folder / (old_name + ".yaml"), file(kind, name + ".yaml"));
  fs::copy_file(folder / (old_name + ".schema.json"), file(kind, old_name + ".schema.json"));
}

void PluginFolder::write(PluginKind kind, std::string_view name, std::string_view text) const {
  std::ofstream(file(kind, name), std::ios::binary) << text;
}

void PluginFolder::append(PluginKind kind, std::string_view name, std::string_view text) const {
  std::ofstream(file(kind, name), std::ios::binary | std::ios::app) << text;
}

std::string read_text(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace backplane
