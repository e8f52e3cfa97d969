// SPDX-License-Identifier: GPL-2.0-or-later
//
// Records in a SQLite file.  Decisions share one connection and wait at most kBudget for
// it.  Sweeps and checkpoints have another one, so that a decision does not wait for the
// disk.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/store/sqlite.h"
#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {
namespace {

constexpr auto kBudget = std::chrono::milliseconds(100);
constexpr auto kViewBudget = std::chrono::seconds(5);
constexpr std::int64_t kSweepAtOnce = 1000;

// Times are seconds since 1970.
constexpr SqliteSchema kSchema{"greylist store", 1, R"(
  CREATE TABLE records (
    key TEXT PRIMARY KEY,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    passes INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX records_by_expiry ON records (expires);
)"};

std::int64_t number(Time time) {
  return time.time_since_epoch().count();
}

Record record_at(const SqliteStatement& row, int column) {
  const auto time = [&](int i) { return Time{std::chrono::seconds(row.number(i))}; };
  return {time(column), time(column + 1), time(column + 2),
          static_cast<std::uint32_t>(row.number(column + 3))};
}

// Both connections with their statements; always replaced together.
struct Connections {
  explicit Connections(const std::filesystem::path& file)
      : decisions(open_store(kSchema, file, Sqlite::Access::read_write, kBudget)),
        upkeep(open_store(kSchema, file, Sqlite::Access::read_write, kBudget)),
        find(*decisions,
             "SELECT first_seen, last_seen, expires, passes FROM records WHERE key = ?"),
        write(*decisions, "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)"),
        sweep(*upkeep,
              "DELETE FROM records WHERE key IN"
              " (SELECT key FROM records WHERE expires < ? LIMIT ?)") {
    decisions->set_automatic_checkpoint(false);
    upkeep->set_automatic_checkpoint(false);
  }

  std::unique_ptr<Sqlite> decisions;
  std::unique_ptr<Sqlite> upkeep;
  SqliteStatement find, write, sweep;
};

void set_aside(const std::filesystem::path& file, const Fault& damage) {
  counter("mxfeed_greylist_store_damaged_total").add();
  const std::filesystem::path aside = set_damaged_aside(file);
  log(Severity::error, LogFields()
                           .add("event", "greylist-store-damaged")
                           .add("fault", damage.what())
                           .add("renamed", aside.string()));
}

// A mutex with a timed lock, like std::timed_mutex, which ThreadSanitizer of g++ 12 does
// not support.
class TimedLock {
 public:
  bool try_lock_for(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    if (!freed_.wait_for(lock, most, [this] { return !taken_; })) return false;
    return taken_ = true;
  }
  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      taken_ = false;
    }
    freed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  bool taken_ = false;
};

class SqliteStore : public Store {
 public:
  explicit SqliteStore(const std::filesystem::path& file) : file_(file) {
    try {
      connections_ = std::make_unique<Connections>(file_);
    } catch (const DamagedDatabase& damage) {
      set_aside(file_, damage);
      connections_ = std::make_unique<Connections>(file_);
    }
  }

  std::vector<Decision> update(std::span<const std::string> keys,
                               const Step& step) override {
    // If the disk hangs in one decision, the others must not wait for it.
    std::unique_lock<TimedLock> lock(mutex_, std::defer_lock);
    if (!lock.try_lock_for(kBudget)) {
      throw Fault("use greylist store", file_.string(), "busy for 100 ms");
    }
    if (!connections_) open_again();
    try {
      auto decisions = decide_all(keys, step, false);
      if (std::ranges::any_of(decisions,
                              [](const Decision& d) { return bool{d.write}; })) {
        // Another process may have written since; while the transaction is open, none
        // can.
        SqliteTransaction transaction(*connections_->decisions);
        decisions = decide_all(keys, step, true);
        transaction.commit();
      }
      return decisions;
    } catch (const DamagedDatabase& damage) {
      close();
      set_aside(file_, damage);
      throw;
    }
  }

  std::size_t sweep(Time now) override {
    const std::lock_guard lock(upkeep_mutex_);
    if (!connections_) return 0;
    connections_->sweep.bind(1, number(now)).bind(2, kSweepAtOnce).step();
    const std::size_t removed = connections_->upkeep->changes();
    connections_->upkeep->checkpoint();
    return removed;
  }

 private:
  std::vector<Decision> decide_all(std::span<const std::string> keys, const Step& step,
                                   bool write) {
    std::vector<Decision> decisions;
    for (const std::string& key : keys) {
      std::optional<Record> seen;
      if (connections_->find.bind(1, key).step()) {
        seen = record_at(connections_->find, 0);
        connections_->find.reset();
      }
      decisions.push_back(step(seen));
      const auto& record = decisions.back().write;
      if (!write || !record) continue;
      connections_->write.bind(1, key)
          .bind(2, number(record->first_seen))
          .bind(3, number(record->last_seen))
          .bind(4, number(record->expires))
          .bind(5, std::int64_t{record->passes})
          .step();
    }
    return decisions;
  }

  // Both need mutex_ to be held.
  void close() {
    const std::lock_guard lock(upkeep_mutex_);
    connections_.reset();
  }
  void open_again() {
    auto connections = std::make_unique<Connections>(file_);
    const std::lock_guard lock(upkeep_mutex_);
    connections_ = std::move(connections);
  }

  const std::filesystem::path file_;
  TimedLock mutex_;          // decisions, and changing connections_
  std::mutex upkeep_mutex_;  // upkeep, and changing connections_; taken after mutex_
  std::unique_ptr<Connections> connections_;  // none after damage, until the next use
};

class SqliteView : public StoreView {
 public:
  explicit SqliteView(const std::filesystem::path& file)
      : database_(open_store(kSchema, file, Sqlite::Access::read_only, kViewBudget)) {}

  std::optional<Record> find(const std::string& key) override {
    SqliteStatement query(
        *database_,
        "SELECT first_seen, last_seen, expires, passes FROM records WHERE key = ?");
    if (!query.bind(1, key).step()) return std::nullopt;
    return record_at(query, 0);
  }

  void each(const Visit& visit) override {
    SqliteStatement query(
        *database_,
        "SELECT key, first_seen, last_seen, expires, passes FROM records ORDER BY key");
    while (query.step()) visit(query.text(0), record_at(query, 1));
  }

 private:
  std::unique_ptr<Sqlite> database_;
};

}  // namespace

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file) {
  return std::make_unique<SqliteStore>(file);
}

std::unique_ptr<StoreView> view_sqlite_store(const std::filesystem::path& file) {
  return std::make_unique<SqliteView>(file);
}

}  // namespace mxfeed::greylist
