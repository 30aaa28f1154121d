// SPDX-License-Identifier: Apache-2.0
#include "common/sealing/keccak.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace backplane::sealing {
namespace {

constexpr std::size_t kRateBytes = 136;
constexpr std::size_t kLanes = 25;
using State = std::array<std::uint64_t, kLanes>;

constexpr std::array<std::uint64_t, 24> kRoundConstants = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000,
    0x000000000000808B, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
    0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// Along the path that π walks from lane 1: where each lane goes, and by how much ρ turns it.
constexpr std::array<std::size_t, 24> kPathLanes = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                                    15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
constexpr std::array<int, 24> kPathTurns = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                            27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};

void mix_columns(State& state) {
  std::array<std::uint64_t, 5> parity{};
  for (std::size_t lane = 0; lane < kLanes; ++lane) parity[lane % 5] ^= state[lane];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    state[lane] ^= parity[(lane + 4) % 5] ^ std::rotl(parity[(lane + 1) % 5], 1);
  }
}

void turn_and_move(State& state) {
  std::uint64_t moving = state[1];
  for (std::size_t step = 0; step < kPathLanes.size(); ++step) {
    const std::uint64_t next = state[kPathLanes[step]];
    state[kPathLanes[step]] = std::rotl(moving, kPathTurns[step]);
    moving = next;
  }
}

void mix_rows(State& state) {
  for (std::size_t row = 0; row < kLanes; row += 5) {
    std::array<std::uint64_t, 5> old{};
    std::copy_n(state.begin() + static_cast<std::ptrdiff_t>(row), 5, old.begin());
    for (std::size_t x = 0; x < 5; ++x) {
      state[row + x] = old[x] ^ (~old[(x + 1) % 5] & old[(x + 2) % 5]);
    }
  }
}

void permute(State& state) {
  for (const std::uint64_t constant : kRoundConstants) {
    mix_columns(state);
    turn_and_move(state);
    mix_rows(state);
    state[0] ^= constant;
  }
}

void absorb(State& state, std::span<const std::uint8_t> block) {
  for (std::size_t at = 0; at < block.size(); ++at) {
    state[at / 8] ^= static_cast<std::uint64_t>(block[at]) << (8 * (at % 8));
  }
}

}  // namespace

KeccakDigest keccak256(std::span<const std::uint8_t> data) {
  State state{};
  for (; data.size() >= kRateBytes; data = data.subspan(kRateBytes)) {
    absorb(state, data.first(kRateBytes));
    permute(state);
  }
  absorb(state, data);
  state[data.size() / 8] ^= 1ULL << (8 * (data.size() % 8));
  state[kRateBytes / 8 - 1] ^= 1ULL << 63;
  permute(state);
  KeccakDigest digest{};
  for (std::size_t at = 0; at < digest.size(); ++at) {
    digest[at] = static_cast<std::uint8_t>(state[at / 8] >> (8 * (at % 8)));
  }
  return digest;
}

EthereumAddress ethereum_address(std::span<const std::uint8_t, 64> public_point) {
  const KeccakDigest digest = keccak256(public_point);
  EthereumAddress address{};
  std::copy(digest.begin() + 12, digest.end(), address.begin());
  return address;
}

}  // namespace backplane::sealing
