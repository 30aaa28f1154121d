// SPDX-License-Identifier: Apache-2.0
// From Error to the caller's bp_error.
#pragma once

#include <backplane/abi.h>

#include <backplane/result.hpp>

namespace backplane {

// Fills `target`, which may be null; text that does not fit is cut at a character. Returns the
// code.
std::uint32_t report(const Error& error, bp_error* target);

}  // namespace backplane
