// SPDX-License-Identifier: GPL-2.0-or-later
//
// A constant database in D. J. Bernstein's format (cdb(5)): written whole, then only
// read. Postfix's cdb maps are written with ConstDbWriter too (keys and values without a
// final NUL, as postmap(1) writes them).
//
// It is read by pread(2), not mapped: a file that is truncated while it is in use is a
// Fault, where a mapping would be SIGBUS.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

class ConstDb {
 public:
  // Throws Fault if the file cannot be read or is not such a database.
  explicit ConstDb(const std::filesystem::path& file);
  ~ConstDb();
  ConstDb(ConstDb&&) noexcept;
  ConstDb& operator=(ConstDb&&) noexcept;

  // Thread-safe.  Throws Fault if the file is damaged there or cannot be read.
  std::optional<std::string> find(std::string_view key) const;

 private:
  friend class ConstDbScan;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Goes through the entries of a database in the order in which they were added.  Lives no
// longer than that.
class ConstDbScan {
 public:
  explicit ConstDbScan(const ConstDb& db);
  ~ConstDbScan();
  ConstDbScan(const ConstDbScan&) = delete;
  ConstDbScan& operator=(const ConstDbScan&) = delete;

  // Goes on to the next entry; false after the last.  Throws Fault like find().
  bool next();
  // Of the entry; valid until the next one.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  // After the last: throws Fault if an entry could not be found by its key.
  void prove() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::string_view key_, value_;
};

// Writes a database: a temporary file beside it, renamed by commit(); without commit()
// nothing is left.  Throws Fault.
class ConstDbWriter {
 public:
  explicit ConstDbWriter(const std::filesystem::path& file, unsigned mode = 0644);
  ~ConstDbWriter();
  ConstDbWriter(const ConstDbWriter&) = delete;
  ConstDbWriter& operator=(const ConstDbWriter&) = delete;

  // The first value of a key is the one that is found.
  void add(std::string_view key, std::string_view value);
  void commit();  // fsync, rename

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxfeed
