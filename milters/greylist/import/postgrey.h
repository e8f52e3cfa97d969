// SPDX-License-Identifier: GPL-2.0-or-later
//
// What postgrey keeps in its two Berkeley databases, as db5.3_dump(1) prints it, with or
// without -p, or as lines "KEY TAB VALUE".  Pure.
//
//   postgrey.db           NETWORK/SENDER/RECIPIENT -> FIRST,LAST
//   postgrey_clients.db   CLIENT -> PASSES,LAST
//
// A sender has passed if it has come again when the delay of postgrey was over.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "milters/greylist/import/foreign_record.h"

namespace mxfeed::greylist {

class PostgreyReader {
 public:
  // `delay`: postgrey's.
  explicit PostgreyReader(std::chrono::seconds delay) : delay_(delay) {}

  // The record that the line completes; nothing for a line of the header or a key.
  std::optional<ForeignEntry> take(std::string_view line);

  // Whether no dump has been cut off so far.
  bool is_complete() const { return state_ == State::lines; }

 private:
  enum class State : std::uint8_t { lines, header, keys, values };
  std::optional<ForeignEntry> take_dumped(std::string_view line);

  const std::chrono::seconds delay_;
  State state_ = State::lines;
  bool is_hexadecimal_ = false;
  std::optional<std::string> key_;
};

}  // namespace mxfeed::greylist
