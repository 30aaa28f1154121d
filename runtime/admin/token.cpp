// SPDX-License-Identifier: Apache-2.0
#include "runtime/admin/token.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <strings.h>

namespace backplane {

AdminToken::AdminToken(std::string_view token) {
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest_.data());
}

bool AdminToken::operator==(const AdminToken& other) const {
  return CRYPTO_memcmp(digest_.data(), other.digest_.data(), digest_.size()) == 0;
}

bool AdminToken::is_in(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() < kScheme.size() ||
      strncasecmp(authorization.data(), kScheme.data(), kScheme.size()) != 0) {
    return false;
  }
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  while (authorization.ends_with(' ')) authorization.remove_suffix(1);
  return *this == AdminToken(authorization);
}

}  // namespace backplane
