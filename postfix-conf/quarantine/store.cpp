// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/quarantine/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <system_error>

#include "common/base/fault.h"
#include "common/base/log.h"

namespace mxfeed::quarantine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDatabase = "quarantine.db";
constexpr const char* kMessages = "messages";
constexpr std::chrono::seconds kBusy{5};
// Longer than Postfix tries to deliver anything (qmgr(8)).
constexpr std::chrono::hours kRemembered{24 * 110};
constexpr std::int64_t kAtOnce = 500;
// Clients::kPatience is shorter.
constexpr std::chrono::hours kComingIn{1};

// Times are seconds since 1970; `since` is when the standing was reached.
constexpr SqliteSchema kSchema{"quarantine", 1, R"(
  CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL,
    recipient TEXT NOT NULL,
    domain TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    sender TEXT NOT NULL,
    eight_bit INTEGER NOT NULL,
    smtputf8 INTEGER NOT NULL,
    file TEXT NOT NULL,
    size INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    since INTEGER NOT NULL,
    receipt TEXT NOT NULL DEFAULT '',
    queue_id TEXT NOT NULL DEFAULT '',
    UNIQUE (token, recipient)
  );
  CREATE INDEX items_by_domain ON items (domain, arrived);
  CREATE INDEX items_held ON items (domain, arrived, size) WHERE standing = 0;
  CREATE INDEX items_by_standing ON items (standing, arrived);
  CREATE INDEX items_ended ON items (since) WHERE standing > 1;
  CREATE INDEX items_by_file ON items (file) WHERE standing < 2;
  CREATE UNIQUE INDEX items_by_receipt ON items (receipt) WHERE receipt <> '';
)"};

static_assert(static_cast<int>(Standing::releasing) == 1 &&
              static_cast<int>(Standing::released) == 2);

constexpr const char* kColumns =
    "SELECT id, token, recipient, domain, kind, reason, sender, eight_bit, smtputf8, "
    "file, size, arrived, standing, since, receipt, queue_id FROM items ";

std::int64_t number(Time time) {
  return time.time_since_epoch().count();
}
std::int64_t number(Standing standing) {
  return static_cast<std::int64_t>(standing);
}
Time time_of(std::int64_t seconds) {
  return Time(std::chrono::seconds(seconds));
}

Item item_of(const SqliteStatement& row) {
  Item item;
  item.id = row.number(0);
  item.address = {parse_held_kind(row.text(4)).value_or(HeldKind::virus), row.text(1),
                  row.text(3), row.bytes(5), row.bytes(2)};
  item.sender = row.bytes(6);
  item.eight_bit = row.number(7) != 0;
  item.smtputf8 = row.number(8) != 0;
  item.file = row.text(9);
  item.size = static_cast<std::uint64_t>(row.number(10));
  item.arrived = time_of(row.number(11));
  item.standing = static_cast<Standing>(row.number(12));
  item.since = time_of(row.number(13));
  item.receipt = row.text(14);
  item.queue_id = row.text(15);
  return item;
}

fs::path made(const fs::path& directory, Sqlite::Access access) {
  if (access == Sqlite::Access::read_write) {
    const auto messages = directory / kMessages;
    if (::mkdir(messages.c_str(), 0700) != 0 && errno != EEXIST) {
      throw Fault("make directory", messages.string(), errno_text(errno));
    }
    make_private(directory / kDatabase);
  }
  return directory / kDatabase;
}

}  // namespace

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::held:
      return "held";
    case Standing::releasing:
      return "releasing";
    case Standing::released:
      return "released";
    case Standing::deleted:
      return "deleted";
    case Standing::expired:
      return "expired";
    case Standing::displaced:
      return "displaced";
    case Standing::learned:
      return "learned";
  }
  return "";
}

Content::Content(const fs::path& directory)
    : directory_(directory), name_(random_token()) {
  const auto path = directory_ / name_;
  fd_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd_) throw Fault("create", path.string(), errno_text(errno));
}

