// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/postgres/ledger_queries.hpp"

#include <set>

namespace backplane::postgres {
namespace {

constexpr std::string_view kExpired =
    "SELECT * FROM backplane.holds WHERE state = 0 AND expires_ms <= $1::bigint LIMIT 1000 "
    "FOR UPDATE SKIP LOCKED";
constexpr std::string_view kHolds =
    "SELECT * FROM backplane.holds WHERE key = ANY ($1::text[]) ORDER BY key FOR UPDATE";
constexpr std::string_view kEntries =
    "SELECT * FROM backplane.journal WHERE key = ANY ($1::text[])";
constexpr std::string_view kAccounts =
    "SELECT * FROM backplane.accounts WHERE name = ANY ($1::text[]) ORDER BY name FOR UPDATE";
constexpr std::string_view kOpen =
    "INSERT INTO backplane.accounts "
    "SELECT * FROM unnest($1::text[], $2::boolean[], $3::bigint[], $4::bigint[])";
constexpr std::string_view kChange =
    "UPDATE backplane.accounts a SET posted = new.posted, held = new.held "
    "FROM unnest($1::text[], $2::bigint[], $3::bigint[]) new (name, posted, held) "
    "WHERE a.name = new.name";
constexpr std::string_view kPlace =
    "INSERT INTO backplane.holds SELECT * FROM "
    "unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::smallint[], $6::bigint[])";
constexpr std::string_view kEnd =
    "UPDATE backplane.holds h SET state = new.state, captured = new.captured "
    "FROM unnest($1::text[], $2::smallint[], $3::bigint[]) new (key, state, captured) "
    "WHERE h.key = new.key";
constexpr std::string_view kWrite =
    "INSERT INTO backplane.journal "
    "(key, payer, payee, amount, kind, details, is_capture, at_ms) "
    "SELECT key, payer, payee, amount, kind, details, is_capture, at_ms FROM "
    "unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], "
    "$7::boolean[], $8::bigint[]) WITH ORDINALITY "
    "new (key, payer, payee, amount, kind, details, is_capture, at_ms, place) ORDER BY place";

std::string keys_of(const std::set<std::string>& keys) {
  return array_of(std::vector<std::string_view>(keys.begin(), keys.end()));
}

template <class Row, class Part>
std::string texts(const std::vector<const Row*>& rows, Part part) {
  std::vector<std::string_view> all;
  all.reserve(rows.size());
  for (const Row* row : rows) all.push_back(part(*row));
  return array_of(all);
}

template <class Row, class Part>
std::string numbers(const std::vector<const Row*>& rows, Part part) {
  std::vector<std::int64_t> all;
  all.reserve(rows.size());
  for (const Row* row : rows) all.push_back(static_cast<std::int64_t>(part(*row)));
  return array_of(all);
}

void add_accounts(std::vector<Query>& queries, const LedgerBatch::Changes& changes) {
  const auto name = [](const AccountRow& row) -> std::string_view { return row.name; };
  const auto posted = [](const AccountRow& row) { return row.balance.posted; };
  const auto held = [](const AccountRow& row) { return row.balance.held; };
  if (!changes.opened.empty()) {
    const auto& rows = changes.opened;
    const auto may_owe = [](const AccountRow& row) { return row.may_owe; };
    queries.push_back(
        {kOpen,
         {texts(rows, name), numbers(rows, may_owe), numbers(rows, posted), numbers(rows, held)}});
  }
  if (!changes.accounts.empty()) {
    const auto& rows = changes.accounts;
    queries.push_back({kChange, {texts(rows, name), numbers(rows, posted), numbers(rows, held)}});
  }
}

void add_holds(std::vector<Query>& queries, const LedgerBatch::Changes& changes) {
  const auto key = [](const HoldRow& row) -> std::string_view { return row.key; };
  const auto state = [](const HoldRow& row) { return row.state; };
  const auto captured = [](const HoldRow& row) { return row.captured; };
  if (!changes.placed.empty()) {
    const auto& rows = changes.placed;
    const auto account = [](const HoldRow& row) -> std::string_view { return row.account; };
    const auto amount = [](const HoldRow& row) { return row.amount; };
    const auto expires = [](const HoldRow& row) { return row.expires_unix_ms; };
    queries.push_back({kPlace,
                       {texts(rows, key), texts(rows, account), numbers(rows, amount),
                        numbers(rows, expires), numbers(rows, state), numbers(rows, captured)}});
  }
  if (!changes.ended.empty()) {
    const auto& rows = changes.ended;
    queries.push_back({kEnd, {texts(rows, key), numbers(rows, state), numbers(rows, captured)}});
  }
}

void add_entries(std::vector<Query>& queries, const std::vector<const EntryRow*>& rows) {
  using Text = std::string_view;
  if (rows.empty()) return;
  queries.push_back({kWrite,
                     {texts(rows, [](const EntryRow& row) -> Text { return row.key; }),
                      texts(rows, [](const EntryRow& row) -> Text { return row.from; }),
                      texts(rows, [](const EntryRow& row) -> Text { return row.to; }),
                      numbers(rows, [](const EntryRow& row) { return row.amount; }),
                      texts(rows, [](const EntryRow& row) -> Text { return row.kind; }),
                      texts(rows, [](const EntryRow& row) -> Text { return row.details; }),
                      numbers(rows, [](const EntryRow& row) { return row.is_capture; }),
                      numbers(rows, [](const EntryRow& row) { return row.unix_ms; })}});
}

}  // namespace

AccountRow account_row(const Rows& rows, int row) {
  return {rows.text(row, 0), rows.text(row, 1) == "t", {rows.number(row, 2), rows.number(row, 3)}};
}

HoldRow hold_row(const Rows& rows, int row, int first) {
  return {rows.text(row, first),
          rows.text(row, first + 1),
          rows.number(row, first + 2),
          rows.number(row, first + 3),
          static_cast<HoldState>(rows.number(row, first + 4)),
          rows.number(row, first + 5)};
}

EntryRow entry_row(const Rows& rows, int row) {
  return {rows.number(row, 0), rows.text(row, 1),        rows.text(row, 2),
          rows.text(row, 3),   rows.number(row, 4),      rows.text(row, 5),
          rows.text(row, 6),   rows.text(row, 7) == "t", rows.number(row, 8)};
}

Status load(Connection& connection, LedgerBatch& batch, std::int64_t unix_ms) {
  const std::string entry_keys = keys_of(batch.entry_keys());
  auto loaded = connection.run({{"BEGIN", {}},
                                {kHolds, {keys_of(batch.hold_keys())}},
                                {kExpired, {std::to_string(unix_ms)}},
                                {kEntries, {entry_keys}}});
  if (!loaded) return loaded.error();
  for (const Rows* rows : {&(*loaded)[1], &(*loaded)[2]}) {
    for (int i = 0; i < rows->count(); ++i) batch.load(hold_row(*rows, i));
  }
  for (int i = 0; i < (*loaded)[3].count(); ++i) batch.load(entry_row((*loaded)[3], i));
  loaded = connection.run({{kAccounts, {keys_of(batch.account_names())}}});
  if (!loaded) return loaded.error();
  for (int i = 0; i < loaded->front().count(); ++i) {
    batch.load(account_row(loaded->front(), i));
  }
  return ok();
}

Status store(Connection& connection, const LedgerBatch::Changes& changes) {
  std::vector<Query> queries;
  add_accounts(queries, changes);
  add_holds(queries, changes);
  add_entries(queries, changes.entries);
  queries.push_back({"COMMIT", {}});
  const auto done = connection.run(queries);
  return done ? ok() : Status(done.error());
}

}  // namespace backplane::postgres
