// SPDX-License-Identifier: Apache-2.0
// Files of memory, for what opens files by their paths.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {

class MemoryFile {
 public:
  MemoryFile() : file_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    expect(file_ >= 0, "no file of memory");
  }
  ~MemoryFile() { ::close(file_); }

  void fill(std::string_view bytes) const {
    expect(::ftruncate(file_, 0) == 0, "a file of memory does not shrink");
    const auto written = ::pwrite(file_, bytes.data(), bytes.size(), 0);
    expect(written == static_cast<ssize_t>(bytes.size()), "a file of memory does not grow");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  const int file_;
};

}  // namespace backplane::fuzz
