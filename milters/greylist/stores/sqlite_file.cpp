// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/stores/sqlite_file.h"

#include "common/base/text.h"

namespace mxfeed::greylist {
namespace {

constexpr char kTables[] = R"(
  CREATE TABLE records (
    digest BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,
    identity TEXT NOT NULL,
    domain TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    passes INTEGER NOT NULL
  ) WITHOUT ROWID;
)";

// What the record is about, the kind of identity, and whether there is a better one.
std::int64_t kind_of(const Key& key) {
  return static_cast<std::int64_t>(key.about) +
         8 * static_cast<std::int64_t>(key.identity.kind) + (key.is_second ? 32 : 0);
}

std::int64_t number(Time time) {
  return time.time_since_epoch().count();
}

// Four columns from this one.
Record record_at(const SqliteStatement& row, int column) {
  const auto time = [&](int i) { return Time{std::chrono::seconds(row.number(i))}; };
  return {time(column), time(column + 1), time(column + 2),
          static_cast<std::uint32_t>(row.number(column + 3))};
}

Key key_at(const SqliteStatement& row) {
  const std::int64_t kind = row.number(1);
  Key key;
  key.digest = row.bytes(0);
  key.about = static_cast<About>(kind % 8);
  key.identity = {static_cast<IdentityKind>(kind / 8 % 4), row.text(2)};
  key.domain = row.text(3);
  key.is_second = kind >= 32;
  return key;
}

// Version 1 knew senders by network only.  Its keys were "198.51.100.0/24 acme.example
// HEX", with the digest of normalised sender and recipient.  Who waits there has to try
// once more.
void upgrade(Sqlite& database) {
  database.execute("ALTER TABLE records RENAME TO old_records");
  database.execute(kTables);
  {
    RecordTable table(database);
    SqliteStatement old(database,
                        "SELECT key, first_seen, last_seen, expires, passes"
                        " FROM old_records WHERE passes > 0");
    while (old.step()) {
      const std::string text = old.text(0);
      const auto parts = split(text, ' ');
      if (parts.size() != 3) continue;
      const auto mail = from_hex(parts[2]);
      if (!mail) continue;
      const Identity network{IdentityKind::network, std::string(parts[0])};
      table.write(passed_key(network, parts[1], *mail), record_at(old, 1));
    }
  }
  database.execute("DROP TABLE old_records");
}

constexpr SqliteSchema kSchema{"greylist store", 2, kTables, upgrade};

}  // namespace

std::unique_ptr<Sqlite> open_records(const std::filesystem::path& file,
                                     Sqlite::Access access,
                                     std::chrono::milliseconds busy_timeout) {
  // It tells who writes to whom.
  if (access == Sqlite::Access::read_write) make_private(file);
  return mxfeed::open_store(kSchema, file, access, busy_timeout);
}

RecordTable::RecordTable(Sqlite& database)
    : find_(database,
            "SELECT first_seen, last_seen, expires, passes FROM records"
            " WHERE digest = ?"),
      write_(database, "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
      remove_(database, "DELETE FROM records WHERE digest = ?"),
      remove_expired_(database, "DELETE FROM records WHERE digest = ? AND expires < ?"),
      visit_(database,
             "SELECT digest, kind, identity, domain, first_seen, last_seen, expires,"
             " passes FROM records WHERE digest > ? ORDER BY digest LIMIT ?") {}

std::optional<Record> RecordTable::find(std::string_view digest) {
  if (!find_.bind_bytes(1, digest).step()) return std::nullopt;
  const Record record = record_at(find_, 0);
  find_.reset();
  return record;
}

void RecordTable::write(const Key& key, const Record& record) {
  write_.bind_bytes(1, key.digest)
      .bind(2, kind_of(key))
      .bind(3, key.identity.text)
      .bind(4, key.domain)
      .bind(5, number(record.first_seen))
      .bind(6, number(record.last_seen))
      .bind(7, number(record.expires))
      .bind(8, std::int64_t{record.passes})
      .step();
}

void RecordTable::remove(std::string_view digest) {
  remove_.bind_bytes(1, digest).step();
}

void RecordTable::remove_expired(std::string_view digest, Time now) {
  remove_expired_.bind_bytes(1, digest).bind(2, number(now)).step();
}

std::size_t RecordTable::visit(std::string_view after, std::size_t most,
                               const Visit& visit) {
  visit_.bind_bytes(1, after).bind(2, static_cast<std::int64_t>(most));
  std::size_t visited = 0;
  while (visit_.step()) {
    ++visited;
    visit(key_at(visit_), record_at(visit_, 4));
  }
  return visited;
}

}  // namespace mxfeed::greylist
