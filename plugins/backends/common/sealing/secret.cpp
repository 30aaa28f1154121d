// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/secret.hpp"

#include <openssl/crypto.h>

namespace backplane::sealing {

void wipe(std::span<std::uint8_t> bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

void wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace backplane::sealing