Content::~Content() {
  if (!is_kept_) ::unlink((directory_ / name_).c_str());
}

void Content::add(std::string_view octets) {
  if (!write_all(fd_.get(), octets)) {
    throw Fault("write", (directory_ / name_).string(), errno_text(errno));
  }
  size_ += octets.size();
}

void Content::synchronise() {
  if (::fsync(fd_.get()) != 0) {
    throw Fault("synchronise", (directory_ / name_).string(), errno_text(errno));
  }
  sync_directory(directory_);
}

Store::Store(fs::path directory, Sqlite::Access access)
    : directory_(std::move(directory)),
      opened_(open_store(kSchema, made(directory_, access), access, kBusy)),
      database_(*opened_) {
  // A power cut must not lose what Postfix was told we have.
  if (access == Sqlite::Access::read_write) {
    database_.execute("PRAGMA synchronous = FULL");
  }
}

std::unique_ptr<Content> Store::new_content() const {
  return std::make_unique<Content>(directory_ / kMessages);
}

fs::path Store::content_of(const Item& item) const {
  return directory_ / kMessages / item.file;
}

bool Store::is_there(const std::string& file) const {
  std::error_code error;
  const bool is = fs::exists(directory_ / kMessages / file, error);
  return is || error;
}

std::size_t Store::keep(const Arrival& arrival, std::unique_ptr<Content> content,
                        Time now) {
  content->synchronise();
  SqliteTransaction transaction(database_);
  SqliteStatement known(database_,
                        "SELECT id, standing, file FROM items "
                        "WHERE token = ?1 AND recipient = ?2");
  SqliteStatement again(database_, "UPDATE items SET file = ?2, size = ?3 WHERE id = ?1");
  SqliteStatement insert(
      database_,
      "INSERT INTO items (token, recipient, domain, kind, reason, sender, eight_bit, "
      "smtputf8, file, size, arrived, standing, since) VALUES "
      "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?11)");
  std::size_t added = 0;
  const auto size = static_cast<std::int64_t>(content->size_);
  for (const auto& one : arrival.held) {
    known.bind(1, one.token).bind_bytes(2, one.recipient);
    if (known.step()) {
      const auto id = known.number(0);
      const bool is_live = known.number(1) <= number(Standing::releasing);
      const bool is_lost = is_live && !is_there(known.text(2));
      known.reset();
      if (!is_lost) continue;
      again.bind(1, id).bind(2, content->name_).bind(3, size).step();
    } else {
      insert.bind(1, one.token)
          .bind_bytes(2, one.recipient)
          .bind(3, one.domain)
          .bind(4, to_string(one.kind))
          .bind_bytes(5, one.reason)
          .bind_bytes(6, arrival.sender)
          .bind(7, std::int64_t{arrival.eight_bit})
          .bind(8, std::int64_t{arrival.smtputf8})
          .bind(9, content->name_)
          .bind(10, size)
          .bind(11, number(now))
          .step();
    }
    ++added;
  }
  if (added == 0) return 0;
  // If it is not known whether the commit took effect, the file must stay.
  content->is_kept_ = true;
  transaction.commit();
  return added;
}

void Store::note_receipt(const std::string& token, Time now) {
  SqliteStatement query(database_,
                        std::string(kColumns) + "WHERE receipt = ?1 AND standing = 1");
  if (!query.bind(1, token).step()) return;
  const Item item = item_of(query);
  query.reset();
  finish_release(item.id, "", now);
}

std::optional<Item> Store::find(std::int64_t id) const {
  SqliteStatement query(database_, std::string(kColumns) + "WHERE id = ?1");
  if (!query.bind(1, id).step()) return std::nullopt;
  return item_of(query);
}

void Store::each(const std::string& domain,
                 const std::function<void(const Item&)>& see) const {
  SqliteStatement query(database_,
                        std::string(kColumns) +
                            (domain.empty() ? "WHERE ?1 = '' ORDER BY arrived, id"
                                            : "WHERE domain = ?1 ORDER BY arrived, id"));
  query.bind(1, domain);
  while (query.step()) see(item_of(query));
}

