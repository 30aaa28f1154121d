// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/postgres/migrations.hpp"

#include <array>
#include <string>

namespace backplane::postgres {
namespace {

constexpr const char* kLock = "BEGIN; SELECT pg_advisory_xact_lock(1112558670)";

constexpr std::array kSteps = {
    R"sql(
CREATE SCHEMA backplane;
CREATE TABLE backplane.version (number bigint NOT NULL);
INSERT INTO backplane.version VALUES (0);
CREATE TABLE backplane.accounts (
  name text COLLATE "C" PRIMARY KEY,
  may_owe boolean NOT NULL,
  posted bigint NOT NULL,
  held bigint NOT NULL,
  CHECK (held >= 0),
  CHECK (may_owe OR posted - held >= 0)
) WITH (fillfactor = 50);
CREATE TABLE backplane.holds (
  key text COLLATE "C" PRIMARY KEY,
  account text COLLATE "C" NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  expires_ms bigint NOT NULL,
  state smallint NOT NULL,
  captured bigint NOT NULL CHECK (captured BETWEEN 0 AND amount)
);
CREATE INDEX live_holds ON backplane.holds (expires_ms) WHERE state = 0;
CREATE TABLE backplane.journal (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text COLLATE "C" NOT NULL UNIQUE,
  payer text COLLATE "C" NOT NULL,
  payee text COLLATE "C" NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  kind text NOT NULL,
  details text NOT NULL,
  is_capture boolean NOT NULL,
  at_ms bigint NOT NULL
);
CREATE INDEX journal_by_payer ON backplane.journal (payer, sequence);
CREATE INDEX journal_by_payee ON backplane.journal (payee, sequence);
CREATE FUNCTION backplane.refuse() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'the journal is only added to'; END $$;
CREATE TRIGGER journal_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON backplane.journal
  EXECUTE FUNCTION backplane.refuse();
)sql",
};

}  // namespace

std::int64_t newest_version() {
  return kSteps.size();
}

Result<std::int64_t> version_of(Connection& connection) {
  auto there = connection.run({{"SELECT to_regclass('backplane.version')", {}}});
  if (!there) return there.error();
  if (there->front().is_null(0, 0)) return 0;
  auto version = connection.run({{"SELECT number FROM backplane.version", {}}});
  if (!version) return version.error();
  return version->front().number(0, 0);
}

Status migrate(Connection& connection, std::int64_t version) {
  if (auto status = connection.execute(kLock); !status) return status;
  const auto now = version_of(connection);
  Status status = now ? ok() : Status(now.error());
  if (now && *now > newest_version()) {
    status = Error{Code::kFailedPrecondition,
                   "postgresql: the schema backplane has version " + std::to_string(*now) +
                       ", this program knows those up to " + std::to_string(newest_version()) +
                       "; use a newer one",
                   {},
                   0,
                   0};
  }
  for (std::int64_t step = now ? *now : version; status && step < version; ++step) {
    status = connection.execute(kSteps[static_cast<std::size_t>(step)]);
  }
  if (status && *now < version) {
    status = connection.execute("UPDATE backplane.version SET number = " + std::to_string(version));
  }
  const Status ended = connection.execute(status ? "COMMIT" : "ROLLBACK");
  return status ? ended : status;
}

}  // namespace backplane::postgres
