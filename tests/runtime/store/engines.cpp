// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/store/engines.hpp"

#include "runtime/store/sqlite/sqlite_ledger.hpp"

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

constexpr Engine kEngines[] = {
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
