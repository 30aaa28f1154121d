// SPDX-License-Identifier: Apache-2.0
// What a folder of the store holds, in its file .backplane.json: where it came from, and every file
// that is whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/backends/local/store/folder.hpp"

namespace backplane::local {

inline constexpr const char* kManifestName = ".backplane.json";
inline constexpr std::size_t kManifestBytesMax = std::size_t{16} << 20U;

struct StoredFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string sha256;
  std::int64_t pulled_unix_s = 0;
};

struct Manifest {
  std::string source;  // hf:ORG/REPO[@REVISION]
  std::string commit;  // what the revision was, where the hub said so
  std::vector<StoredFile> files;

  const StoredFile* find(std::string_view path) const;
  // Adds the file, or replaces the one of its path.
  void put(StoredFile file);
};

// kNotFound when there is none; an error when it is damaged.
Result<Manifest> read_manifest(const Folder& folder);
Status write_manifest(const Folder& folder, const Manifest& manifest);

}  // namespace backplane::local
