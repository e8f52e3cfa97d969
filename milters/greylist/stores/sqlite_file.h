// SPDX-License-Identifier: GPL-2.0-or-later
//
// The file of the SQLite store: its table, and the statements on it.
//
// There is no index by expiry: it would make each write dearer and the file larger, and a
// sweep may as well go through the keys.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/store/sqlite.h"
#include "milters/greylist/decision.h"
#include "milters/greylist/key.h"

namespace mxfeed::greylist {

// Opens the file; one of version 1 is turned into one of this version.  Throws Fault.
std::unique_ptr<Sqlite> open_records(const std::filesystem::path& file,
                                     Sqlite::Access access,
                                     std::chrono::milliseconds busy_timeout);

// One thread at a time, as the database.
class RecordTable {
 public:
  explicit RecordTable(Sqlite& database);

  std::optional<Record> find(std::string_view digest);
  void write(const Key& key, const Record& record);
  void remove(std::string_view digest);
  // Removes the record if it has expired.
  void remove_expired(std::string_view digest, Time now);

  using Visit = std::function<void(const Key& key, const Record& record)>;
  // Up to `most` records whose digests come after `after`, in that order.
  std::size_t visit(std::string_view after, std::size_t most, const Visit& visit);

 private:
  SqliteStatement find_, write_, remove_, remove_expired_, visit_;
};

}  // namespace mxfeed::greylist
