// SPDX-License-Identifier: GPL-2.0-or-later
//
// The rows of the greylist's SQLite file, read and written by SQLite's own interface and
// nothing of ours: what the store is measured against.

#pragma once

#include <cstdint>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

struct BareRow {
  std::string digest;
  std::int64_t kind;
  std::string identity, domain;
  std::int64_t first_seen, last_seen, expires, passes;
};

// One thread.  Every function ends the process at an error.
class BareSqlite {
 public:
  // With the settings of the store: write-ahead log, synchronous=NORMAL, no automatic
  // checkpoints.  The store has made the table.
  explicit BareSqlite(const std::string& file);
  ~BareSqlite();
  BareSqlite(const BareSqlite&) = delete;
  BareSqlite& operator=(const BareSqlite&) = delete;

  void begin() { step(begin_); }
  // Whether there is such a row; reads the columns that a decision needs.  The digest
  // stays the caller's.
  bool read(const std::string& digest);
  void write(const BareRow& row);
  void commit() { step(commit_); }

 private:
  sqlite3_stmt* prepare(const char* sql);
  void check(int code);
  void step(sqlite3_stmt* statement);

  sqlite3* handle_ = nullptr;
  sqlite3_stmt *begin_, *commit_, *read_, *write_;
};
