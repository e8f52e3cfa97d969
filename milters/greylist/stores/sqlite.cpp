// SPDX-License-Identifier: GPL-2.0-or-later
//
// Records in a SQLite file.
//
// A decision reads the file, and leaves its changes in memory, where the next decision
// finds them.  A thread of its own commits them, all that have come during the last
// commit at once, and who made them waits for that.  What is only noted is committed with
// the next ones, or after a while.  While the file cannot be written, nobody waits, and
// the changes stay in memory, up to a limit.
//
// One process writes decisions; commands of the operator may write, too.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "milters/greylist/stores/sqlite_file.h"
#include "milters/greylist/stores/store.h"
#include "milters/greylist/stores/timed_lock.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock;

// For another process that writes.
constexpr milliseconds kBusy{100};
constexpr milliseconds kViewBusy{5000};
// Until a commit that failed is tried again.
constexpr milliseconds kAfterFault{1000};
// How long what is only noted may lie in memory.
constexpr milliseconds kNotedFor{500};
constexpr std::size_t kMostWaiting = 100'000;
constexpr std::size_t kSweepAtOnce = 2000;

struct Pending {
  Key key;
  std::optional<Record> record;  // nothing: to be removed
};
using Changes = std::unordered_map<std::string, Pending>;  // by digest

// The connections to one file; always replaced together.
struct Connections {
  explicit Connections(const std::filesystem::path& file)
      : reading(open_records(file, Sqlite::Access::read_write, kBusy)),
        writing(open_records(file, Sqlite::Access::read_write, kBusy)),
        upkeep(open_records(file, Sqlite::Access::read_write, kBusy)),
        reads(*reading),
        reader(*reading),
        writer(*writing),
        sweeper(*upkeep) {
    for (auto* const one : {reading.get(), writing.get(), upkeep.get()}) {
      one->set_automatic_checkpoint(false);
    }
  }

  std::unique_ptr<Sqlite> reading, writing, upkeep;
  SqliteReads reads;  // of the reader
  RecordTable reader, writer, sweeper;
};

void set_aside(const std::filesystem::path& file, const Fault& damage) {
  counter("mxfeed_greylist_store_damaged_total").add();
  const std::filesystem::path aside = set_damaged_aside(file);
  log(Severity::error, LogFields()
                           .add("event", "greylist-store-damaged")
                           .add("fault", damage.what())
                           .add("renamed", aside.string()));
}

class SqliteStore : public Store {
 public:
  explicit SqliteStore(const std::filesystem::path& file)
      : file_(file), connections_(open()), thread_([this] { write_all(); }) {}

  ~SqliteStore() override {
    {
      const std::lock_guard lock(signal_mutex_);
      is_stopping_ = true;
    }
    signal_.notify_all();
    thread_.join();
  }

  Decision update(const Keys& keys, const Step& step, Deadline deadline) override {
    auto lock = lock_until(deadline);
    try {
      Decision decision = decide(keys, step);
      if (decision.changes.empty()) return decision;
      const Ticket ticket = take(keys, decision).ticket;
      lock.unlock();
      hurry(ticket);
      wait_for(ticket, deadline);
      return decision;
    } catch (const DamagedDatabase& damage) {
      replace(connections_, damage);
      throw;
    }
  }

  void note(const Keys& keys, const Decision& decision, Deadline deadline) override {
    auto lock = lock_until(deadline);
    const Taken taken = take(keys, decision);
    lock.unlock();
    if (taken.is_first) signal_.notify_one();
  }

  Swept sweep(Time now) override {
    const auto connections = current();
    const std::lock_guard lock(sweep_mutex_);
    Swept swept;
    std::vector<std::string> expired;
    std::string last;
    const std::size_t visited = connections->sweeper.visit(
        swept_to_, kSweepAtOnce, [&](const Key& key, const Record& record) {
          last = key.digest;
          if (record.expires >= now) return;
          expired.push_back(key.digest);
          if (key.about == About::waiting && !key.is_second) {
            ++swept.abandoned[static_cast<std::size_t>(key.identity.kind)];
          }
        });
    swept_to_ = visited < kSweepAtOnce ? std::string() : last;
    if (!expired.empty()) {
      SqliteTransaction transaction(*connections->upkeep);
      for (const auto& digest : expired) connections->sweeper.remove_expired(digest, now);
      transaction.commit();
    }
    swept.records = expired.size();
    connections->upkeep->checkpoint();
    return swept;
  }

  void flush(Deadline deadline) override {
    std::unique_lock lock(signal_mutex_);
    const Ticket last = hurried_ = asked_;
    signal_.notify_one();
    if (!written_signal_.wait_until(lock, deadline, [&] { return written_ >= last; })) {
      throw Fault("write greylist store", file_.string(), "it cannot be written for now");
    }
  }

 private:
  using ConnectionsPtr = std::shared_ptr<Connections>;
  using Ticket = std::uint64_t;  // of a change; they are committed in this order

  // If the disk hangs in one decision, the others must not wait for it.
  std::unique_lock<TimedLock> lock_until(Deadline deadline) {
    std::unique_lock<TimedLock> lock(mutex_, std::defer_lock);
    if (!lock.try_lock_until(deadline)) {
      throw Fault("use greylist store", file_.string(), "busy");
    }
    if (next_.size() > kMostWaiting) {
      throw Fault("use greylist store", file_.string(), "cannot be written for long");
    }
    return lock;
  }

  ConnectionsPtr open() const {
    try {
      return std::make_shared<Connections>(file_);
    } catch (const DamagedDatabase& damage) {
      set_aside(file_, damage);
      return std::make_shared<Connections>(file_);
    }
  }

  ConnectionsPtr current() {
    const std::lock_guard<TimedLock> lock(mutex_);
    return connections_;
  }

