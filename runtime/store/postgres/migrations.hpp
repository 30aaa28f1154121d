// SPDX-License-Identifier: Apache-2.0
// The tables of the store's PostgreSQL schema `backplane`, as the steps by which they came to be.
// Steps are only ever added.
#pragma once

#include "runtime/store/postgres/connection.hpp"

#include <cstdint>

namespace backplane::postgres {

std::int64_t newest_version();

// 0: nothing has been made yet.
Result<std::int64_t> version_of(Connection& connection);

// Brings the schema to `version`, whole or not at all; several may do so at once.
// FAILED_PRECONDITION: it is newer than this program.
Status migrate(Connection& connection, std::int64_t version);

}  // namespace backplane::postgres
