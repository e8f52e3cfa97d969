// SPDX-License-Identifier: GPL-2.0-or-later
//
// The file of all entries.  Entries are appended; what is read is the same whatever their
// order.
//
//   "mxfeed spam journal 1\n", then for each entry:
//   mark (4 bytes), length (4), CRC-32 of the entry (4), the entry (Entry::bytes());
//   numbers are little-endian.
//
// A crash may cut the last entry off; damage in the middle costs the entries that it hit,
// since the next mark is found again.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "milters/spam/model/entry.h"

namespace mxfeed::spam {

struct JournalContent {
  std::vector<Entry> entries;
  std::size_t damaged = 0;  // places in the middle at which bytes were skipped
  bool cut = false;         // the end of the last entry is missing
  std::size_t sound = 0;    // bytes up to the end of the last whole entry
  bool operator==(const JournalContent&) const = default;
};

// Reads the bytes of a journal; none at all are an empty one.  Pure, linear time.
JournalContent parse_journal(std::string_view bytes);
std::string journal_start();
std::string journal_record(const Entry& entry);

// Another process has the journal: try again later.
class JournalInUse : public Fault {
 public:
  using Fault::Fault;
};

// The journal in a file.  Whoever has it has the lock.
class Journal {
 public:
  // Opens or creates the file.  Throws JournalInUse if another process has the lock,
  // Fault for anything else.
  explicit Journal(std::filesystem::path file);

  // What is in the file; what a crash cut off is removed from it.  Throws Fault.
  JournalContent read();
  // Appends the entries and waits until they are stored.  Throws Fault; then the file
  // ends with what it had.
  void append(const std::vector<Entry>& entries);
  // Replaces the whole file in one step.  Throws Fault.
  void rewrite(const std::vector<const Entry*>& entries);

  std::uint64_t bytes() const { return bytes_; }

 private:
  void open();

  const std::filesystem::path file_;
  Fd lock_;
  Fd fd_;
  std::uint64_t bytes_ = 0;  // of whole entries
};

}  // namespace mxfeed::spam
