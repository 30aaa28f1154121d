// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/postgres/connection.hpp"

#include <cstdlib>
#include <optional>
#include <utility>

namespace backplane::postgres {
namespace {

// What the url does not say.
constexpr const char* kNames[] = {"connect_timeout", "options", "application_name", "dbname",
                                  nullptr};
constexpr const char* kOptions = "-c statement_timeout=30000 -c lock_timeout=10000";

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

Error unavailable(std::string_view what, std::string type) {
  return {Code::kUnavailable, "postgresql: " + std::string(first_line(what)), std::move(type), 0,
          0};
}

// Two wrote the same key, or waited for each other.
bool asks_for_retry(std::string_view state) {
  return state == "23505" || state == "40001" || state == "40P01";
}

}  // namespace

std::string array_of(const std::vector<std::string_view>& texts) {
  std::string array = "{";
  for (const std::string_view text : texts) {
    if (array.size() > 1) array += ',';
    array += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') array += '\\';
      array += c;
    }
    array += '"';
  }
  return array + "}";
}

std::string array_of(const std::vector<std::int64_t>& numbers) {
  std::string array = "{";
  for (const std::int64_t number : numbers) {
    if (array.size() > 1) array += ',';
    array += std::to_string(number);
  }
  return array + "}";
}

bool Rows::succeeded() const {
  const ExecStatusType status = PQresultStatus(result_.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE;
}

std::string Rows::text(int row, int column) const {
  const int size = PQgetlength(result_.get(), row, column);
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(size)};
}

std::int64_t Rows::number(int row, int column) const {
  return std::strtoll(PQgetvalue(result_.get(), row, column), nullptr, 10);
}

Result<Connection> Connection::open(const std::string& url) {
  const char* values[] = {"10", kOptions, "backplane", url.c_str(), nullptr};
  Connection connection(PQconnectdbParams(kNames, values, 1));
  if (PQstatus(connection.connection_.get()) != CONNECTION_OK) return connection.error(nullptr);
  return connection;
}

Status Connection::revive() {
  if (PQstatus(connection_.get()) == CONNECTION_OK) return ok();
  PQreset(connection_.get());
  if (PQstatus(connection_.get()) == CONNECTION_OK) return ok();
  return error(nullptr);
}

Error Connection::error(const PGresult* result) const {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const bool retry = state != nullptr && asks_for_retry(state);
  const char* message = result == nullptr ? nullptr : PQresultErrorMessage(result);
  if (message == nullptr || *message == '\0') message = PQerrorMessage(connection_.get());
  return unavailable(message, retry ? "RETRY" : "");
}

Status Connection::execute(const std::string& sql) {
  const Rows result(PQexec(connection_.get(), sql.c_str()));
  return result.succeeded() ? ok() : Status(error(result.get()));
}

Status Connection::send(const Query& query) {
  std::vector<const char*> values;
  for (const std::string& argument : query.arguments) values.push_back(argument.c_str());
  const int sent = PQsendQueryParams(connection_.get(), std::string(query.sql).c_str(),
                                     static_cast<int>(values.size()), nullptr, values.data(),
                                     nullptr, nullptr, 0);
  return sent == 1 ? ok() : Status(error(nullptr));
}

Result<std::vector<Rows>> Connection::run(const std::vector<Query>& queries) {
  PGconn* connection = connection_.get();
  if (PQenterPipelineMode(connection) != 1) return error(nullptr);
  std::optional<Error> failure;
  for (const Query& query : queries) {
    if (auto status = send(query); !status) failure = status.error();
  }
  if (PQpipelineSync(connection) != 1) return error(nullptr);
  std::vector<Rows> all;
  for (bool synchronized = false; !synchronized;) {
    Rows rows(PQgetResult(connection));
    if (rows.get() == nullptr) {
      if (PQstatus(connection) != CONNECTION_OK) return error(nullptr);
      continue;  // between two queries
    }
    synchronized = PQresultStatus(rows.get()) == PGRES_PIPELINE_SYNC;
    if (synchronized) break;
    if (!rows.succeeded() && !failure) failure = error(rows.get());
    all.push_back(std::move(rows));
  }
  if (PQexitPipelineMode(connection) != 1 && !failure) failure = error(nullptr);
  if (failure) return *failure;
  return all;
}

Status Connection::each_row(const Query& query, const std::function<void(const Rows&)>& take) {
  if (auto status = send(query); !status) return status;
  PQsetSingleRowMode(connection_.get());
  Status status = ok();
  while (true) {
    const Rows rows(PQgetResult(connection_.get()));
    if (rows.get() == nullptr) return status;
    if (!rows.succeeded()) status = error(rows.get());
    if (rows.count() == 1) take(rows);
  }
}

}  // namespace backplane::postgres