std::vector<Item> Store::unfinished() const {
  std::vector<Item> items;
  SqliteStatement query(
      database_, std::string(kColumns) + "WHERE standing = 1 ORDER BY arrived, id");
  while (query.step()) items.push_back(item_of(query));
  return items;
}

std::vector<Item> Store::lessons(std::size_t most, std::size_t skipped) const {
  std::vector<Item> items;
  SqliteStatement query(database_, std::string(kColumns) +
                                       "WHERE standing = 0 AND kind IN ('trap', "
                                       "'report_spam', 'report_ham') "
                                       "ORDER BY arrived, id LIMIT ?1 OFFSET ?2");
  query.bind(1, static_cast<std::int64_t>(most))
      .bind(2, static_cast<std::int64_t>(skipped));
  while (query.step()) items.push_back(item_of(query));
  return items;
}

bool Store::begin_release(std::int64_t id, const std::string& receipt, Time now) {
  SqliteStatement update(database_,
                         "UPDATE items SET standing = 1, receipt = ?2, since = ?3 "
                         "WHERE id = ?1 AND standing = 0");
  update.bind(1, id).bind(2, receipt).bind(3, number(now)).step();
  return database_.changes() == 1;
}

bool Store::renew_release(const Item& item, const std::string& receipt, Time now) {
  SqliteStatement update(database_,
                         "UPDATE items SET receipt = ?3, since = ?4 "
                         "WHERE id = ?1 AND standing = 1 AND receipt = ?2");
  update.bind(1, item.id).bind(2, item.receipt).bind(3, receipt).bind(4, number(now));
  update.step();
  return database_.changes() == 1;
}

bool Store::end(std::int64_t id, Standing from, Standing to, Time now) {
  std::string file;
  {
    SqliteTransaction transaction(database_);
    SqliteStatement query(database_,
                          "SELECT file FROM items WHERE id = ?1 AND standing = ?2");
    if (!query.bind(1, id).bind(2, number(from)).step()) return false;
    file = query.text(0);
    query.reset();
    SqliteStatement update(database_,
                           "UPDATE items SET standing = ?2, since = ?3 WHERE id = ?1");
    update.bind(1, id).bind(2, number(to)).bind(3, number(now)).step();
    transaction.commit();
  }
  remove_if_unused(file);
  return true;
}

void Store::finish_release(std::int64_t id, const std::string& queue_id, Time now) {
  if (!queue_id.empty()) {
    // The receipt may come first.
    SqliteStatement note(database_, "UPDATE items SET queue_id = ?2 WHERE id = ?1");
    note.bind(1, id).bind(2, queue_id).step();
  }
  end(id, Standing::releasing, Standing::released, now);
}

void Store::undo_release(std::int64_t id, Time now) {
  // The receipt of another release has another token.
  SqliteStatement update(database_,
                         "UPDATE items SET standing = 0, receipt = '', since = ?2 "
                         "WHERE id = ?1 AND standing = 1");
  update.bind(1, id).bind(2, number(now)).step();
}

bool Store::remove(std::int64_t id, Standing standing, Time now) {
  return end(id, Standing::held, standing, now);
}

void Store::remove_if_unused(const std::string& file) {
  SqliteStatement query(database_,
                        "SELECT 1 FROM items WHERE file = ?1 AND standing < 2 LIMIT 1");
  if (query.bind(1, file).step()) return;
  // What stays is removed as left over.
  ::unlink((directory_ / kMessages / file).c_str());
}