  // With mutex_ held.
  void replace(const ConnectionsPtr& damaged, const Fault& damage) {
    if (connections_ != damaged) return;
    set_aside(file_, damage);
    connections_ = open();
  }

  // With mutex_ held.
  std::optional<Record> find(const std::string& digest) {
    for (const Changes* changes : {&next_, &writing_}) {
      if (const auto found = changes->find(digest); found != changes->end()) {
        return found->second.record;
      }
    }
    return connections_->reader.find(digest);
  }

  // With mutex_ held.
  Decision decide(const Keys& keys, const Step& step) {
    const SqliteReads::Scope reads(connections_->reads);
    return step([&](Slot slot) { return find(keys.at(slot).digest); });
  }

  struct Taken {
    Ticket ticket;
    bool is_first;  // so the thread may be asleep
  };
  // With mutex_ held.
  Taken take(const Keys& keys, const Decision& decision) {
    for (const Change& change : decision.changes) {
      const Key& key = keys.at(change.slot);
      next_.insert_or_assign(key.digest, Pending{key, change.record});
    }
    const std::lock_guard lock(signal_mutex_);
    const bool is_first = asked_++ == written_;
    return {asked_, is_first};
  }

  // Nothing is locked when the thread wakes: it would only have to wait again.
  void hurry(Ticket ticket) {
    {
      const std::lock_guard lock(signal_mutex_);
      hurried_ = std::max(hurried_, ticket);
    }
    signal_.notify_one();
  }

  void wait_for(Ticket ticket, Deadline deadline) {
    std::unique_lock lock(signal_mutex_);
    written_signal_.wait_until(lock, deadline,
                               [&] { return written_ >= ticket || is_faulty_; });
  }

  // In the thread.
  void write_all() {
    std::unique_lock lock(signal_mutex_);
    for (;;) {
      signal_.wait(lock, [&] { return is_stopping_ || asked_ > written_; });
      if (asked_ == written_) return;
      signal_.wait_for(lock, kNotedFor,
                       [&] { return is_stopping_ || hurried_ > written_; });
      const Ticket taken = asked_;
      lock.unlock();
      const bool is_written = write_next();
      lock.lock();
      is_faulty_ = !is_written;
      if (is_written) written_ = taken;
      lock.unlock();
      written_signal_.notify_all();
      lock.lock();
      if (is_written) continue;
      if (is_stopping_) return;
      signal_.wait_for(lock, kAfterFault, [&] { return is_stopping_; });
    }
  }

  bool write_next() {
    ConnectionsPtr connections;
    {
      const std::lock_guard<TimedLock> lock(mutex_);
      connections = connections_;
      writing_.swap(next_);
    }
    try {
      SqliteTransaction transaction(*connections->writing);
      for (const auto& [digest, change] : writing_) {
        if (change.record) {
          connections->writer.write(change.key, *change.record);
        } else {
          connections->writer.remove(digest);
        }
      }
      transaction.commit();
    } catch (const DamagedDatabase& damage) {
      const std::lock_guard<TimedLock> lock(mutex_);
      take_back();
      try {
        replace(connections, damage);
      } catch (const Fault& fault) {
        report(fault);
      }
      return false;
    } catch (const Fault& fault) {
      const std::lock_guard<TimedLock> lock(mutex_);
      take_back();
      report(fault);
      return false;
    }
    const std::lock_guard<TimedLock> lock(mutex_);
    if (connections_ != connections) {
      // Written to a file that was set aside meanwhile.
      take_back();
      return false;
    }
    writing_.clear();
    return true;
  }

  // With mutex_ held.  What is newer stays.
  void take_back() {
    next_.merge(writing_);
    writing_.clear();
  }

  void report(const Fault& fault) const {
    counter("mxfeed_greylist_store_faults_total").add();
    log(Severity::error, LogFields()
                             .add("event", "greylist-store-fault")
                             .add("fault", fault.what())
                             .add("waiting", next_.size()));
  }

  const std::filesystem::path file_;

  TimedLock mutex_;  // guards the three below, and the reader of connections_
  ConnectionsPtr connections_;
  Changes next_;     // not yet taken by the thread
  Changes writing_;  // being committed; changed by the thread only

  std::mutex sweep_mutex_;  // guards the sweeper of connections_, and
  std::string swept_to_;

  std::mutex signal_mutex_;  // guards all below; taken after mutex_
  std::condition_variable signal_, written_signal_;
  Ticket asked_ = 0;    // the last
  Ticket hurried_ = 0;  // the last one that somebody waits for
  Ticket written_ = 0;  // the last one that is committed
  bool is_stopping_ = false;
  bool is_faulty_ = false;  // the last commit failed

  std::thread thread_;
};

class SqliteView : public StoreView {
 public:
  explicit SqliteView(const std::filesystem::path& file)
      : database_(open_records(file, Sqlite::Access::read_only, kViewBusy)),
        table_(*database_) {}

  std::optional<Record> find(const Keys& keys, Slot slot) override {
    return table_.find(keys.at(slot).digest);
  }

  void each(const Visit& visit) override {
    constexpr std::size_t kAtOnce = 1000;
    std::string last;
    const auto note = [&](const Key& key, const Record& record) {
      last = key.digest;
      visit(key, record);
    };
    while (table_.visit(std::string(last), kAtOnce, note) == kAtOnce) {
    }
  }

 private:
  std::unique_ptr<Sqlite> database_;
  RecordTable table_;
};

}  // namespace

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file) {
  return std::make_unique<SqliteStore>(file);
}

std::unique_ptr<StoreView> view_sqlite_store(const std::filesystem::path& file) {
  return std::make_unique<SqliteView>(file);
}

}  // namespace mxfeed::greylist
