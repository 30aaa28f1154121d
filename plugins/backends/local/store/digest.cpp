// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/digest.hpp"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace backplane::local {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20U;
constexpr std::uint64_t kGitBlobBytesMax = std::uint64_t{64} << 20U;  // beyond, files are in LFS

class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), kind, nullptr);
  }
  void add(const void* data, std::size_t bytes) { EVP_DigestUpdate(context_.get(), data, bytes); }
  std::string text() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), value.data(), &size);
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += "0123456789abcdef"[value[i] >> 4U];
      text += "0123456789abcdef"[value[i] & 15U];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

Result<FileDigests> digest_file(int descriptor, std::uint64_t bytes) {
  Digest sha256(EVP_sha256());
  Digest blob(EVP_sha1());
  const bool is_small = bytes <= kGitBlobBytesMax;
  const std::string head = "blob " + std::to_string(bytes);
  blob.add(head.c_str(), head.size() + 1);
  std::vector<char> buffer(kReadBytes);
  off_t position = 0;
  while (true) {
    const ssize_t count = pread(descriptor, buffer.data(), buffer.size(), position);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return internal_error(std::string("reading: ") + std::strerror(errno));
    if (count == 0) break;
    sha256.add(buffer.data(), static_cast<std::size_t>(count));
    if (is_small) blob.add(buffer.data(), static_cast<std::size_t>(count));
    position += count;
  }
  return FileDigests{sha256.text(), is_small ? blob.text() : std::string()};
}

}  // namespace backplane::local
