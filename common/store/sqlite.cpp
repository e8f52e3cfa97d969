// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/store/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

#include "common/base/file.h"

namespace mxfeed {

std::filesystem::path set_damaged_aside(const std::filesystem::path& file) {
  std::filesystem::path aside = file;
  aside += ".damaged";
  for (const char* part : {"", "-wal", "-shm"}) {
    // A part may not exist; opening the new file shows if a rename failed.
    std::error_code ignored;
    std::filesystem::rename(file.string() + part, aside.string() + part, ignored);
  }
  return aside;
}

void make_private(const std::filesystem::path& file) {
  constexpr ::mode_t kMode = S_IRUSR | S_IWUSR;
  // An existing file is not opened: closing it would end the locks of this process.
  const Fd made(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (made) {
    ::fchmod(made.get(), kMode);
    return;
  }
  // As an older version, or a command of the operator, may have made them.
  for (const char* part : {"", "-wal", "-shm"}) {
    const std::string path = file.string() + part;
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
    if (found.st_uid != ::geteuid() || (found.st_mode & ALLPERMS) == kMode) continue;
    ::chmod(path.c_str(), kMode);
  }
}

Sqlite::Sqlite(const std::filesystem::path& file, Access access,
               std::chrono::milliseconds busy_timeout)
    : file_(file.string()) {
  const bool writes = access == Access::read_write;
  const int flags =
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
      (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  const int code = ::sqlite3_open_v2(file_.c_str(), &handle_, flags, nullptr);
  try {
    if (code != SQLITE_OK) fail("open database", code);
    ::sqlite3_busy_timeout(handle_, static_cast<int>(busy_timeout.count()));
    if (writes) {
      execute("PRAGMA journal_mode = WAL");
      execute("PRAGMA synchronous = NORMAL");
    }
    query_number(
        "PRAGMA schema_version");  // sqlite3_open_v2() alone does not read the file
  } catch (...) {
    ::sqlite3_close_v2(handle_);
    throw;
  }
}

Sqlite::~Sqlite() {
  ::sqlite3_close_v2(handle_);
}

void Sqlite::execute(const std::string& sql) {
  const int code = ::sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail("use database", code);
}

std::size_t Sqlite::changes() const {
  return static_cast<std::size_t>(::sqlite3_changes64(handle_));
}

std::int64_t Sqlite::query_number(const std::string& sql) {
  SqliteStatement query(*this, sql);
  return query.step() ? query.number(0) : 0;
}

void Sqlite::checkpoint() {
  const int code = ::sqlite3_wal_checkpoint_v2(
      handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  // Another connection may be doing it already.
  if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) fail("write back log", code);
}

void Sqlite::set_automatic_checkpoint(bool automatic) {
  ::sqlite3_wal_autocheckpoint(handle_, automatic ? 1000 : 0);
}

void Sqlite::fail(std::string_view doing, int code) const {
  const std::string cause =
      handle_ != nullptr && ::sqlite3_extended_errcode(handle_) == code
          ? ::sqlite3_errmsg(handle_)
          : ::sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw DamagedDatabase(doing, file_, cause);
    default:
      throw Fault(doing, file_, cause);
  }
}

SqliteStatement::SqliteStatement(Sqlite& database, std::string_view sql)
    : database_(database) {
  const int code =
      ::sqlite3_prepare_v3(database_.handle_, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) database_.fail("prepare query", code);
}

SqliteStatement::~SqliteStatement() {
  ::sqlite3_finalize(handle_);
}

SqliteStatement& SqliteStatement::bind(int parameter, std::int64_t value) {
  const int code = ::sqlite3_bind_int64(handle_, parameter, value);
  if (code != SQLITE_OK) database_.fail("bind value", code);
  return *this;
}

SqliteStatement& SqliteStatement::bind(int parameter, std::string_view text) {
  const int code = ::sqlite3_bind_text64(handle_, parameter, text.data(), text.size(),
                                         SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.fail("bind text", code);
  return *this;
}

SqliteStatement& SqliteStatement::bind_bytes(int parameter, std::string_view bytes) {
  const int code = ::sqlite3_bind_blob64(handle_, parameter, bytes.data(), bytes.size(),
                                         SQLITE_TRANSIENT);
  if (code != SQLITE_OK) database_.fail("bind bytes", code);
  return *this;
}

bool SqliteStatement::step() {
  const int code = ::sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  reset();
  if (code != SQLITE_DONE) database_.fail("use database", code);
  return false;
}

void SqliteStatement::reset() noexcept {
  ::sqlite3_reset(handle_);
  ::sqlite3_clear_bindings(handle_);
}

std::int64_t SqliteStatement::number(int column) const {
  return ::sqlite3_column_int64(handle_, column);
}

std::string SqliteStatement::text(int column) const {
  const auto* const bytes = ::sqlite3_column_text(handle_, column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(::sqlite3_column_bytes(handle_, column))};
}

std::string SqliteStatement::bytes(int column) const {
  const auto* const bytes = ::sqlite3_column_blob(handle_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(::sqlite3_column_bytes(handle_, column))};
}

SqliteReads::Scope::~Scope() {
  try {
    reads_.end_.step();
  } catch (const Fault&) {
    // A grave error has ended it; the read that met it has thrown.
  }
}

SqliteTransaction::SqliteTransaction(Sqlite& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
}

SqliteTransaction::~SqliteTransaction() {
  if (open_) {
    ::sqlite3_exec(database_.handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void SqliteTransaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

std::unique_ptr<Sqlite> open_store(const SqliteSchema& schema,
                                   const std::filesystem::path& file,
                                   Sqlite::Access access,
                                   std::chrono::milliseconds busy_timeout) {
  auto database = std::make_unique<Sqlite>(file, access, busy_timeout);
  const auto version = [&] { return database->query_number("PRAGMA user_version"); };
  const auto is_old = [&] {
    return schema.upgrade != nullptr && version() == schema.version - 1;
  };
  if (access == Sqlite::Access::read_write && (version() == 0 || is_old())) {
    SqliteTransaction transaction(*database);
    // Another process may have been first.
    if (version() == 0 || is_old()) {
      if (version() == 0) {
        database->execute(schema.tables);
      } else {
        schema.upgrade(*database);
      }
      database->execute("PRAGMA user_version = " + std::to_string(schema.version));
    }
    transaction.commit();
  }
  if (version() != schema.version) {
    throw Fault(std::string("open ") + schema.store, file.string(),
                "written by another version of mxfeed");
  }
  return database;
}

}  // namespace mxfeed
