// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/byte_hash.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <new>

#include "common/sealing/hex.hpp"

namespace backplane::sealing {
namespace {

struct Deleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, Deleter>;

// What fails here is memory alone.
void check(int result) {
  if (result != 1) throw std::bad_alloc();
}

}  // namespace

struct ByteHash::State {
  Context context{EVP_MD_CTX_new()};
};

ByteHash::ByteHash() : state_(std::make_unique<State>()) {
  check(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr));
}
ByteHash::~ByteHash() = default;
ByteHash::ByteHash(ByteHash&&) noexcept = default;
ByteHash& ByteHash::operator=(ByteHash&&) noexcept = default;

void ByteHash::add(std::string_view bytes) {
  check(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}

std::string ByteHash::hex() const {
  const Context copy(EVP_MD_CTX_new());
  check(EVP_MD_CTX_copy_ex(copy.get(), state_->context.get()));
  std::array<std::uint8_t, 32> digest{};
  check(EVP_DigestFinal_ex(copy.get(), digest.data(), nullptr));
  return to_hex(digest);
}

std::string sha256_hex(std::string_view bytes) {
  ByteHash hash;
  hash.add(bytes);
  return hash.hex();
}

}  // namespace backplane::sealing
