// SPDX-License-Identifier: Apache-2.0
// A file's bytes, mapped read-only for as long as the object lives. Movable; the bytes do not
// move. Shrinking the file meanwhile is the operator's fault and kills the process.
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <span>
#include <string>

namespace backplane::local {

class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace backplane::local
