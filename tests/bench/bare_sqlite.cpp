// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/bare_sqlite.h"

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>

BareSqlite::BareSqlite(const std::string& file) {
  check(::sqlite3_open_v2(file.c_str(), &handle_,
                          SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, nullptr));
  for (const char* setting :
       {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"}) {
    check(::sqlite3_exec(handle_, setting, nullptr, nullptr, nullptr));
  }
  ::sqlite3_wal_autocheckpoint(handle_, 0);
  begin_ = prepare("BEGIN");
  commit_ = prepare("COMMIT");
  read_ = prepare(
      "SELECT first_seen, last_seen, expires, passes FROM records WHERE digest = ?");
  write_ = prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
}

BareSqlite::~BareSqlite() {
  for (auto* const statement : {begin_, commit_, read_, write_}) {
    ::sqlite3_finalize(statement);
  }
  ::sqlite3_close_v2(handle_);
}

bool BareSqlite::read(const std::string& digest) {
  check(::sqlite3_bind_blob(read_, 1, digest.data(), static_cast<int>(digest.size()),
                            SQLITE_STATIC));
  const bool found = ::sqlite3_step(read_) == SQLITE_ROW;
  for (int column = 0; found && column < 4; ++column) {
    ::sqlite3_column_int64(read_, column);
  }
  check(::sqlite3_reset(read_));
  return found;
}

void BareSqlite::write(const BareRow& row) {
  const auto bind = [&](int at, const std::string& text) {
    check(::sqlite3_bind_text(write_, at, text.data(), static_cast<int>(text.size()),
                              SQLITE_STATIC));
  };
  check(::sqlite3_bind_blob(write_, 1, row.digest.data(),
                            static_cast<int>(row.digest.size()), SQLITE_STATIC));
  check(::sqlite3_bind_int64(write_, 2, row.kind));
  bind(3, row.identity);
  bind(4, row.domain);
  check(::sqlite3_bind_int64(write_, 5, row.first_seen));
  check(::sqlite3_bind_int64(write_, 6, row.last_seen));
  check(::sqlite3_bind_int64(write_, 7, row.expires));
  check(::sqlite3_bind_int64(write_, 8, row.passes));
  step(write_);
}

sqlite3_stmt* BareSqlite::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  check(::sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                             nullptr));
  return statement;
}

void BareSqlite::check(int code) {
  if (code == SQLITE_OK) return;
  std::fprintf(stderr, "bare SQLite: %s\n", ::sqlite3_errmsg(handle_));
  std::exit(1);
}

void BareSqlite::step(sqlite3_stmt* statement) {
  ::sqlite3_step(statement);
  check(::sqlite3_reset(statement));  // with the error of the step
}
