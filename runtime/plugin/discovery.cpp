// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/discovery.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>

namespace backplane {
namespace {

namespace fs = std::filesystem;

constexpr std::array<PluginKind, 3> kKinds{PluginKind::kBackend, PluginKind::kTransport,
                                           PluginKind::kPayment};

class Scan {
 public:
  void folder(const fs::path& root, PluginKind kind) {
    for (const fs::path& file : files_of(root / (std::string(name_of(kind)) + "s"))) {
      if (file.extension() == ".yaml") manifest(file, kind);
      if (file.extension() == ".so") library(file);
    }
  }
  Discovery finish() {
    std::stable_sort(found_.plugins.begin(), found_.plugins.end(), before);
    return std::move(found_);
  }

 private:
  static bool before(const PluginInfo& a, const PluginInfo& b) {
    return std::tie(a.manifest.kind, a.manifest.name) < std::tie(b.manifest.kind, b.manifest.name);
  }

  std::vector<fs::path> files_of(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code failure;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      if (files.size() == kFilesPerFolderMax) {
        warn(folder, "has more than " + std::to_string(kFilesPerFolderMax) +
                         " files; the others are not looked at");
        break;
      }
      files.push_back(entry->path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  void library(const fs::path& file) {
    std::error_code failure;
    fs::path manifest = file;
    manifest.replace_extension(".yaml");
    if (!fs::exists(manifest, failure)) {
      warn(file, "has no manifest " + manifest.filename().string() +
                     "; build it with bp_add_plugin, which writes one");
    }
  }

  void manifest(const fs::path& file, PluginKind kind) {
    Result<Manifest> manifest = read_manifest(file);
    if (!manifest) return found_.warnings.push_back(manifest.error().message);
    fs::path library = file;
    library.replace_extension(".so");
    std::error_code failure;
    if (manifest->name != file.stem()) {
      return warn(file, "name: expected \"" + file.stem().string() +
                            "\" as the file is called, found \"" + manifest->name + "\"");
    }
    if (manifest->kind != kind) {
      return warn(file, "kind: a " + std::string(name_of(manifest->kind)) + " does not belong in " +
                            file.parent_path().filename().string() + "/");
    }
    if (!fs::exists(library, failure)) return warn(file, "there is no " + library.string());
    add({std::move(*manifest), library, {}});
  }

  void add(PluginInfo info) {
    info.schema_path = info.path.parent_path() / info.manifest.schema;
    const auto same = [&](const PluginInfo& other) {
      return other.manifest.kind == info.manifest.kind && other.manifest.name == info.manifest.name;
    };
    const auto first = std::find_if(found_.plugins.begin(), found_.plugins.end(), same);
    if (first == found_.plugins.end()) return found_.plugins.push_back(std::move(info));
    warn(info.path, "is not used: " + std::string(name_of(info.manifest.kind)) + " \"" +
                        info.manifest.name + "\" " + first->manifest.version +
                        " comes earlier in the search path, as " + first->path.string());
  }

  void warn(const fs::path& file, const std::string& what) {
    found_.warnings.push_back(file.string() + ": " + what);
  }

  Discovery found_;
};

fs::path own_folder() {
  static const int anchor = 0;
  Dl_info info{};
  std::error_code failure;
  if (dladdr(&anchor, &info) != 0 && info.dli_fname != nullptr &&
      std::string_view(info.dli_fname).find('/') != std::string_view::npos) {
    const fs::path file = fs::weakly_canonical(info.dli_fname, failure);
    if (!failure) return file.parent_path();
  }
  return fs::read_symlink("/proc/self/exe", failure).parent_path();
}

}  // namespace

Discovery discover_plugins(const std::vector<fs::path>& folders) {
  Scan scan;
  std::vector<fs::path> seen;
  for (const fs::path& folder : folders) {
    std::error_code failure;
    const fs::path real = fs::weakly_canonical(folder, failure);
    if (std::find(seen.begin(), seen.end(), real) != seen.end()) continue;
    seen.push_back(real);
    for (const PluginKind kind : kKinds) scan.folder(folder, kind);
  }
  return scan.finish();
}

std::vector<fs::path> plugin_search_path(const std::vector<fs::path>& configured) {
  std::vector<fs::path> folders = configured;
  const fs::path own = own_folder();
  for (const char* relative : {"../lib/backplane/plugins", "backplane/plugins"}) {
    folders.push_back((own / relative).lexically_normal());
  }
  return folders;
}

}  // namespace backplane
