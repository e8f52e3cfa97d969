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
class MessageRoom {
 public:
  explicit MessageRoom(std::uint64_t bytes) : free_(bytes) {}
  // A quarter of the machine's memory, at least two messages of the largest size.
  static std::uint64_t usual();

  // Whether there was so much.
  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { free_ += bytes; }

 private:
  std::atomic<std::uint64_t> free_;
};

// There is no room for more of a message: a matter of waiting.
class OutOfRoom : public Fault {
 public:
  OutOfRoom();
};

class MessageFile {
 public:
  // So much of each message needs no room: usual mail goes on while large ones have taken
  // all of it.
  static constexpr std::uint64_t kFree = std::uint64_t{1} << 20;

  // Begins with the Received field.  Throws Fault, as do the others, and OutOfRoom.  The
  // room outlives the message; without one there is no bound.
  explicit MessageFile(Time now, MessageRoom* room = nullptr);
  ~MessageFile();
  MessageFile(const MessageFile&) = delete;
  MessageFile& operator=(const MessageFile&) = delete;

  // A header field; `value` as the filter gets it: folded with LF, leading space kept.
  void add_header(std::string_view name, std::string_view value);
  // The empty line after the header.
  void end_header();
  void add(std::string_view bytes);

  std::uint64_t size() const { return written_ + buffer_.size(); }

  // Nothing can be added or changed afterwards, by nobody.  The descriptor is valid as
  // long as this object.
  int seal();

 private:
  void flush();
  void write(std::string_view bytes);

  MessageRoom* const room_;
  std::uint64_t taken_ = 0;  // of the room
  Fd fd_;
  std::string buffer_;
  std::uint64_t written_ = 0;
};

}  // namespace mxfeed::virus
