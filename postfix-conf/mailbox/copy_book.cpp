// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/copy_book.h"

#include <chrono>

namespace mxfeed {
namespace {

constexpr std::chrono::seconds kBusy{5};
constexpr std::chrono::hours kMissed{24};

// Times are seconds since 1970; 0 for none.
constexpr SqliteSchema kSchema{"book of copies", 1, R"(
  CREATE TABLE copy (
    id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    PRIMARY KEY (id, recipient)
  ) WITHOUT ROWID;
  CREATE TABLE missed (
    id TEXT PRIMARY KEY,
    since INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE domain (
    name TEXT PRIMARY KEY,
    ended INTEGER NOT NULL
  ) WITHOUT ROWID;
)"};

std::int64_t number(Time time) {
  return time.time_since_epoch().count();
}

}  // namespace

CopyBook::CopyBook(const std::filesystem::path& file)
    : opened_(open_store(kSchema, file, Sqlite::Access::read_write, kBusy)),
      database_(*opened_),
      find_(database_, "SELECT 1 FROM copy WHERE id = ?1 AND recipient = ?2") {
  // A power cut must not bring copies twice.
  database_.execute("PRAGMA synchronous = FULL");
}

bool CopyBook::has(std::string_view id, std::string_view recipient) {
  find_.bind(1, id).bind(2, recipient);
  const bool found = find_.step();
  find_.reset();
  return found;
}

void CopyBook::note(const std::string& id, const std::vector<std::string>& recipients) {
  SqliteTransaction transaction(database_);
  SqliteStatement insert(database_,
                         "INSERT OR IGNORE INTO copy (id, recipient) VALUES (?1, ?2)");
  for (const auto& one : recipients) {
    insert.bind(1, id).bind(2, one);
    insert.step();
  }
  transaction.commit();
}

void CopyBook::forget_gone(const std::set<std::string, std::less<>>& listed, Time now) {
  std::vector<std::string> gone, back;
  {
    SqliteStatement known(database_, "SELECT DISTINCT id FROM copy");
    SqliteStatement missed(database_, "SELECT 1 FROM missed WHERE id = ?1");
    while (known.step()) {
      const std::string id = known.text(0);
      missed.bind(1, id);
      const bool was_missed = missed.step();
      missed.reset();
      const bool is_listed = listed.contains(id);
      if (is_listed && was_missed) back.push_back(id);
      if (!is_listed && !was_missed) gone.push_back(id);
    }
  }
  SqliteTransaction transaction(database_);
  SqliteStatement erase(database_, "DELETE FROM missed WHERE id = ?1");
  for (const auto& id : back) {
    erase.bind(1, id);
    erase.step();
  }
  SqliteStatement insert(database_, "INSERT INTO missed (id, since) VALUES (?1, ?2)");
  for (const auto& id : gone) {
    insert.bind(1, id).bind(2, number(now));
    insert.step();
  }
  for (const char* const statement :
       {"DELETE FROM copy WHERE id IN (SELECT id FROM missed WHERE since < ?1)",
        "DELETE FROM missed WHERE since < ?1"}) {
    SqliteStatement(database_, statement).bind(1, number(now - kMissed)).step();
  }
  transaction.commit();
}

std::vector<std::string> CopyBook::set_domains(
    const std::set<std::string, std::less<>>& domains, Time now) {
  std::vector<std::string> ended;
  std::set<std::string, std::less<>> begun = domains;
  {
    SqliteStatement query(database_, "SELECT name FROM domain WHERE ended = 0");
    while (query.step()) {
      const std::string name = query.text(0);
      if (begun.erase(name) == 0) ended.push_back(name);
    }
  }
  SqliteTransaction transaction(database_);
  SqliteStatement set(database_,
                      "INSERT OR REPLACE INTO domain (name, ended) VALUES (?1, ?2)");
  for (const auto& name : begun) {
    set.bind(1, name).bind(2, std::int64_t{0});
    set.step();
  }
  for (const auto& name : ended) {
    set.bind(1, name).bind(2, number(now));
    set.step();
  }
  transaction.commit();
  return ended;
}

std::map<std::string, Time> CopyBook::ended() const {
  std::map<std::string, Time> all;
  SqliteStatement query(database_, "SELECT name, ended FROM domain WHERE ended != 0");
  while (query.step()) {
    all.emplace(query.text(0), Time(std::chrono::seconds(query.number(1))));
  }
  return all;
}

void CopyBook::note_ended(const std::string& domain, Time now) {
  SqliteStatement(database_,
                  "INSERT OR REPLACE INTO domain (name, ended) VALUES (?1, ?2)")
      .bind(1, domain)
      .bind(2, number(now))
      .step();
}

void CopyBook::forget_domain(const std::string& domain) {
  for (const char* const statement :
       {"DELETE FROM copy WHERE lower(recipient) LIKE '%@' || ?1 "
        "OR lower(recipient) LIKE '%.' || ?1",
        "DELETE FROM domain WHERE name = ?1"}) {
    SqliteStatement(database_, statement).bind(1, domain).step();
  }
}

}  // namespace mxfeed