bool Store::expire(const std::function<Limits(const std::string& domain)>& limits_of,
                   Time now) {
  struct Held {
    std::string domain;
    Time oldest;
    std::uint64_t size;
  };
  std::vector<Held> all;
  {
    SqliteStatement query(database_,
                          "SELECT domain, min(arrived), sum(size) FROM items "
                          "WHERE standing = 0 AND kind != 'mailbox' GROUP BY domain");
    while (query.step()) {
      all.push_back({query.text(0), time_of(query.number(1)),
                     static_cast<std::uint64_t>(query.number(2))});
    }
  }
  bool has_more = false;
  for (const auto& [domain, oldest, size] : all) {
    const Limits limits = limits_of(domain);
    if (oldest <= now - limits.keep) {
      has_more |= expire_old(domain, now - limits.keep, now) == kAtOnce;
    }
    if (limits.quota != 0 && size > limits.quota) {
      has_more |= displace(domain, limits.quota, now) == kAtOnce;
    }
    if (has_more) break;
  }
  SqliteStatement forget(database_,
                         "DELETE FROM items WHERE id IN (SELECT id FROM items WHERE "
                         "standing > 1 AND since < ?1 ORDER BY since LIMIT ?2)");
  forget.bind(1, number(now - kRemembered)).bind(2, kAtOnce).step();
  return has_more;
}

// Those that arrived at `latest` or before.
std::size_t Store::expire_old(const std::string& domain, Time latest, Time now) {
  std::vector<std::int64_t> old;
  {
    SqliteStatement query(
        database_,
        "SELECT id FROM items WHERE standing = 0 AND domain = ?1 AND "
        "kind != 'mailbox' AND arrived <= ?2 ORDER BY arrived LIMIT ?3");
    query.bind(1, domain).bind(2, number(latest)).bind(3, kAtOnce);
    while (query.step()) old.push_back(query.number(0));
  }
  for (const auto id : old) remove(id, Standing::expired, now);
  return old.size();
}

// The oldest go, until the rest fits.
std::size_t Store::displace(const std::string& domain, std::uint64_t quota, Time now) {
  std::uint64_t rest = 0;
  std::vector<std::int64_t> beyond;
  {
    SqliteStatement query(
        database_,
        "SELECT id, size, kind FROM items WHERE domain = ?1 AND standing = 0 "
        "ORDER BY arrived DESC, id DESC");
    query.bind(1, domain);
    while (query.step()) {
      const auto kind = parse_held_kind(query.text(2));
      if (kind && (teaches(*kind) || *kind == HeldKind::mailbox)) continue;
      rest += static_cast<std::uint64_t>(query.number(1));
      if (rest > quota) beyond.push_back(query.number(0));
    }
  }
  if (beyond.size() > kAtOnce) beyond.erase(beyond.begin(), beyond.end() - kAtOnce);
  if (beyond.empty()) return 0;
  for (const auto id : beyond) remove(id, Standing::displaced, now);
  log(Severity::warning, LogFields()
                             .add("event", "quarantine-quota")
                             .add("domain", domain)
                             .add("removed", beyond.size()));
  return beyond.size();
}

std::size_t Store::remove_leftovers(Time now) {
  std::set<std::string> live;
  {
    SqliteStatement query(database_,
                          "SELECT DISTINCT file FROM items WHERE standing < 2");
    while (query.step()) live.insert(query.text(0));
  }
  std::size_t removed = 0;
  std::error_code error;
  for (fs::directory_iterator at(directory_ / kMessages, error), end; !error && at != end;
       at.increment(error)) {
    const auto name = at->path().filename().string();
    // Only what we have named.
    if (!is_token(name) || live.contains(name)) continue;
    struct stat status;
    if (::stat(at->path().c_str(), &status) != 0 ||
        status.st_mtim.tv_sec > number(now - kComingIn)) {
      continue;
    }
    if (::unlink(at->path().c_str()) == 0) ++removed;
  }
  return removed;
}

Store::Totals Store::totals() const {
  SqliteStatement query(
      database_, "SELECT count(*), coalesce(sum(size), 0) FROM items WHERE standing < 2");
  if (!query.step()) return {};
  return {static_cast<std::uint64_t>(query.number(0)),
          static_cast<std::uint64_t>(query.number(1))};
}

}  // namespace mxfeed::quarantine
