// SPDX-License-Identifier: Apache-2.0
// The file itself: how it is made, grows older, is copied, and what is said of a wrong one.
#include "runtime/store/sqlite/migrations.hpp"
#include "runtime/store/sqlite/sqlite_ledger.hpp"

#include "tests/runtime/services/manual_clock.hpp"
#include "tests/runtime/store/engines.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace backplane::test {
namespace {

using sqlite::Database;
using sqlite::SqliteLedger;

class SqliteFileTest : public testing::Test {
 protected:
  Result<std::unique_ptr<SqliteLedger>> open(const char* name) {
    return SqliteLedger::open(folder.file(name), clock.table());
  }
  std::string failure(const char* name) {
    const auto opened = open(name);
    return opened ? "" : opened.error().message;
  }
  Database database(const char* name) {
    return std::move(*Database::open(folder.file(name), Database::Access::kCreate));
  }
  TemporaryFolder folder;
  ManualClock clock;
};

TEST_F(SqliteFileTest, EveryVersionBecomesTheNewest) {
  for (std::int64_t version = 0; version <= sqlite::newest_version(); ++version) {
    const std::string name = "v" + std::to_string(version);
    {
      Database old = database(name.c_str());
      ASSERT_TRUE(sqlite::migrate(old, version));
      ASSERT_EQ(*sqlite::version_of(old), version);
    }
    const auto opened = open(name.c_str());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE((*opened)->execute(OpenAccount{"a"}));
    Database now = database(name.c_str());
    EXPECT_EQ(*sqlite::version_of(now), sqlite::newest_version());
  }
}

TEST_F(SqliteFileTest, ANewerOneIsRefused) {
  ASSERT_TRUE(open("books"));
  ASSERT_TRUE(database("books").execute("PRAGMA user_version = 1000"));
  EXPECT_NE(failure("books").find("has version 1000, this program knows those up to"),
            std::string::npos);
}

TEST_F(SqliteFileTest, WhatIsNoLedgerIsRefusedAndStaysAsItIs) {
  std::ofstream(folder.file("text")) << std::string(10'000, 'x');
  EXPECT_NE(failure("text").find("not a database"), std::string::npos) << failure("text");
  ASSERT_TRUE(database("other").execute("CREATE TABLE mine (a)"));
  EXPECT_NE(failure("other").find("is a database of another program"), std::string::npos);
  EXPECT_EQ(*database("other").number("SELECT count(*) FROM sqlite_schema"), 1);
  EXPECT_NE(failure("no/such/folder").find("unable to open"), std::string::npos);
}

TEST_F(SqliteFileTest, TheJournalIsOnlyAddedTo) {
  {
    const auto opened = open("books");
    ASSERT_TRUE(opened);
    ASSERT_TRUE((*opened)->execute(OpenAccount{"world", true}));
    ASSERT_TRUE((*opened)->execute(OpenAccount{"user"}));
    ASSERT_TRUE((*opened)->execute(Transfer{"d", "world", "user", 5, "deposit", ""}));
  }
  Database books = database("books");
  for (const char* sql : {"UPDATE journal SET amount = 6", "DELETE FROM journal"}) {
    const Status status = books.execute(sql);
    ASSERT_FALSE(status) << sql;
    EXPECT_NE(status.error().message.find("only added to"), std::string::npos);
  }
  EXPECT_FALSE(books.execute("UPDATE accounts SET held = 6 WHERE name = 'user'"));
}

TEST_F(SqliteFileTest, ACopyHasWhatTheFileHad) {
  const auto opened = open("books");
  ASSERT_TRUE(opened);
  ASSERT_TRUE((*opened)->execute(OpenAccount{"world", true}));
  ASSERT_TRUE((*opened)->execute(OpenAccount{"user"}));
  ASSERT_TRUE((*opened)->execute(Transfer{"d", "world", "user", 5, "deposit", ""}));
  ASSERT_TRUE((*opened)->back_up(folder.file("copy")));
  const Status again = (*opened)->back_up(folder.file("copy"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  ASSERT_TRUE((*opened)->execute(Transfer{"e", "world", "user", 5, "deposit", ""}));
  const auto copy = open("copy");
  ASSERT_TRUE(copy);
  EXPECT_EQ((*copy)->balance("user")->posted, 5);
}

TEST_F(SqliteFileTest, ABrokenOneIsToldFromAWholeOne) {
  {
    const auto opened = open("books");
    ASSERT_TRUE(opened);
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE((*opened)->submit(OpenAccount{"account " + std::to_string(i)},
                                    [](const LedgerResult&) {}));
    }
  }
  const auto size = std::filesystem::file_size(folder.file("books"));
  std::fstream file(folder.file("books"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size - 2048));
  file << std::string(1500, '\x5a');
  file.close();
  const auto opened = open("books");
  ASSERT_TRUE(opened);
  const Status status = (*opened)->check();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kDataLoss);
}

}  // namespace
}  // namespace backplane::test
