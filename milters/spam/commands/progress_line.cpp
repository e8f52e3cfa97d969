// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace mxfeed::spam {

ProgressLine::ProgressLine() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (is_shown_) fmt::print(stderr, "\r\x1b[K");
}

void ProgressLine::show(std::string_view what, std::size_t count) {
  if (!is_terminal_ || count % 100 != 0) return;
  fmt::print(stderr, "\r\x1b[K{} {}", what, count);
  is_shown_ = true;
}

}  // namespace mxfeed::spam
