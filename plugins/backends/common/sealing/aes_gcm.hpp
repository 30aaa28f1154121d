// SPDX-License-Identifier: Apache-2.0
// AES-256-GCM (NIST SP 800-38D) with a tag of 16 bytes behind the ciphertext. [any-thread]
#pragma once

#include "common/sealing/secret.hpp"

#include <cstdint>
#include <span>

namespace backplane::sealing {

// `out` has 16 bytes more than `plaintext`. False: the library refuses.
bool aes_gcm_encrypt(const Secret<32>& key, std::span<const std::uint8_t, 12> nonce,
                     std::span<const std::uint8_t> plaintext,
                     std::span<const std::uint8_t> associated_data, std::span<std::uint8_t> out);

// `sealed` has at least the tag's bytes, `out` 16 less. False: it was changed, and `out` is not to
// be used.
bool aes_gcm_decrypt(const Secret<32>& key, std::span<const std::uint8_t, 12> nonce,
                     std::span<const std::uint8_t> sealed,
                     std::span<const std::uint8_t> associated_data, std::span<std::uint8_t> out);

}  // namespace backplane::sealing
