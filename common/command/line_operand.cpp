// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/line_operand.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/command/exit_code.h"

namespace mxfeed {

LineOperand::LineOperand(const std::string& file) : file_(file) {
  if (file == "-") return;
  opened_.reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened_) unreadable();
}

std::string LineOperand::beginning(std::size_t most) const {
  if (!opened_) return {};
  std::string text(most, '\0');
  const auto got = ::pread(opened_.get(), text.data(), text.size(), 0);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

std::size_t LineOperand::each(const LineSplitter::See& see) {
  LineSplitter lines(kMostLine);
  std::array<char, 64 << 10> buffer;
  for (;;) {
    const auto got = ::read(fd(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) unreadable();
    if (got == 0) break;
    lines.feed({buffer.data(), static_cast<std::size_t>(got)}, see);
  }
  lines.finish(see);
  return lines.left_out();
}

int LineOperand::fd() const {
  return opened_ ? opened_.get() : STDIN_FILENO;
}

void LineOperand::unreadable() const {
  throw CommandError(ExitCode::wrong, fmt::format("read: {}: {}", escape_untrusted(file_),
                                                  errno_text(errno)));
}

}  // namespace mxfeed
