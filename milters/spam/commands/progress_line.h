// SPDX-License-Identifier: GPL-2.0-or-later
//
// How far a command is, for people who wait at a terminal.

#pragma once

#include <cstddef>
#include <string_view>

namespace mxfeed::spam {

// A line on standard error, if that is a terminal; it goes with the object.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Every hundredth count is shown.
  void show(std::string_view what, std::size_t count);

 private:
  const bool is_terminal_;
  bool is_shown_ = false;
};

}  // namespace mxfeed::spam
