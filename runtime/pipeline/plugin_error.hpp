// SPDX-License-Identifier: Apache-2.0
// Errors that plugins give, read without trusting that they are filled or terminated. [any-thread]
#pragma once

#include <backplane/abi.h>

#include <backplane/result.hpp>

namespace backplane {

// Never of code kOk: an error that names no code is INTERNAL.
Error read_error(const bp_error& error);

// Of a function that returned `code`: fills in what `error` does not say.
Error read_failure(std::uint32_t code, const bp_error& error);

}  // namespace backplane
