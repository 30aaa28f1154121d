// SPDX-License-Identifier: Apache-2.0
// The curve of Ethereum's keys (SEC 2), as far as seals and signatures need it. Points are 65
// bytes, 04‖X‖Y; hybrid and compressed ones are refused. [any-thread]
#pragma once

#include "common/sealing/secret.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace backplane::sealing {

inline constexpr std::size_t kPointBytes = 65;
using Point = std::array<std::uint8_t, kPointBytes>;

bool is_point(std::span<const std::uint8_t> bytes);

// Nothing: `scalar` is zero or not below the order of the curve.
std::optional<Point> point_of(const Secret<32>& scalar);

// The X coordinate of scalar·point. Nothing: one of them is none.
std::optional<Secret<32>> shared_x(const Secret<32>& scalar, std::span<const std::uint8_t> point);

// Of the signature r‖s‖v over `digest`: the point of the key that made it. Nothing: v is neither 27
// nor 28, s is above half of the order (so that whoever sees a signature can make no other of it),
// or no point signs so.
std::optional<Point> recover_signer(std::span<const std::uint8_t, 32> digest,
                                    std::span<const std::uint8_t, 65> signature);

}  // namespace backplane::sealing
