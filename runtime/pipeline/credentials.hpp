// SPDX-License-Identifier: Apache-2.0
// What of a request's metadata says who asks.
#pragma once

#include <backplane/abi.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace backplane {

// Never handed to a backend. `name` is in lower case.
bool is_credential(std::string_view name);

// A digest of the credentials that one client sends with each of its requests; empty where there
// are none. What is paid with serves once and is not among them.
std::string caller_of(const bp_pair* metadata, std::uint64_t count);

}  // namespace backplane
