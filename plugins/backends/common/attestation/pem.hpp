// SPDX-License-Identifier: Apache-2.0
// PEM (RFC 7468), read strictly: lines of canonical base64 between two markers, and nothing but
// white space and a final 0 byte around them. [any-thread]
#pragma once

#include <backplane/result.hpp>

#include "common/attestation/bytes.hpp"

namespace backplane::attestation {

inline constexpr std::size_t kPemBytesMax = 64 * 1024;
inline constexpr std::size_t kPemBlocksMax = 8;

// The contents of the blocks, all of which carry `label` ("CERTIFICATE").
// Errors: kInvalidArgument, without a type.
Result<std::vector<Bytes>> read_pem(std::string_view text, std::string_view label);
bool is_pem(std::string_view text);

// "%2B" is '+'; the headers of Intel's service carry PEM so. Unlike in forms '+' is itself.
std::string percent_decoded(std::string_view text);

}  // namespace backplane::attestation
