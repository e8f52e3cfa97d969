// SPDX-License-Identifier: GPL-2.0-or-later
//
// Returns freed memory to the system.  The allocator keeps it: after one large message a
// process would stay large.

#pragma once

#include <cstdint>

#include "common/base/file.h"

namespace mxfeed {

// Watches the memory of its process and returns what has been freed.  Used by one thread
// only.
class MemoryTrimmer {
 public:
  // Growth of up to `slack` bytes since the last trim() is left alone: returning memory
  // and asking for it again takes time.
  explicit MemoryTrimmer(std::uint64_t slack);

  // Returns freed memory if the process has grown by more than the slack.  The result is
  // how many bytes larger the process now is than when this object was made.
  std::uint64_t trim();

 private:
  std::uint64_t resident() const;

  const std::uint64_t slack_;
  const Fd statm_;
  const std::uint64_t begin_;
  std::uint64_t level_;  // after the last trim()
};

}  // namespace mxfeed
