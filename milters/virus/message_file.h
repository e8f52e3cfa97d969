// SPDX-License-Identifier: GPL-2.0-or-later
//
// A message on its way to the scan service: collected piece by piece in a memfd.
//
// Before the sender's first header field stands a Received field of ours.  libclamav
// types its input by the first bytes, and the sender picks those: a first header field
// "MZ: 1" would make a program of the mail and hide its attachments, and a line "From "
// a mailbox.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/file.h"

namespace mxfeed::virus {

class MessageFile {
 public:
  // Begins with the Received field.  Throws Fault, as do the others.
  explicit MessageFile(Time now);

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

  Fd fd_;
  std::string buffer_;
  std::uint64_t written_ = 0;
};

}  // namespace mxfeed::virus
