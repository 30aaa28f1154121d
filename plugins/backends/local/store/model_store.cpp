// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/model_store.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cstdlib>

#include "plugins/backends/local/store/file_choice.hpp"
#include "plugins/backends/local/store/split_file.hpp"

namespace backplane::local {
namespace {

constexpr std::string_view kSafetensors = ".safetensors";

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Groups the files of one folder into models.
std::vector<StoredModel> models_of(const Folder& folder, const Manifest& manifest,
                                   const ModelSource& source) {
  std::vector<StoredModel> models;
  StoredModel whole{source.text(), folder.path(), "safetensors", {}, true};
  bool has_tensors = false;
  for (const StoredFile& file : manifest.files) {
    if (!file.path.ends_with(".gguf")) {
      whole.files.push_back(file);
      has_tensors |= file.path.ends_with(kSafetensors);
      continue;
    }
    const auto split = parse_split_file(file.path);
    const std::string first = split ? split_file_name({split->base, 1, split->count}) : file.path;
    ModelSource named = source;
    named.file = first;
    auto known = std::find_if(models.begin(), models.end(),
                              [&](const StoredModel& model) { return model.name == named.text(); });
    if (known == models.end()) {
      models.push_back({named.text(), folder.path() + "/" + first, "gguf", {}, true});
      known = models.end() - 1;
    }
    known->files.push_back(file);
    known->is_whole = known->files.size() == (split ? split->count : 1);
  }
  if (has_tensors) models.push_back(std::move(whole));
  return models;
}

void list_folder(const Folder& root, const std::string& path, std::vector<StoredModel>& models) {
  const auto source = source_of_folder(path);
  const auto folder = root.enter(path, Folder::Missing::kError);
  if (!source || !folder) return;
  const auto manifest = read_manifest(*folder);
  if (!manifest) return;
  for (StoredModel& model : models_of(*folder, *manifest, *source)) {
    models.push_back(std::move(model));
  }
}

Error not_stored(const ModelSource& source) {
  return {Code::kNotFound,
          source.text() + " is not in the store; run: backplane model pull " + source.text(),
          {},
          0,
          0};
}

bool belongs_to(const StoredModel& model, const ModelSource& source) {
  if (source.file.empty()) return true;
  return std::any_of(model.files.begin(), model.files.end(), [&](const StoredFile& file) {
    return matches_choice(file.path, source.file);
  });
}

}  // namespace

std::uint64_t StoredModel::bytes() const {
  std::uint64_t sum = 0;
  for (const StoredFile& file : files) sum += file.bytes;
  return sum;
}

std::int64_t StoredModel::pulled_unix_s() const {
  std::int64_t latest = 0;
  for (const StoredFile& file : files) latest = std::max(latest, file.pulled_unix_s);
  return latest;
}

Result<std::string> default_store_path() {
  if (const std::string path = from_environment("BACKPLANE_MODELS"); !path.empty()) return path;
  if (const std::string data = from_environment("XDG_DATA_HOME"); !data.empty()) {
    return data + "/backplane/models";
  }
  if (const std::string home = from_environment("HOME"); !home.empty()) {
    return home + "/.local/share/backplane/models";
  }
  return invalid_argument("no folder for models is known; set BACKPLANE_MODELS to one");
}

std::vector<StoredModel> ModelStore::list() const {
  std::vector<StoredModel> models;
  const auto root = Folder::open(root_, Folder::Missing::kError);
  if (!root) return models;
  for (const FolderEntry& organization : root->entries()) {
    const auto folder = root->enter(organization.name, Folder::Missing::kError);
    if (!folder) continue;
    for (const FolderEntry& repository : folder->entries()) {
      list_folder(*root, organization.name + "/" + repository.name, models);
    }
  }
  std::sort(models.begin(), models.end(),
            [](const StoredModel& a, const StoredModel& b) { return a.name < b.name; });
  return models;
}

Result<StoredModel> ModelStore::find(const ModelSource& source) const {
  auto model = find_any(source);
  if (model && !model->is_whole) return not_stored(source);
  return model;
}

Result<StoredModel> ModelStore::find_any(const ModelSource& source) const {
  const auto root = Folder::open(root_, Folder::Missing::kError);
  if (!root) return not_stored(source);
  std::vector<StoredModel> models;
  list_folder(*root, source.folder(), models);
  std::erase_if(models, [&](const StoredModel& model) { return !belongs_to(model, source); });
  if (models.empty()) return not_stored(source);
  if (models.size() > 1) {
    std::string names;
    for (const StoredModel& model : models) names += "\n  " + model.name;
    return invalid_argument(source.text() + " names several models; give one of these:" + names);
  }
  return models[0];
}

Status ModelStore::remove(const ModelSource& source, const StoredModel& model) const {
  const auto root = Folder::open(root_, Folder::Missing::kError);
  if (!root) return root.error();
  auto folder = root->enter(source.folder(), Folder::Missing::kError);
  if (!folder) return folder.error();
  auto manifest = read_manifest(*folder);
  if (!manifest) return manifest.error();
  for (const StoredFile& file : model.files) {
    std::erase_if(manifest->files, [&](const StoredFile& old) { return old.path == file.path; });
  }
  if (auto status = write_manifest(*folder, *manifest); !status) return status;
  for (const StoredFile& file : model.files) {
    folder->remove(file.path);
    folder->remove(file.path + ".part");
    folder->remove(file.path + ".pieces");
    folder->remove_empty_parents(file.path);
  }
  if (!manifest->files.empty()) return ok();
  folder->remove(kManifestName);
  folder->remove(kLockName);
  root->remove_empty_parents(source.folder() + "/x");
  return ok();
}

Result<std::string> find_model_path(const std::string& model) {
  if (!is_model_source(model)) return model;
  const auto source = parse_model_source(model);
  if (!source) return source.error();
  const auto root = default_store_path();
  if (!root) return root.error();
  const auto found = ModelStore(*root).find(*source);
  if (!found) return found.error();
  return found->path;
}

}  // namespace backplane::local
