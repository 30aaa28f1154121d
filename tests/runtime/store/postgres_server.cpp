// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/store/postgres_server.hpp"

#include "runtime/store/postgres/connection.hpp"

#include <gtest/gtest.h>

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace backplane::test {
namespace {

constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin/";
constexpr const char* kUser = "postgres";  // as root the server refuses to run

bool run(const std::string& command, const std::string& log) {
  const std::string as_user = ::geteuid() == 0 ? std::string("runuser -u ") + kUser + " -- " : "";
  const std::string line = "cd / && " + as_user + kPrograms + command + " >>" + log + " 2>&1";
  return std::system(line.c_str()) == 0;
}

}  // namespace

const PostgresServer* PostgresServer::get() {
  static const PostgresServer server;
  return server.runs_ ? &server : nullptr;
}

PostgresServer::PostgresServer()
    : folder_(std::filesystem::temp_directory_path() / "backplane_postgres_XXXXXX") {
  if (!std::filesystem::exists(std::string(kPrograms) + "initdb")) return;
  if (::mkdtemp(folder_.data()) == nullptr) return;
  if (::geteuid() == 0) {
    const passwd* user = ::getpwnam(kUser);
    if (user == nullptr || ::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) return;
  }
  runs_ = start();
  EXPECT_TRUE(runs_) << "see " << folder_ << ".log";
}

PostgresServer::~PostgresServer() {
  if (runs_) run("pg_ctl stop -m immediate -D " + folder_ + "/data", folder_ + ".log");
  std::filesystem::remove_all(folder_);
  if (runs_) std::filesystem::remove(folder_ + ".log");
}

bool PostgresServer::start() {
  const std::string data = folder_ + "/data";
  const std::string log = folder_ + ".log";
  if (!run("initdb -D " + data + " -A trust -U backplane -E UTF8 --no-locale --no-sync", log)) {
    return false;
  }
  // The machine stays up; processes are what the tests kill.
  return run("pg_ctl start -w -t 60 -D " + data + " -l " + data + "/server.log -o \"-k " + folder_ +
                 " -c listen_addresses='' -c fsync=off\"",
             log);
}

std::string PostgresServer::url(const std::string& database) const {
  return "host=" + folder_ + " user=backplane dbname=" + database;
}

std::string PostgresServer::make_database() const {
  static int count = 0;
  const std::string name = "books" + std::to_string(++count);
  auto connection = postgres::Connection::open(url("postgres"));
  EXPECT_TRUE(connection);
  EXPECT_TRUE(connection->execute("CREATE DATABASE " + name));
  return url(name);
}

}  // namespace backplane::test
