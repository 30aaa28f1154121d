// SPDX-License-Identifier: Apache-2.0
// What is particular about the database: how its schema grows, and what becomes of a lost
// connection.
#include "runtime/store/postgres/migrations.hpp"
#include "runtime/store/postgres/postgres_ledger.hpp"

#include "tests/runtime/services/manual_clock.hpp"
#include "tests/runtime/store/postgres_server.hpp"

#include <gtest/gtest.h>

namespace backplane::test {
namespace {

using postgres::Connection;
using postgres::PostgresLedger;

class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (PostgresServer::get() == nullptr) GTEST_SKIP() << "PostgreSQL 15 is not installed";
    url = PostgresServer::get()->make_database();
  }
  Connection connection() { return std::move(*Connection::open(url)); }
  std::string url;
  ManualClock clock;
};

TEST_F(PostgresTest, postgres_every_version_becomes_the_newest) {
  for (std::int64_t version = 0; version <= postgres::newest_version(); ++version) {
    url = PostgresServer::get()->make_database();
    Connection old = connection();
    ASSERT_TRUE(postgres::migrate(old, version));
    ASSERT_EQ(*postgres::version_of(old), version);
    const auto opened = PostgresLedger::open(url, clock.table());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE((*opened)->execute(OpenAccount{"a"}));
    EXPECT_EQ(*postgres::version_of(old), postgres::newest_version());
  }
}

TEST_F(PostgresTest, postgres_a_newer_schema_is_refused) {
  ASSERT_TRUE(PostgresLedger::open(url, clock.table()));
  ASSERT_TRUE(connection().execute("UPDATE backplane.version SET number = 1000"));
  const auto opened = PostgresLedger::open(url, clock.table());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("has version 1000"), std::string::npos);
}

TEST_F(PostgresTest, postgres_the_journal_is_only_added_to) {
  ASSERT_TRUE(PostgresLedger::open(url, clock.table()));
  for (const char* sql : {"UPDATE backplane.journal SET amount = 6",
                          "DELETE FROM backplane.journal", "TRUNCATE backplane.journal"}) {
    const Status status = connection().execute(sql);
    ASSERT_FALSE(status) << sql;
    EXPECT_NE(status.error().message.find("only added to"), std::string::npos);
  }
}

TEST_F(PostgresTest, postgres_a_lost_connection_is_made_anew) {
  const auto opened = PostgresLedger::open(url, clock.table());
  ASSERT_TRUE(opened);
  ASSERT_TRUE((*opened)->execute(OpenAccount{"a"}));
  ASSERT_TRUE(
      connection().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"));
  // The first may be what finds the connection lost.
  LedgerResult result = (*opened)->execute(OpenAccount{"b"});
  if (!result) {
    EXPECT_EQ(result.error().code, Code::kUnavailable);
    result = (*opened)->execute(OpenAccount{"b"});
  }
  EXPECT_TRUE(result) << result.error().message;
  auto balance = (*opened)->balance("b");
  if (!balance) balance = (*opened)->balance("b");
  EXPECT_TRUE(balance);
}

TEST_F(PostgresTest, postgres_a_server_that_is_not_there_is_told) {
  const auto opened = PostgresLedger::open("host=/nowhere dbname=x password=secret", clock.table());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kUnavailable);
  EXPECT_EQ(opened.error().message.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace backplane::test
