// SPDX-License-Identifier: GPL-2.0-or-later
//
// Owning types for SQLite: connection, prepared statement, transaction.
//
// Threads: a connection with its statements and transactions is used by one thread at a
// time, though not always the same one; nothing here locks.  Several connections to one
// file, in one process or many, may be used at once: readers never wait, writers wait for
// one another up to the busy timeout.
//
// All functions throw Fault, and DamagedDatabase if the file is not a database or is
// inconsistent.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/fault.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mxfeed {

class DamagedDatabase : public Fault {
 public:
  using Fault::Fault;
};

// Renames a damaged file to FILE.damaged, which is returned, replacing an older one.  Its
// write-ahead log is renamed too: a new file must not use the old log.
std::filesystem::path set_damaged_aside(const std::filesystem::path& file);

// Lets only its owner use the file, which is made if there is none; whatever the umask.
// SQLite gives its auxiliary files the same mode.  To be called before the file is
// opened. If it cannot be done, opening the file shows why.
void make_private(const std::filesystem::path& file);

class Sqlite {
 public:
  enum class Access {
    read_only,   // neither creates nor changes the file
    read_write,  // creates it; write-ahead log, synchronous=NORMAL: a power cut loses
                 // the last transactions but damages nothing
  };

  Sqlite(const std::filesystem::path& file, Access access,
         std::chrono::milliseconds busy_timeout);
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  // Runs one or more statements without results.
  void execute(const std::string& sql);
  // Rows that the last statement inserted, changed or removed.
  std::size_t changes() const;
  // The first column of the first row of a query such as PRAGMA; 0 if there is no row.
  std::int64_t query_number(const std::string& sql);
  // Writes the write-ahead log back to the file, as far as possible without waiting for
  // others.  If automatic checkpoints are off, only this does it, so no commit waits for
  // the disk.
  void checkpoint();
  void set_automatic_checkpoint(bool automatic);

 private:
  friend class SqliteStatement;
  friend class SqliteTransaction;
  [[noreturn]] void fail(std::string_view doing, int code) const;

  std::string file_;
  sqlite3* handle_ = nullptr;
};

// The tables of a store's file.
struct SqliteSchema {
  const char* store;     // for messages: "greylist store"
  std::int64_t version;  // of the file, from 1
  const char* tables;    // statements that make them
  // Turns a file of the version before into one of this one, in a transaction; null: such
  // a file cannot be used.
  void (*upgrade)(Sqlite&) = nullptr;
};

// Opens the file, and if it may write makes the tables in a new one and upgrades an old
// one.  Throws Fault for a file of another version, which is left as it is.
std::unique_ptr<Sqlite> open_store(const SqliteSchema& schema,
                                   const std::filesystem::path& file,
                                   Sqlite::Access access,
                                   std::chrono::milliseconds busy_timeout);

// A prepared statement; the connection outlives it.
class SqliteStatement {
 public:
  SqliteStatement(Sqlite& database, std::string_view sql);
  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // Parameters count from 1.  Texts and bytes are copied.
  SqliteStatement& bind(int parameter, std::int64_t value);
  SqliteStatement& bind(int parameter, std::string_view text);
  SqliteStatement& bind_bytes(int parameter, std::string_view bytes);

  // Goes to the next row; false after the last, when the statement is ready for new
  // values.
  bool step();
  // Ends a query before its last row.
  void reset() noexcept;

  // Columns of the row, from 0.
  std::int64_t number(int column) const;
  std::string text(int column) const;
  std::string bytes(int column) const;

 private:
  Sqlite& database_;
  sqlite3_stmt* handle_ = nullptr;
};

// Reads of one connection that see the same state, and take the file's lock once instead
// of once for each; the connection outlives it.
class SqliteReads {
 public:
  explicit SqliteReads(Sqlite& database)
      : begin_(database, "BEGIN"), end_(database, "ROLLBACK") {}

  // Reads count until its end.
  class Scope {
   public:
    explicit Scope(SqliteReads& reads) : reads_(reads) { reads_.begin_.step(); }
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    SqliteReads& reads_;
  };

 private:
  SqliteStatement begin_, end_;
};

// BEGIN IMMEDIATE: no other writer can change what is read inside before it is written.
// Rolled back unless committed.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(Sqlite& database);
  ~SqliteTransaction();
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;

  void commit();

 private:
  Sqlite& database_;
  bool open_ = true;
};

}  // namespace mxfeed
