// SPDX-License-Identifier: Apache-2.0
// Keccak-256 as Ethereum uses it: the sponge before NIST changed its padding, so not SHA3-256.
// Pure functions [any-thread].
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace backplane::sealing {

using KeccakDigest = std::array<std::uint8_t, 32>;
using EthereumAddress = std::array<std::uint8_t, 20>;

KeccakDigest keccak256(std::span<const std::uint8_t> data);

// The last 20 bytes of the digest of X‖Y, a public key's point without its leading 04. Whether the
// point lies on the curve is not asked.
EthereumAddress ethereum_address(std::span<const std::uint8_t, 64> public_point);

}  // namespace backplane::sealing
