// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is sent of a held message: as it came, without the fields that our filters have
// added, and with dots doubled (RFC 5321, 4.5.2).  Pure.

#pragma once

#include <string>
#include <string_view>

namespace mxfeed::quarantine {

class ReleasedContent {
 public:
  // What is to be sent for the next octets of the content.
  std::string next(std::string_view octets);
  // What is to be sent at its end: the rest, and the line of one dot.
  std::string finish();

 private:
  void line(std::string_view text, std::string& out);

  // Fields with longer lines are not ours.
  static constexpr std::size_t kMaxLine = 64 * 1024;

  std::string pending_;  // the beginning of a line, while its end matters
  bool in_header_ = true;
  bool is_dropped_ = false;  // the field that the next lines may continue
  bool at_line_start_ = true;
};

}  // namespace mxfeed::quarantine
