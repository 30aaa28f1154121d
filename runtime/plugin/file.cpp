// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/file.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace backplane {
namespace {

constexpr std::uint64_t kHashBlockBytes = 64 * 1024;

Error cannot_read(const std::filesystem::path& path, const char* reason) {
  return {Code::kNotFound, path.string() + ": cannot be read: " + reason, {}, 0, 0};
}

}  // namespace

Result<InputFile> InputFile::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return cannot_read(path, std::strerror(errno));
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return cannot_read(path, "not a regular file");
  }
  return InputFile(descriptor, static_cast<std::uint64_t>(status.st_size));
}

InputFile::InputFile(InputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool InputFile::read(std::uint64_t offset, void* target, std::uint64_t size) const {
  if (offset > size_ || size > size_ - offset) return false;
  auto* next = static_cast<char*>(target);
  while (size > 0) {
    const ssize_t got = ::pread(descriptor_, next, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::uint64_t>(got);
  }
  return true;
}

Result<std::string> read_small_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.error();
  if (file->size() > bytes_max) {
    return invalid_argument(path.string() + ": has " + std::to_string(file->size()) +
                            " bytes; at most " + std::to_string(bytes_max) + " are read");
  }
  std::string text(file->size(), '\0');
  if (!file->read(0, text.data(), text.size())) return cannot_read(path, "it changed meanwhile");
  return text;
}

Result<std::string> sha256_of(const std::filesystem::path& path) {
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.error();
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::vector<char> block(kHashBlockBytes);
  for (std::uint64_t offset = 0; good && offset < file->size(); offset += kHashBlockBytes) {
    const std::uint64_t size = std::min(kHashBlockBytes, file->size() - offset);
    good = file->read(offset, block.data(), size) &&
           EVP_DigestUpdate(context.get(), block.data(), size) == 1;
  }
  std::array<unsigned char, 32> digest{};
  if (!good || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
    return cannot_read(path, "hashing it failed");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

}  // namespace backplane
