// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

namespace backplane::local {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

Code code_of(int number) {
  if (number == ENOENT) return Code::kNotFound;
  if (number == EACCES || number == EPERM || number == EROFS) return Code::kPermissionDenied;
  if (number == ENOSPC || number == EDQUOT) return Code::kResourceExhausted;
  return Code::kInternal;
}

Error error_at(const std::string& path, int number) {
  std::string text = path + ": " + std::strerror(number);
  if (number == ELOOP || number == ENOTDIR) text += "; links are not followed in the store";
  return {code_of(number), std::move(text), {}, 0, 0};
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

Error Folder::failed(std::string_view path, int number) const {
  return error_at(path_ + "/" + std::string(path), number);
}

Result<Folder> Folder::open(const std::string& path, Missing missing) {
  if (missing == Missing::kCreate) {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    if (failure) return error_at(path, failure.value());
  }
  Descriptor descriptor(::open(path.c_str(), kFolderFlags));
  if (descriptor.get() < 0) return error_at(path, errno);
  return Folder(std::move(descriptor), path);
}

Result<Folder> Folder::enter(std::string_view path, Missing missing) const {
  Descriptor at(openat(descriptor_.get(), ".", kFolderFlags));
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string name(rest.substr(0, slash));
    rest = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
    if (name.empty() || name == "." || name == "..") return failed(path, EINVAL);
    if (missing == Missing::kCreate && mkdirat(at.get(), name.c_str(), 0777) != 0 &&
        errno != EEXIST) {
      return failed(path, errno);
    }
    Descriptor next(openat(at.get(), name.c_str(), kFolderFlags | O_NOFOLLOW));
    if (next.get() < 0) return failed(path, errno);
    at = std::move(next);
  }
  return Folder(std::move(at), path.empty() ? path_ : path_ + "/" + std::string(path));
}

Result<Folder> Folder::parent(std::string_view path, std::string& name) const {
  const std::size_t slash = path.rfind('/');
  name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return failed(path, EINVAL);
  return enter(slash == std::string_view::npos ? "" : path.substr(0, slash), Missing::kError);
}

Result<Descriptor> Folder::open_file(std::string_view path, int flags) const {
  std::string name;
  const auto folder = parent(path, name);
  if (!folder) return folder.error();
  Descriptor file(openat(folder->descriptor_.get(), name.c_str(),
                         flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  if (file.get() < 0) return failed(path, errno);
  struct stat status {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return failed(path, EINVAL);
  return file;
}

bool Folder::has_file(std::string_view path) const {
  return static_cast<bool>(open_file(path, O_RDONLY));
}

Result<std::uint64_t> Folder::file_bytes(std::string_view path) const {
  const auto file = open_file(path, O_RDONLY);
  if (!file) return file.error();
  struct stat status {};
  if (fstat(file->get(), &status) != 0) return failed(path, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

Status Folder::rename(std::string_view from, std::string_view to) const {
  std::string from_name;
  std::string to_name;
  const auto from_folder = parent(from, from_name);
  if (!from_folder) return from_folder.error();
  const auto to_folder = parent(to, to_name);
  if (!to_folder) return to_folder.error();
  if (renameat(from_folder->descriptor_.get(), from_name.c_str(), to_folder->descriptor_.get(),
               to_name.c_str()) != 0) {
    return failed(to, errno);
  }
  fsync(to_folder->descriptor_.get());
  return ok();
}

bool Folder::remove(std::string_view path) const {
  std::string name;
  const auto folder = parent(path, name);
  return folder && unlinkat(folder->descriptor_.get(), name.c_str(), 0) == 0;
}

void Folder::remove_empty_parents(std::string_view path) const {
  for (std::size_t slash = path.rfind('/'); slash != std::string_view::npos;
       slash = path.rfind('/')) {
    path = path.substr(0, slash);
    std::string name;
    const auto folder = parent(path, name);
    if (!folder || unlinkat(folder->descriptor_.get(), name.c_str(), AT_REMOVEDIR) != 0) return;
  }
}

std::vector<FolderEntry> Folder::entries() const {
  std::vector<FolderEntry> found;
  const int copy = openat(descriptor_.get(), ".", kFolderFlags);
  if (copy < 0) return found;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(copy), closedir);
  if (!stream) return found;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat status {};
    if (fstatat(dirfd(stream.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode)) {
      found.push_back({name, S_ISDIR(status.st_mode)});
    }
  }
  return found;
}

Result<std::string> Folder::read_file(std::string_view path, std::size_t bytes_max) const {
  const auto bytes = file_bytes(path);
  if (!bytes) return bytes.error();
  if (*bytes > bytes_max) return failed(path, EFBIG);
  const auto file = open_file(path, O_RDONLY);
  if (!file) return file.error();
  std::string text(static_cast<std::size_t>(*bytes), '\0');
  const ssize_t count = read(file->get(), text.data(), text.size());
  if (count < 0) return failed(path, errno);
  text.resize(static_cast<std::size_t>(count));
  return text;
}

Status Folder::write_file(std::string_view path, std::string_view text) const {
  const std::string draft = std::string(path) + ".new";
  {
    const auto file = open_file(draft, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file) return file.error();
    const ssize_t written = write(file->get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()) || fsync(file->get()) != 0) {
      return failed(path, written < 0 ? errno : ENOSPC);
    }
  }
  return rename(draft, path);
}

Result<std::uint64_t> Folder::free_bytes() const {
  struct statvfs status {};
  if (fstatvfs(descriptor_.get(), &status) != 0) return failed("", errno);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace backplane::local
