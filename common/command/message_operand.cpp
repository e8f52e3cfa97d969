// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/message_operand.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/command/exit_code.h"

namespace mxfeed {
namespace {

[[noreturn]] void unreadable(const std::string& file, std::string_view cause) {
  throw CommandError(ExitCode::wrong,
                     fmt::format("read: {}: {}", escape_untrusted(file), cause));
}

}  // namespace

std::string read_operand(const std::string& file, std::size_t most) {
  Fd opened;
  int fd = STDIN_FILENO;
  if (file != "-") {
    opened.reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) unreadable(file, errno_text(errno));
    fd = opened.get();
  }
  std::string content;
  struct stat found {};
  if (::fstat(fd, &found) == 0 && found.st_size > 0) {
    content.reserve(std::min(static_cast<std::size_t>(found.st_size), most) + 1);
  }
  char buffer[65536];
  while (content.size() <= most) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) unreadable(file, errno_text(errno));
    if (got == 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  if (content.size() > most) content.resize(most + 1);
  return content;
}

}  // namespace mxfeed
