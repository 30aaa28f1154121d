// SPDX-License-Identifier: Apache-2.0
// The models on this machine's disk: ROOT/ORG/REPO[@REVISION]/ with the repository's files as they
// are there, and a manifest. Nothing here talks to a network. Any thread; another process may
// change the store meanwhile.
#pragma once

#include <string>
#include <vector>

#include "plugins/backends/local/store/folder.hpp"
#include "plugins/backends/local/store/manifest.hpp"
#include "plugins/backends/local/store/model_source.hpp"

namespace backplane::local {

inline constexpr const char* kLockName = ".backplane.lock";

// $BACKPLANE_MODELS, else $XDG_DATA_HOME/backplane/models, else ~/.local/share/backplane/models.
Result<std::string> default_store_path();

// One GGUF file with all its parts, or a folder of safetensors with what belongs to it.
struct StoredModel {
  std::string name;  // hf:ORG/REPO[@REVISION][:FILE]
  std::string path;  // what opens it
  std::string type;  // "gguf" or "safetensors"
  std::vector<StoredFile> files;
  bool is_whole = true;  // whether every part is there
  std::uint64_t bytes() const;
  std::int64_t pulled_unix_s() const;
};

class ModelStore {
 public:
  // The folder need not exist.
  explicit ModelStore(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  // By name. What cannot be read is left out.
  std::vector<StoredModel> list() const;
  // The one model that the source names; its FILE may be a tag, or missing where the repository
  // has one model. kNotFound says what to run.
  Result<StoredModel> find(const ModelSource& source) const;
  // Also one of which parts are missing.
  Result<StoredModel> find_any(const ModelSource& source) const;
  // Its files, those of a pull that did not end, and the folder when nothing is left in it.
  Status remove(const ModelSource& source, const StoredModel& model) const;

 private:
  std::string root_;
};

// A path as it is, or the path of the stored model that hf:... names, in the default store.
Result<std::string> find_model_path(const std::string& model);

}  // namespace backplane::local
