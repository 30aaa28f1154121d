// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL server of this process's own, in a folder that goes with it; no port.
#pragma once

#include <string>

namespace backplane::test {

class PostgresServer {
 public:
  // Null: there is none on this machine. Started by the first call, stopped when the process ends.
  static const PostgresServer* get();

  // The address of a new database.
  std::string make_database() const;

  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

 private:
  PostgresServer();
  bool start();
  std::string url(const std::string& database) const;

  std::string folder_;
  bool runs_ = false;
};

}  // namespace backplane::test
