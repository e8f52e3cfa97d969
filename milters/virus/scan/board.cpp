// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/board.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/fault.h"

namespace mxfeed::virus {

Fd make_board() {
  Fd fd(::memfd_create("board", MFD_CLOEXEC));
  if (!fd || ::ftruncate(fd.get(), sizeof(Board)) != 0) {
    throw Fault("share counters", "memfd", errno_text(errno));
  }
  return fd;
}

Board& map_board(int fd) {
  void* const at =
      ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) throw Fault("share counters", "mmap", errno_text(errno));
  return *static_cast<Board*>(at);
}

}  // namespace mxfeed::virus
