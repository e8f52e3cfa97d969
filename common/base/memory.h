// SPDX-License-Identifier: GPL-2.0-or-later
//
// The allocator keeps what is freed: after one large message a process would stay large.

#pragma once

#include <cstdint>

#include "common/base/file.h"

namespace mxfeed {

// Watches the memory of its process and gives back what has been freed.  For one thread.
class MemoryTrimmer {
 public:
  // `slack` bytes more than there were after the last time are left alone: giving back
  // and fetching again takes time.
  explicit MemoryTrimmer(std::uint64_t slack);

  // Gives back if the process has grown by more than the slack.  Returns by how many
  // bytes it is then larger than when this object was made.
  std::uint64_t trim();

 private:
  std::uint64_t resident() const;

  const std::uint64_t slack_;
  const Fd statm_;
  const std::uint64_t begin_;
  std::uint64_t level_;  // after the last time
};

}  // namespace mxfeed
