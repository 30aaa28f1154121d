// SPDX-License-Identifier: Apache-2.0
// A connection to a PostgreSQL server. One thread at a time; every function waits for the server.
// Errors: UNAVAILABLE, of type RETRY where the server asks for the transaction to be done again.
#pragma once

#include <backplane/result.hpp>

#include <libpq-fe.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::postgres {

// The text forms of the arrays that statements take.
std::string array_of(const std::vector<std::string_view>& texts);
std::string array_of(const std::vector<std::int64_t>& numbers);

class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}
  const PGresult* get() const { return result_.get(); }
  bool succeeded() const;
  int count() const { return PQntuples(result_.get()); }
  std::string text(int row, int column) const;
  std::int64_t number(int row, int column) const;
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

struct Query {
  std::string_view sql;
  std::vector<std::string> arguments;  // in their text form: $1, $2 ...
};

class Connection {
 public:
  // `url`: "postgresql://user@host/database?...", or another form that libpq knows.
  static Result<Connection> open(const std::string& url);

  // Connects again where the connection was lost.
  Status revive();
  // Statements without arguments, separated by semicolons.
  Status execute(const std::string& sql);
  // All in one round trip, as they stand; where one fails none after it is done.
  Result<std::vector<Rows>> run(const std::vector<Query>& queries);
  // Row by row, however many there are.
  Status each_row(const Query& query, const std::function<void(const Rows&)>& take);

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  explicit Connection(PGconn* connection) : connection_(connection) {}
  Status send(const Query& query);
  Error error(const PGresult* result) const;

  std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace backplane::postgres
