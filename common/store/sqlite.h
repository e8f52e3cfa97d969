// SPDX-License-Identifier: GPL-2.0-or-later
//
// SQLite with owners: connection, prepared statement, transaction.  The only user of
// sqlite3.h.
//
// Threads: a connection with its statements and transactions is used by one thread at a
// time, though not always the same one; nothing here locks.  Several connections to one
// file, in one process or many, may be used at once: readers never wait, writers wait for
// one another up to the busy timeout.
//
// All functions throw Fault; DamagedDatabase if the file is no database or inconsistent.

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

class Sqlite {
 public:
  enum class Access {
    read_only,   // neither makes the file nor changes it
    read_write,  // makes it; write-ahead log, synchronous=NORMAL: a loss of power loses
                 // the last transactions but damages nothing
  };

  Sqlite(const std::filesystem::path& file, Access access,
         std::chrono::milliseconds busy_timeout);
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  // One or more statements without results.
  void execute(const std::string& sql);
  // Rows that the last statement inserted, changed or removed.
  std::size_t changes() const;
  // The first column of the first row of a query, as PRAGMA gives it.
  std::int64_t query_number(const std::string& sql);
  // Moves the write-ahead log into the file as far as that is possible without waiting.
  // With `automatic` off this is the only time it is done, so no commit waits for the
  // disk.
  void checkpoint();
  void set_automatic_checkpoint(bool automatic);

 private:
  friend class SqliteStatement;
  friend class SqliteTransaction;
  [[noreturn]] void fail(std::string_view doing, int code) const;

  std::string file_;
  sqlite3* handle_ = nullptr;
};

// A prepared statement; the connection outlives it.
class SqliteStatement {
 public:
  SqliteStatement(Sqlite& database, std::string_view sql);
  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // Parameters count from 1.  Bytes are copied.
  SqliteStatement& bind(int parameter, std::int64_t value);
  SqliteStatement& bind(int parameter, std::string_view text);

  // Whether there is a row.  After the last one the statement is ready for new values.
  bool step();
  // Ends a query whose rows are not all wanted.
  void reset() noexcept;

  // Columns of the row, from 0.
  std::int64_t number(int column) const;
  std::string text(int column) const;

 private:
  Sqlite& database_;
  sqlite3_stmt* handle_ = nullptr;
};

// BEGIN IMMEDIATE: what is read inside is still true when it is written.  Undone unless
// committed.
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
