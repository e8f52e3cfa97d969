// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/keeper_book.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::chrono::seconds kBusy{5};
constexpr std::chrono::hours kKept{24 * 35};

// Times are seconds since 1970; stepped is -1 if the clock was not set.
constexpr SqliteSchema kSchema{"keeper's book", 1, R"(
  CREATE TABLE expiry (
    id TEXT PRIMARY KEY,
    begun INTEGER NOT NULL,
    step TEXT NOT NULL,
    arrived INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    reason TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT ''
  );
  CREATE INDEX expiry_open ON expiry (id) WHERE outcome = '';
  CREATE TABLE clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    now INTEGER NOT NULL,
    since_boot INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    stepped INTEGER NOT NULL
  );
  CREATE TABLE sent (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
  ) WITHOUT ROWID;
  CREATE TABLE destination (
    domain TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    passage TEXT NOT NULL,
    failures INTEGER NOT NULL,
    changes TEXT NOT NULL,
    probed INTEGER NOT NULL,
    trial TEXT NOT NULL,
    flushing INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE server (
    domain TEXT NOT NULL,
    server TEXT NOT NULL,
    certificate TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (domain, server)
  ) WITHOUT ROWID;
)"};

// Later than the others: an earlier version has written a file without it.
constexpr const char* kLaterTables = R"(
  CREATE TABLE IF NOT EXISTS provider_route (
    address TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    waited INTEGER NOT NULL
  ) WITHOUT ROWID;
)";

std::int64_t number(Time time) {
  return time.time_since_epoch().count();
}

}  // namespace

KeeperBook::KeeperBook(const std::filesystem::path& file)
    : opened_(open_store(kSchema, file, Sqlite::Access::read_write, kBusy)),
      database_(*opened_) {
  // A power cut must not lose the journal: what is on hold would stay there.
  database_.execute("PRAGMA synchronous = FULL");
  database_.execute(kLaterTables);
}

void KeeperBook::begin(const std::vector<PlannedStep>& steps, Time now) {
  if (steps.empty()) return;
  SqliteTransaction transaction(database_);
  SqliteStatement insert(database_,
                         "INSERT OR REPLACE INTO expiry (id, begun, step, arrived, "
                         "deadline, sender, recipients, reason, outcome) VALUES "
                         "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '')");
  for (const auto& one : steps) {
    insert.bind(1, one.id)
        .bind(2, number(now))
        .bind(3, to_string(one.step))
        .bind(4, number(one.arrived))
        .bind(5, number(one.deadline))
        .bind(6, one.sender)
        .bind(7, fmt::format("{}", fmt::join(one.recipients, " ")))
        .bind(8, one.reason);
    insert.step();
  }
  transaction.commit();
}

void KeeperBook::finish(const std::vector<std::string>& ids, std::string_view outcome) {
  if (ids.empty()) return;
  SqliteTransaction transaction(database_);
  SqliteStatement update(database_, "UPDATE expiry SET outcome = ?2 WHERE id = ?1");
  for (const auto& id : ids) {
    update.bind(1, id).bind(2, outcome);
    update.step();
  }
  transaction.commit();
}

std::set<std::string, std::less<>> KeeperBook::open() const {
  std::set<std::string, std::less<>> ids;
  SqliteStatement query(database_, "SELECT id FROM expiry WHERE outcome = ''");
  while (query.step()) ids.insert(query.text(0));
  return ids;
}

std::optional<ClockMark> KeeperBook::clock() const {
  SqliteStatement query(database_, "SELECT now, since_boot, boot_id, stepped FROM clock");
  if (!query.step()) return std::nullopt;
  using std::chrono::seconds;
  ClockMark mark{Time(seconds(query.number(0))), seconds(query.number(1)), query.text(2),
                 std::nullopt};
  // -1: it was not set.
  if (query.number(3) >= 0) mark.stepped = seconds(query.number(3));
  query.reset();
  return mark;
}

void KeeperBook::set_clock(const ClockMark& mark) {
  SqliteStatement insert(database_,
                         "INSERT OR REPLACE INTO clock (one, now, since_boot, boot_id, "
                         "stepped) VALUES (1, ?1, ?2, ?3, ?4)");
  insert.bind(1, number(mark.now))
      .bind(2, mark.since_boot.count())
      .bind(3, mark.boot_id)
      .bind(4, mark.stepped ? mark.stepped->count() : -1);
  insert.step();
}

