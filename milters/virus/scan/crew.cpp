// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/crew.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "common/base/fault.h"

namespace mxfeed::virus {

Crew::Crew() {
  int ends[2];
  void* const at = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED || ::pipe2(ends, O_CLOEXEC) != 0) {
    throw Fault("start workers", "shared memory", errno_text(errno));
  }
  shared_ = new (at) Shared();
  lifeline_read_.reset(ends[0]);
  lifeline_write_.reset(ends[1]);
}

Crew::~Crew() {
  ::munmap(shared_, sizeof *shared_);
}

void Crew::stop(bool drains) {
  shared_->drains = drains;
  lifeline_write_.reset();
}

}  // namespace mxfeed::virus
