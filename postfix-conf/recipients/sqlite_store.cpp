// SPDX-License-Identifier: GPL-2.0-or-later
//
// A SQLite file with one connection that reads and one that writes, so that a question
// that can be answered does not wait for the disk.

#include <chrono>
#include <cstdint>
#include <mutex>
#include <utility>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/store/sqlite.h"
#include "postfix-conf/recipients/store.h"

namespace mxfeed::recipients {
namespace {

constexpr auto kReadBudget = std::chrono::milliseconds(100);
constexpr auto kWriteBudget = std::chrono::seconds(1);
constexpr std::int64_t kSweepAtOnce = 1000;

// Times are seconds since 1970, 0 is never; standing and source are the numbers of
// Address.
constexpr SqliteSchema kSchema{"recipients store", 1, R"(
  CREATE TABLE addresses (
    key TEXT PRIMARY KEY,
    domain TEXT NOT NULL,
    standing INTEGER NOT NULL,
    at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    expires INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX addresses_by_expiry ON addresses (expires);
  CREATE INDEX addresses_accepted ON addresses (domain, at) WHERE standing = 1;
  CREATE TABLE servers (
    domain TEXT PRIMARY KEY,
    random_at INTEGER NOT NULL,
    takes_random INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    not_askable_at INTEGER NOT NULL,
    failed_at INTEGER NOT NULL,
    recovered_at INTEGER NOT NULL,
    unclear_since INTEGER NOT NULL,
    expires INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX servers_by_expiry ON servers (expires);
)"};

std::int64_t number(Time time) {
  return time.time_since_epoch().count();
}

// Reads through one connection.
class Reading {
 public:
  explicit Reading(Sqlite& database)
      : address_(database, "SELECT standing, at, source FROM addresses WHERE key = ?"),
        server_(database,
                "SELECT random_at, takes_random, accepted_at, not_askable_at, failed_at,"
                " recovered_at, unclear_since FROM servers WHERE domain = ?") {}

  Knowledge find(const Recipient& recipient) {
    Knowledge known;
    if (address_.bind(1, recipient.key()).step()) {
      known.address =
          Address{static_cast<Address::Standing>(address_.number(0)), time(address_, 1),
                  static_cast<Address::Source>(address_.number(2))};
      address_.reset();
    }
    if (server_.bind(1, recipient.domain()).step()) {
      known.server = {time(server_, 0), server_.number(1) != 0, time(server_, 2),
                      time(server_, 3), time(server_, 4),       time(server_, 5),
                      time(server_, 6)};
      server_.reset();
    }
    return known;
  }

 private:
  static Time time(const SqliteStatement& row, int column) {
    return Time{std::chrono::seconds(row.number(column))};
  }

  SqliteStatement address_, server_;
};

// Both connections with their statements; always replaced together.
struct Connections {
  explicit Connections(const std::filesystem::path& file)
      : reader(open_store(kSchema, file, Sqlite::Access::read_write, kReadBudget)),
        writer(open_store(kSchema, file, Sqlite::Access::read_write, kWriteBudget)),
        reading(*reader),
        rereading(*writer),
        neighbour(*reader,
                  "SELECT key FROM addresses WHERE domain = ? AND standing = 1"
                  " AND key <> ? ORDER BY at DESC LIMIT 1"),
        write_address(*writer,
                      "INSERT OR REPLACE INTO addresses VALUES (?, ?, ?, ?, ?, ?)"),
        write_server(*writer,
                     "INSERT OR REPLACE INTO servers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        sweep_addresses(*writer,
                        "DELETE FROM addresses WHERE key IN (SELECT key FROM addresses"
                        " WHERE expires < ? ORDER BY expires LIMIT ?)"),
        sweep_servers(*writer,
                      "DELETE FROM servers WHERE domain IN (SELECT domain FROM servers"
                      " WHERE expires < ? ORDER BY expires LIMIT ?)") {}

  std::unique_ptr<Sqlite> reader, writer;
  Reading reading, rereading;
  SqliteStatement neighbour, write_address, write_server, sweep_addresses, sweep_servers;
};

class SqliteStore : public Store {
 private:
  template <typename Do>
  auto with_reader(Do what) {
    return with(reader_mutex_, what);
  }
  template <typename Do>
  auto with_writer(Do what) {
    return with(writer_mutex_, what);
  }

  template <typename Do>
  auto with(std::mutex& mutex, Do what) {
    std::shared_ptr<Connections> used;
    try {
      const std::lock_guard lock(mutex);
      used = connections();
      return what(*used);
    } catch (const DamagedDatabase& damage) {
      close(used, damage);
      throw;
    }
  }

  std::shared_ptr<Connections> connections() {
    const std::lock_guard lock(connections_mutex_);
    if (!connections_) connections_ = std::make_shared<Connections>(file_);
    return connections_;
  }

  void close(const std::shared_ptr<Connections>& used, const Fault& damage) {
    const std::lock_guard lock(connections_mutex_);
    // Another thread may have met the damage first.
    if (connections_ != used) return;
    connections_.reset();
    set_aside(damage);
  }

  void set_aside(const Fault& damage) const {
    counter("mxfeed_recipients_store_damaged_total").add();
    const auto aside = set_damaged_aside(file_);
    log(Severity::error, LogFields()
                             .add("event", "recipients-store-damaged")
                             .add("fault", damage.what())
                             .add("renamed", aside.string()));
  }

 public:
  SqliteStore(std::filesystem::path file, std::int64_t most_bytes)
      : file_(std::move(file)), most_bytes_(most_bytes) {
    try {
      connections_ = std::make_unique<Connections>(file_);
    } catch (const DamagedDatabase& damage) {
      set_aside(damage);
      connections_ = std::make_unique<Connections>(file_);
    }
  }

  Knowledge find(const Recipient& recipient) override {
    return with_reader([&](Connections& c) { return c.reading.find(recipient); });
  }

  std::optional<std::string> accepted_neighbour(const Recipient& recipient) override {
    return with_reader([&](Connections& c) -> std::optional<std::string> {
      if (!c.neighbour.bind(1, recipient.domain()).bind(2, recipient.key()).step()) {
        return std::nullopt;
      }
      std::string key = c.neighbour.text(0);
      c.neighbour.reset();
      return key;
    });
  }

  Knowledge update(const Recipient& recipient, const Step& step) override {
    return with_writer([&](Connections& c) {
      SqliteTransaction transaction(*c.writer);
      const Knowledge before = c.rereading.find(recipient);
      const Knowledge after = step(before);
      if (after.address && after.address != before.address) {
        write(c, recipient, *after.address);
      }
      if (after.server != before.server) write(c, recipient.domain(), after.server);
      transaction.commit();
      return after;
    });
  }

  std::size_t sweep(Time now) override {
    return with_writer([&](Connections& c) {
      std::size_t removed = sweep(c, number(now));
      if (bytes_in_use(c) > most_bytes_) removed += sweep(c, INT64_MAX);
      return removed;
    });
  }

 private:
  static void write(Connections& c, const Recipient& recipient, const Address& address) {
    c.write_address.bind(1, recipient.key())
        .bind(2, recipient.domain())
        .bind(3, static_cast<std::int64_t>(address.standing))
        .bind(4, number(address.at))
        .bind(5, static_cast<std::int64_t>(address.source))
        .bind(6, number(expiry(address)))
        .step();
  }

  static void write(Connections& c, const std::string& domain, const Server& server) {
    c.write_server.bind(1, domain)
        .bind(2, number(server.random_at))
        .bind(3, std::int64_t{server.takes_random})
        .bind(4, number(server.accepted_at))
        .bind(5, number(server.not_askable_at))
        .bind(6, number(server.failed_at))
        .bind(7, number(server.recovered_at))
        .bind(8, number(server.unclear_since))
        .bind(9, number(expiry(server)))
        .step();
  }

  static std::size_t sweep(Connections& c, std::int64_t before) {
    c.sweep_addresses.bind(1, before).bind(2, kSweepAtOnce).step();
    const std::size_t addresses = c.writer->changes();
    c.sweep_servers.bind(1, before).bind(2, kSweepAtOnce).step();
    return addresses + c.writer->changes();
  }

  static std::int64_t bytes_in_use(Connections& c) {
    const auto pragma = [&](const char* name) {
      return c.writer->query_number(std::string("PRAGMA ") + name);
    };
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  }

  const std::filesystem::path file_;
  const std::int64_t most_bytes_;
  std::mutex reader_mutex_, writer_mutex_;    // of the statements of each connection
  std::mutex connections_mutex_;              // taken last
  std::shared_ptr<Connections> connections_;  // none after damage, until the next use
};

}  // namespace

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file,
                                         std::int64_t most_bytes) {
  return std::make_unique<SqliteStore>(file, most_bytes);
}

}  // namespace mxfeed::recipients