bool KeeperBook::may_send(std::string_view kind, std::string_view subject, Time now,
                          std::chrono::seconds interval) {
  SqliteTransaction transaction(database_);
  SqliteStatement query(database_,
                        "SELECT at FROM sent WHERE kind = ?1 AND subject = ?2");
  query.bind(1, kind).bind(2, subject);
  if (query.step()) {
    const Time last{std::chrono::seconds(query.number(0))};
    query.reset();
    // A time in the future is of another clock.
    if (last <= now && now - last < interval) return false;
  }
  SqliteStatement insert(
      database_, "INSERT OR REPLACE INTO sent (kind, subject, at) VALUES (?1, ?2, ?3)");
  insert.bind(1, kind).bind(2, subject).bind(3, number(now));
  insert.step();
  transaction.commit();
  return true;
}

std::map<std::string, Destination> KeeperBook::destinations() const {
  std::map<std::string, Destination> all;
  SqliteStatement query(database_,
                        "SELECT domain, state, passage, failures, changes, probed, "
                        "trial, flushing FROM destination");
  while (query.step()) {
    Destination& one = all[query.text(0)];
    one.state = parse_server_state(query.text(1)).value_or(ServerState::up);
    one.passage = parse_passage(query.text(2)).value_or(Passage::open);
    one.failures = static_cast<unsigned>(query.number(3));
    const std::string changes = query.text(4);
    for (const auto change : split(changes, ' ')) {
      if (const auto time = parse_unsigned(change)) {
        one.changes.emplace_back(std::chrono::seconds(*time));
      }
    }
    one.probed = Time(std::chrono::seconds(query.number(5)));
    const std::string trial = query.text(6);
    for (const auto id : split(trial, ' ')) {
      if (!id.empty()) one.trial.emplace_back(id);
    }
    one.flushing_since = Time(std::chrono::seconds(query.number(7)));
  }
  SqliteStatement servers(database_,
                          "SELECT domain, server, certificate, name FROM server");
  while (servers.step()) {
    const auto found = all.find(servers.text(0));
    if (found == all.end()) continue;
    found->second.identities[servers.text(1)] = {servers.text(2), servers.text(3)};
  }
  return all;
}

void KeeperBook::set_destination(const std::string& domain,
                                 const Destination& destination) {
  std::vector<std::int64_t> changes;
  for (const Time one : destination.changes) changes.push_back(number(one));
  SqliteTransaction transaction(database_);
  SqliteStatement insert(database_,
                         "INSERT OR REPLACE INTO destination (domain, state, passage, "
                         "failures, changes, probed, trial, flushing) VALUES "
                         "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  insert.bind(1, domain)
      .bind(2, to_string(destination.state))
      .bind(3, to_string(destination.passage))
      .bind(4, destination.failures)
      .bind(5, fmt::format("{}", fmt::join(changes, " ")))
      .bind(6, number(destination.probed))
      .bind(7, fmt::format("{}", fmt::join(destination.trial, " ")))
      .bind(8, number(destination.flushing_since));
  insert.step();
  SqliteStatement forget(database_, "DELETE FROM server WHERE domain = ?1");
  forget.bind(1, domain);
  forget.step();
  SqliteStatement server(database_,
                         "INSERT INTO server (domain, server, certificate, name) VALUES "
                         "(?1, ?2, ?3, ?4)");
  for (const auto& [name, identity] : destination.identities) {
    server.bind(1, domain)
        .bind(2, name)
        .bind(3, identity.certificate)
        .bind(4, identity.name);
    server.step();
  }
  transaction.commit();
}

ProviderRoutes KeeperBook::provider_routes() const {
  ProviderRoutes all;
  SqliteStatement query(database_, "SELECT address, since, waited FROM provider_route");
  while (query.step()) {
    using std::chrono::seconds;
    all.emplace(query.text(0), ProviderRoute{Time(seconds(query.number(1))),
                                             Time(seconds(query.number(2)))});
  }
  return all;
}

void KeeperBook::set_provider_routes(const ProviderRoutes& routes) {
  SqliteTransaction transaction(database_);
  SqliteStatement(database_, "DELETE FROM provider_route").step();
  SqliteStatement insert(
      database_,
      "INSERT INTO provider_route (address, since, waited) VALUES (?1, ?2, ?3)");
  for (const auto& [address, route] : routes) {
    insert.bind(1, address).bind(2, number(route.since)).bind(3, number(route.waited));
    insert.step();
  }
  transaction.commit();
}

void KeeperBook::prune(Time now) {
  SqliteStatement expiry(database_,
                         "DELETE FROM expiry WHERE outcome <> '' AND begun < ?1");
  expiry.bind(1, number(now - kKept));
  expiry.step();
  SqliteStatement sent(database_, "DELETE FROM sent WHERE at < ?1");
  sent.bind(1, number(now - kKept));
  sent.step();
}

}  // namespace mxfeed
