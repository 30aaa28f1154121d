// SPDX-License-Identifier: Apache-2.0
// HKDF-SHA256 (RFC 5869) without salt, to 32 bytes. [any-thread]
#pragma once

#include "common/sealing/secret.hpp"

#include <backplane/result.hpp>

#include <string_view>

namespace backplane::sealing {

// INTERNAL: the library refuses.
Result<Secret<32>> derive_key(const Secret<32>& shared, std::string_view info);

}  // namespace backplane::sealing
