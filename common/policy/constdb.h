// SPDX-License-Identifier: GPL-2.0-or-later
//
// A constant database (cdb): written whole, then only read.  The only user of libcdb;
// Postfix's cdb maps are written with ConstDbWriter too (keys and values without a final
// NUL, as postmap(1) writes them).

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

class ConstDb {
 public:
  // Maps the file into memory; throws Fault if that cannot be done or it is damaged.
  explicit ConstDb(const std::filesystem::path& file);
  ~ConstDb();
  ConstDb(ConstDb&&) noexcept;
  ConstDb& operator=(ConstDb&&) noexcept;

  // The value is valid as long as this object.  Thread-safe.  Throws Fault if the file is
  // damaged.
  std::optional<std::string_view> find(std::string_view key) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
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
