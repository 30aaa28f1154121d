// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/backends/local/recorded.hpp"

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace backplane::local {

std::string recorded_path(const std::string& name) {
  const char* folder = std::getenv("BACKPLANE_SHARED_DIR");
  const std::filesystem::path path =
      std::filesystem::path(folder != nullptr ? folder : BACKPLANE_SHARED_DIR) / name;
  return std::filesystem::exists(path) ? path.string() : std::string();
}

std::vector<boost::json::value> recorded_lines(const std::string& path) {
  std::vector<boost::json::value> values;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) values.push_back(boost::json::parse(line));
  }
  return values;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace backplane::local
