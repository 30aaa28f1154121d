// SPDX-License-Identifier: Apache-2.0
// A folder of one test, which goes with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace backplane::testing {

class TemporaryFolder {
 public:
  // In /tmp: the path of a Unix socket must be short.
  TemporaryFolder() {
    char pattern[] = "/tmp/backplane.XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace backplane::testing
