// SPDX-License-Identifier: Apache-2.0
// The adapters that requests may ask for by name: those of the settings, and those that lie in a
// folder at the time. One is read when it is first asked for, and again when its file has changed;
// it is let go when its file is gone, when others need its place, or when nobody has asked for it
// for long. Requests that use one keep it until they end.
//
// Threads: any. Reading one holds up those who ask for others meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/adapters/lora_adapter.hpp"

namespace backplane::local {

struct AdapterOptions {
  std::map<std::string, std::string, std::less<>> paths;  // by name
  std::string folder;  // its entries are adapters by their names, with or without ".gguf"; or ""
  std::size_t loaded_max = 8;
  std::int64_t idle_ms_max = 600'000;
};

class AdapterStore {
 public:
  using Adapter = std::shared_ptr<const LoraAdapter>;

  // `base` outlives the store.
  AdapterStore(AdapterOptions options, const ModelFile& base)
      : options_(std::move(options)), base_(base) {}

  // True where requests may have adapters at all.
  bool is_open() const { return !options_.paths.empty() || !options_.folder.empty(); }
  bool has(std::string_view name) const { return !path_of(name).empty(); }
  // In order.
  std::vector<std::string> names() const;

  // `now_ms`: on a steady clock. MODEL_NOT_FOUND, naming those there are; kResourceExhausted when
  // all that may be loaded are in use; else what is wrong with its file.
  Result<Adapter> get(std::string_view name, std::int64_t now_ms);
  // Lets go of what nobody has asked for for long. get() does this as well.
  void sweep(std::int64_t now_ms);
  std::size_t loaded() const;

 private:
  // What tells one state of a file from another.
  struct Stamp {
    std::filesystem::file_time_type changed;
    std::uintmax_t size = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  struct Loaded {
    Adapter adapter;
    std::string path;
    Stamp stamp;
    std::int64_t used_ms = 0;
  };
  using LoadedByName = std::map<std::string, Loaded, std::less<>>;

  std::string path_of(std::string_view name) const;
  static Stamp stamp_of(const std::string& path);
  Error not_found(std::string_view name) const;
  void drop_stale(std::int64_t now_ms);
  bool make_room();

  const AdapterOptions options_;
  const ModelFile& base_;
  mutable std::mutex mutex_;
  LoadedByName loaded_;  // guarded
};

}  // namespace backplane::local
