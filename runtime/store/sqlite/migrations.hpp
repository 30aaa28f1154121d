// SPDX-License-Identifier: Apache-2.0
// The tables of the store's SQLite file, as the steps by which they came to be. Steps are only ever
// added: a file of any version becomes one of the newest, never the other way.
#pragma once

#include "runtime/store/sqlite/database.hpp"

#include <cstdint>

namespace backplane::sqlite {

std::int64_t newest_version();

// 0: nothing has been made yet. DATA_LOSS: a database of something else.
Result<std::int64_t> version_of(Database& database);

// Brings the file to `version`; each step is done whole or not at all. FAILED_PRECONDITION: it is
// newer than this program.
Status migrate(Database& database, std::int64_t version);

}  // namespace backplane::sqlite
