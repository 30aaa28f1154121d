// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/store/engines.hpp"

#include "runtime/store/postgres/postgres_ledger.hpp"
#include "runtime/store/sqlite/sqlite_ledger.hpp"
#include "tests/runtime/store/postgres_server.hpp"

#include <gtest/gtest.h>

#include <stdlib.h>

#include <filesystem>
#include <iterator>

namespace backplane::test {
namespace {

class SqlitePlace final : public StorePlace {
 public:
  std::unique_ptr<LedgerStore> open(const bp_clock& clock) override {
    auto opened = sqlite::SqliteLedger::open(folder_.file("books.db"), clock);
    if (opened) return std::move(*opened);
    ADD_FAILURE() << opened.error().message;
    return nullptr;
  }

 private:
  TemporaryFolder folder_;
};

class PostgresPlace final : public StorePlace {
 public:
  explicit PostgresPlace(std::string url) : url_(std::move(url)) {}
  std::unique_ptr<LedgerStore> open(const bp_clock& clock) override {
    auto opened = postgres::PostgresLedger::open(url_, clock);
    if (opened) return std::move(*opened);
    ADD_FAILURE() << opened.error().message;
    return nullptr;
  }

 private:
  const std::string url_;
};

std::unique_ptr<StorePlace> make_postgres_place() {
  const PostgresServer* server = PostgresServer::get();
  if (server == nullptr) return nullptr;
  return std::make_unique<PostgresPlace>(server->make_database());
}

constexpr Engine kEngines[] = {
    {"postgres", make_postgres_place},
    {"sqlite", []() -> std::unique_ptr<StorePlace> { return std::make_unique<SqlitePlace>(); }},
};

}  // namespace

TemporaryFolder::TemporaryFolder()
    : path_(std::filesystem::temp_directory_path() / "backplane_store_XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
}
TemporaryFolder::~TemporaryFolder() {
  std::filesystem::remove_all(path_);
}

const Engine* engines_begin() {
  return std::begin(kEngines);
}
const Engine* engines_end() {
  return std::end(kEngines);
}

}  // namespace backplane::test
