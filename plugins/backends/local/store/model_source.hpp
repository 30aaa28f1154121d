// SPDX-License-Identifier: Apache-2.0
// Names of models on the hub: hf:ORG/REPO[@REVISION][:FILE]. FILE is a path in the repository or a
// tag of its name such as Q4_K_M.
#pragma once

#include <backplane/result.hpp>
#include <string>
#include <string_view>

namespace backplane::local {

inline constexpr std::size_t kRemotePathBytesMax = 1024;
inline constexpr std::size_t kRemotePathDepthMax = 16;
inline constexpr std::string_view kDefaultRevision = "main";

struct ModelSource {
  std::string organization;
  std::string repository;
  std::string revision{kDefaultRevision};
  std::string file;  // empty: what the repository suggests

  std::string repository_name() const { return organization + "/" + repository; }
  // Where it lies below the store's root: ORG/REPO, with @REVISION unless that is the default.
  std::string folder() const;
  std::string text() const;
};

bool is_model_source(std::string_view text);
Result<ModelSource> parse_model_source(std::string_view text);
// The source whose folder() this is.
Result<ModelSource> source_of_folder(std::string_view folder);

// Whether a path that a server names may be created below a folder: relative, without "." and
// "..", without control characters, and none of the names that the store keeps for itself.
Status check_remote_path(std::string_view path);

}  // namespace backplane::local
