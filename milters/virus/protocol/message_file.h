// SPDX-License-Identifier: GPL-2.0-or-later
//
// A message on its way to the scan service: collected piece by piece in a memfd.
//
// Before the sender's first header field stands a Received field of ours.  libclamav
// types its input by the first bytes, and the sender picks those: a first header field
// "MZ: 1" would make a program of the mail and hide its attachments, and a line "From "
// a mailbox.

#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"

namespace mxfeed::virus {

// The memory that all large messages of a process may take together.  Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes) : left_(bytes) {}
  // A quarter of the machine's memory, at least two messages of the largest size.
  static std::uint64_t default_size();

  // False, and nothing is taken, if there is not that much left.
  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { left_ += bytes; }

 private:
  std::atomic<std::uint64_t> left_;
};

// The budget does not suffice for more of a message; it may later.
class MemoryBudgetSpent : public Fault {
 public:
  MemoryBudgetSpent();
};

class MessageFile {
 public:
  // The first bytes of each message are not on the budget: usual mail is taken while
  // large messages have spent it.
  static constexpr std::uint64_t kFree = std::uint64_t{1} << 20;

  // Begins with the Received field.  Throws Fault, as do the others, and
  // MemoryBudgetSpent.  The budget outlives the message; without one there is no bound.
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

  // Afterwards nobody can add or change anything.  The descriptor is valid as long as
  // this object.
  int seal();

 private:
  void flush();
  void write(std::string_view bytes);

  MemoryBudget* const budget_;
  std::uint64_t taken_ = 0;  // of the budget
  Fd fd_;
  std::string buffer_;
  std::uint64_t written_ = 0;
};

}  // namespace mxfeed::virus
