// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the lines of a FILE operand of any size.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/file.h"
#include "common/base/line_splitter.h"

namespace mxfeed {

class LineOperand {
 public:
  static constexpr std::size_t kMostLine = 64 << 10;

  // Opens the file, or takes standard input for "-".  Throws CommandError.
  explicit LineOperand(const std::string& file);

  // What a file begins with, up to `most` bytes; nothing of standard input.
  std::string beginning(std::size_t most) const;

  // Shows each line, without its LF, and returns how many were left out because they are
  // longer than kMostLine.  To be called once.  Throws CommandError.
  std::size_t each(const LineSplitter::See& see);

 private:
  int fd() const;
  [[noreturn]] void unreadable() const;

  const std::string file_;
  Fd opened_;
};

}  // namespace mxfeed
