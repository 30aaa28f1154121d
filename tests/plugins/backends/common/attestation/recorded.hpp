// SPDX-License-Identifier: Apache-2.0
// Recorded evidence, where it lies beside the repository.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace backplane::attestation {

inline std::filesystem::path recorded_folder() {
  return std::filesystem::path(BACKPLANE_SHARED_DIR) / "vectors" / "providers";
}

inline bool has_recorded() {
  return std::filesystem::exists(recorded_folder() / "tdx_cases.json");
}

// `name` as the manifests write it, "dev/tdx/x.bin", or below the folder.
inline std::string recorded(std::string name) {
  if (name.rfind("dev/", 0) == 0) name.erase(0, 4);
  std::ifstream file(recorded_folder() / name, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline boost::json::value recorded_json(const std::string& name) {
  return boost::json::parse(recorded(name));
}

inline std::string string_at(const boost::json::value& object, const char* name) {
  return std::string(object.at(name).as_string());
}

}  // namespace backplane::attestation
