// SPDX-License-Identifier: Apache-2.0
// A folder of its own for a test; it goes with the object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace backplane::config {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "config-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string prefix() const { return path_.string() + "/"; }

 private:
  std::filesystem::path path_;
};

}  // namespace backplane::config
