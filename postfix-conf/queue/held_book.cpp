// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/held_book.h"

#include <fmt/format.h>

namespace mxfeed {
namespace {

constexpr std::chrono::seconds kBusy{5};
constexpr std::chrono::hours kKept{24 * 35};

constexpr std::string_view kHolding = "holding";

// Times are seconds since 1970; `since` is when the state was reached.
constexpr SqliteSchema kSchema{"keeper's book of held mail", 1, R"(
  CREATE TABLE held (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    discarding INTEGER NOT NULL DEFAULT 0,
    arrived INTEGER NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    reason TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE sender (
    id TEXT PRIMARY KEY,
    verified INTEGER NOT NULL,
    at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE spared (
    domain TEXT PRIMARY KEY,
    at INTEGER NOT NULL
  ) WITHOUT ROWID;
)"};

std::int64_t number(Time time) {
  return time.time_since_epoch().count();
}

Time time_of(std::int64_t number) {
  return Time(std::chrono::seconds(number));
}

std::string_view to_string(HeldBook::Outcome outcome) {
  switch (outcome) {
    case HeldBook::Outcome::held:
      return "held";
    case HeldBook::Outcome::released:
      return "released";
    case HeldBook::Outcome::discarded:
      return "discarded";
    case HeldBook::Outcome::gone:
      return "gone";
    case HeldBook::Outcome::not_held:
      return "not_held";
  }
  return "";
}

Touch touch_of(std::string_view state) {
  if (state == kHolding) return Touch::holding;
  if (state == to_string(HeldBook::Outcome::held)) return Touch::held;
  if (state == to_string(HeldBook::Outcome::released)) return Touch::released;
  return Touch::none;
}

}  // namespace

HeldBook::HeldBook(const std::filesystem::path& file, Sqlite::Access access)
    : opened_(open_store(kSchema, file, access, kBusy)), database_(*opened_) {
  // A power cut must not lose it: what is on hold would stay there.
  if (access == Sqlite::Access::read_write) {
    database_.execute("PRAGMA synchronous = FULL");
  }
}

void HeldBook::begin(const std::vector<PlannedStep>& steps, Time now) {
  if (steps.empty()) return;
  SqliteTransaction transaction(database_);
  SqliteStatement insert(database_,
                         "INSERT OR REPLACE INTO held (id, state, since, arrived, "
                         "sender, recipients, reason) VALUES "
                         "(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  for (const auto& one : steps) {
    insert.bind(1, one.id)
        .bind(2, kHolding)
        .bind(3, number(now))
        .bind(4, number(one.arrived))
        .bind(5, one.sender)
        .bind(6, fmt::format("{}", fmt::join(one.recipients, " ")))
        .bind(7, one.reason);
    insert.step();
  }
  transaction.commit();
}

void HeldBook::finish(const std::vector<std::string>& ids, Outcome outcome, Time now) {
  if (ids.empty()) return;
  SqliteTransaction transaction(database_);
  SqliteStatement update(database_,
                         "UPDATE held SET state = ?2, since = ?3 WHERE id = ?1");
  for (const auto& id : ids) {
    update.bind(1, id).bind(2, to_string(outcome)).bind(3, number(now));
    update.step();
  }
  transaction.commit();
}

void HeldBook::begin_discard(const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  SqliteTransaction transaction(database_);
  SqliteStatement update(database_, "UPDATE held SET discarding = 1 WHERE id = ?1");
  for (const auto& id : ids) {
    update.bind(1, id);
    update.step();
  }
  transaction.commit();
}

std::map<std::string, Record, std::less<>> HeldBook::records() const {
  std::map<std::string, Record, std::less<>> all;
  SqliteStatement query(database_, "SELECT id, state, since, discarding FROM held");
  while (query.step()) {
    const Touch touch = touch_of(query.text(1));
    if (touch == Touch::none) continue;
    all.emplace(query.text(0),
                Record{touch, time_of(query.number(2)), query.number(3) != 0});
  }
  return all;
}

std::optional<bool> HeldBook::is_verified(const std::string& id) const {
  SqliteStatement query(database_, "SELECT verified FROM sender WHERE id = ?1");
  query.bind(1, id);
  if (!query.step()) return std::nullopt;
  return query.number(0) != 0;
}

void HeldBook::set_verified(const std::string& id, bool is_verified, Time now) {
  SqliteStatement insert(
      database_, "INSERT OR REPLACE INTO sender (id, verified, at) VALUES (?1, ?2, ?3)");
  insert.bind(1, id).bind(2, is_verified ? 1 : 0).bind(3, number(now));
  insert.step();
}

std::optional<Time> HeldBook::spared(const std::string& domain) const {
  SqliteStatement query(database_, "SELECT at FROM spared WHERE domain = ?1");
  query.bind(1, domain);
  if (!query.step()) return std::nullopt;
  return time_of(query.number(0));
}

void HeldBook::set_spared(const std::string& domain, Time now) {
  SqliteStatement insert(database_,
                         "INSERT OR REPLACE INTO spared (domain, at) VALUES (?1, ?2)");
  insert.bind(1, domain).bind(2, number(now));
  insert.step();
}

void HeldBook::prune(Time now) {
  const auto before = number(now - kKept);
  for (const char* const sql :
       {"DELETE FROM held WHERE since < ?1 AND state NOT IN "
        "('held', 'holding')",
        "DELETE FROM sender WHERE at < ?1", "DELETE FROM spared WHERE at < ?1"}) {
    SqliteStatement statement(database_, sql);
    statement.bind(1, before);
    statement.step();
  }
}

}  // namespace mxfeed
