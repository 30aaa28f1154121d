// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/adapters/adapter_store.hpp"

#include <algorithm>

namespace backplane::local {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamesShownMax = 32;
constexpr std::size_t kNameBytesMax = 255;
constexpr std::uint64_t kAllInUseRetryMs = 1000;
constexpr std::string_view kEnding = ".gguf";

// One entry of a folder, and not a way out of it.
bool is_plain(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

bool is_adapter(const fs::path& path) {
  std::error_code failure;
  if (fs::is_directory(path, failure)) return fs::exists(path / "adapter_config.json", failure);
  return path.extension() == kEnding && fs::is_regular_file(path, failure);
}

}  // namespace

std::string AdapterStore::path_of(std::string_view name) const {
  if (const auto found = options_.paths.find(name); found != options_.paths.end()) {
    return found->second;
  }
  if (options_.folder.empty() || !is_plain(name)) return {};
  const fs::path path = fs::path(options_.folder) / name;
  for (const fs::path& candidate : {path, fs::path(path.string() + std::string(kEnding))}) {
    if (is_adapter(candidate)) return candidate.string();
  }
  return {};
}

std::vector<std::string> AdapterStore::names() const {
  std::vector<std::string> names;
  for (const auto& [name, path] : options_.paths) names.push_back(name);
  std::error_code failure;
  if (!options_.folder.empty()) {
    for (fs::directory_iterator at(options_.folder, failure), end; !failure && at != end;
         at.increment(failure)) {
      if (!is_adapter(at->path())) continue;
      const bool is_file = at->path().extension() == kEnding;
      names.push_back((is_file ? at->path().stem() : at->path().filename()).string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// Of a folder the weights count, and its settings by the time they were written.
AdapterStore::Stamp AdapterStore::stamp_of(const std::string& path) {
  std::error_code failure;
  Stamp stamp;
  if (!fs::is_directory(path, failure)) {
    stamp.changed = fs::last_write_time(path, failure);
    stamp.size = fs::file_size(path, failure);
    return stamp;
  }
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors"}) {
    const fs::path file = fs::path(path) / name;
    stamp.changed = std::max(stamp.changed, fs::last_write_time(file, failure));
    stamp.size += fs::file_size(file, failure);
  }
  return stamp;
}

Error AdapterStore::not_found(std::string_view name) const {
  std::string message = "there is no adapter \"" + printable(name) + "\"; there ";
  const std::vector<std::string> all = names();
  message += all.empty() ? "is none" : "are ";
  for (std::size_t i = 0; i < std::min(all.size(), kNamesShownMax); ++i) {
    message += (i == 0 ? "" : ", ") + printable(all[i]);
  }
  if (all.size() > kNamesShownMax) message += ", ...";
  return {Code::kNotFound, message, "MODEL_NOT_FOUND", 404, 0};
}

Result<AdapterStore::Adapter> AdapterStore::get(std::string_view name, std::int64_t now_ms) {
  const std::string path = path_of(name);
  if (path.empty()) return not_found(name);
  const std::lock_guard lock(mutex_);
  drop_stale(now_ms);
  if (const auto found = loaded_.find(name); found != loaded_.end()) {
    found->second.used_ms = now_ms;
    return found->second.adapter;
  }
  if (!make_room()) {
    return Error{Code::kResourceExhausted,
                 std::to_string(loaded_.size()) +
                     " adapters are in use, no more may be loaded; "
                     "try again soon or raise max_adapters",
                 "QUEUE_FULL", 429, kAllInUseRetryMs};
  }
  // Before it is read: what changes meanwhile is read again.
  const Stamp stamp = stamp_of(path);
  auto adapter = LoraAdapter::load(path, base_);
  if (!adapter) return adapter.error();
  loaded_[std::string(name)] = {*adapter, path, stamp, now_ms};
  return *adapter;
}

void AdapterStore::sweep(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  drop_stale(now_ms);
}

std::size_t AdapterStore::loaded() const {
  const std::lock_guard lock(mutex_);
  return loaded_.size();
}

void AdapterStore::drop_stale(std::int64_t now_ms) {
  std::erase_if(loaded_, [&](const auto& entry) {
    const Loaded& loaded = entry.second;
    const bool idle =
        loaded.adapter.use_count() == 1 && now_ms - loaded.used_ms > options_.idle_ms_max;
    return idle || path_of(entry.first) != loaded.path || stamp_of(loaded.path) != loaded.stamp;
  });
}

bool AdapterStore::make_room() {
  while (loaded_.size() >= options_.loaded_max) {
    auto oldest = loaded_.end();
    for (auto at = loaded_.begin(); at != loaded_.end(); ++at) {
      if (at->second.adapter.use_count() > 1) continue;
      if (oldest == loaded_.end() || at->second.used_ms < oldest->second.used_ms) oldest = at;
    }
    if (oldest == loaded_.end()) return false;
    loaded_.erase(oldest);
  }
  return true;
}

}  // namespace backplane::local
