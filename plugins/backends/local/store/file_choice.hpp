// SPDX-License-Identifier: Apache-2.0
// Which files of a repository make the model that somebody named.
#pragma once

#include <string_view>
#include <vector>

#include "plugins/backends/local/store/hub_listing.hpp"

namespace backplane::local {

// Whether `file`, as given to hf:ORG/REPO:FILE, means this path: the path itself, or a tag such as
// Q4_K_M that stands in a GGUF file's name (or its folder's) between other characters than letters,
// digits and "_", in either case.
bool matches_choice(std::string_view path, std::string_view file);

// The files to pull: the named file with all parts of its split; without a name the safetensors and
// what belongs to them, or the one GGUF model, or the one whose tag is Q4_K_M. An error lists what
// there is.
Result<std::vector<RemoteFile>> choose_files(const std::vector<RemoteFile>& all,
                                             std::string_view file);

}  // namespace backplane::local
