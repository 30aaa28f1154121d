// SPDX-License-Identifier: Apache-2.0
// Bounded reading of files that others wrote. Any thread; errors begin with the path.
#pragma once

#include <backplane/result.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace backplane {

// A file opened for reading, at any position.
class InputFile {
 public:
  static Result<InputFile> open(const std::filesystem::path& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  std::uint64_t size() const { return size_; }
  // False where the range is not within the file, or reading fails.
  bool read(std::uint64_t offset, void* target, std::uint64_t size) const;

 private:
  InputFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  int descriptor_;
  std::uint64_t size_;
};

// The whole of a regular file of at most `bytes_max`.
Result<std::string> read_small_file(const std::filesystem::path& path, std::uint64_t bytes_max);

// 64 lower-case hexadecimal digits.
Result<std::string> sha256_of(const std::filesystem::path& path);

}  // namespace backplane
