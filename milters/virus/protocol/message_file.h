// SPDX-License-Identifier: GPL-2.0-or-later
//
// A message for the scan service, collected piece by piece in a memfd.
//
// Our own Received field stands before the sender's first header field.  libclamav
// detects the type of its input by the first bytes, which the sender could choose: with a
// first field "MZ: 1" it would take the message for a program and not see its
// attachments, with a line "From " for a mailbox.

#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"

namespace mxfeed::virus {

// The memory that all large messages of a process may use together.  Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes) : left_(bytes) {}
  // A quarter of the machine's memory, at least two messages of the largest size.
  static std::uint64_t default_size();

  // False if there is not enough left; then nothing is taken.
  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { left_ += bytes; }

 private:
  std::atomic<std::uint64_t> left_;
};

// The budget is used up for now: the message should be tried again later.
class MemoryBudgetSpent : public Fault {
 public:
  MemoryBudgetSpent();
};

class MessageFile {
 public:
  // The first bytes of each message do not count, so that ordinary mail is accepted even
  // when large messages have used up the budget.
  static constexpr std::uint64_t kFree = std::uint64_t{1} << 20;

  // Begins with the Received field.  This and the other functions throw Fault, and
  // MemoryBudgetSpent.  The budget outlives the message; without one there is no limit.
  explicit MessageFile(Time now, MemoryBudget* budget = nullptr);
  ~MessageFile();
  MessageFile(const MessageFile&) = delete;
  MessageFile& operator=(const MessageFile&) = delete;

  // A header field; `value` as the filter gets it: folded with LF, leading space kept.
  void add_header(std::string_view name, std::string_view value);
  // The empty line after the header.
  void end_header();
  void add(std::string_view bytes);

  std::uint64_t size() const { return written_ + buffer_.size(); }

  // Makes the file unchangeable.  The descriptor is valid as long as this object.
  int seal();

  // A digest of the message without our own field, after seal(): the same whenever the
  // sender tries again.
  std::string digest() const;

 private:
  void flush();
  void write(std::string_view bytes);

  MemoryBudget* const budget_;
  std::uint64_t taken_ = 0;  // of the budget
  Fd fd_;
  std::string buffer_;
  std::size_t own_ = 0;  // the size of our own field
  std::uint64_t written_ = 0;
  bool is_sealed_ = false;
};

}  // namespace mxfeed::virus
