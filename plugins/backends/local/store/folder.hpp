// SPDX-License-Identifier: Apache-2.0
// A folder that is open, and what lies below it. Paths are relative, of names between slashes
// (see check_remote_path); no link on the way is followed, so that nothing outside is reached.
// Any thread; errors name the path.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

// Closes its file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return number_; }

 private:
  int number_;
};

struct FolderEntry {
  std::string name;
  bool is_folder = false;
};

class Folder {
 public:
  enum class Missing { kError, kCreate };

  static Result<Folder> open(const std::string& path, Missing missing);
  Result<Folder> enter(std::string_view path, Missing missing) const;

  // A plain file; `flags` as of open(2).
  Result<Descriptor> open_file(std::string_view path, int flags) const;
  bool has_file(std::string_view path) const;
  // Bytes of a plain file; kNotFound.
  Result<std::uint64_t> file_bytes(std::string_view path) const;
  Status rename(std::string_view from, std::string_view to) const;
  // Whether there was something to remove.
  bool remove(std::string_view path) const;
  // Removes the folders on the way to `path`, the innermost first, as long as they are empty.
  void remove_empty_parents(std::string_view path) const;
  std::vector<FolderEntry> entries() const;
  // The whole file, of at most `bytes_max` bytes; kNotFound.
  Result<std::string> read_file(std::string_view path, std::size_t bytes_max) const;
  // Replaces the file at once: whoever reads sees the old or the new.
  Status write_file(std::string_view path, std::string_view text) const;
  Result<std::uint64_t> free_bytes() const;

  const std::string& path() const { return path_; }

 private:
  Folder(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}
  // The folder of the last name of `path`, and that name.
  Result<Folder> parent(std::string_view path, std::string& name) const;
  Error failed(std::string_view path, int number) const;

  Descriptor descriptor_;
  std::string path_;
};

}  // namespace backplane::local
