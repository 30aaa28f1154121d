// SPDX-License-Identifier: Apache-2.0
// Recorded models and results outside the tree: the environment's BACKPLANE_SHARED_DIR, or the
// folder the build was configured with. Tests skip what is not there.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace backplane::local {

// The path, or "" when there is no such file.
std::string recorded_path(const std::string& name);
// One value for each line of a .jsonl file.
std::vector<boost::json::value> recorded_lines(const std::string& path);
std::string file_text(const std::string& path);

}  // namespace backplane::local
