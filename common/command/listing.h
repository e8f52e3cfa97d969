// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a command prints: rows as a table for people or as JSON for programs, from the
// same values.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/json.h"

namespace mxfeed {

struct Column {
  std::string_view key;  // of JSON; the heading is the key in capitals, ' ' for '_'
  std::size_t width;     // minimum
  bool right = false;    // aligned right, for numbers
};

// Prints each row at once, so that there may be millions.
class Listing {
 public:
  Listing(std::vector<Column> columns, bool json);
  // Ends the list.
  ~Listing();
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

  // Prints a row: one value for each column.  In a table, true is "yes", null and false
  // are "-"; text is escaped.
  void row(const std::vector<Json>& values);

 private:
  const std::vector<Column> columns_;
  const bool json_;
  bool empty_ = true;
};

// "2026-11-02T10:00:00Z"
std::string utc(Time time);

// "1 domain", "2 domains".
std::string count_of(std::size_t count, std::string_view noun);

}  // namespace mxfeed
