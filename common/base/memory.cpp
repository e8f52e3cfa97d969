// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace mxfeed {

MemoryTrimmer::MemoryTrimmer(std::uint64_t slack)
    : slack_(slack),
      statm_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)),
      begin_(resident()),
      level_(begin_) {}

std::uint64_t MemoryTrimmer::trim() {
  std::uint64_t now = resident();
  if (now > level_ + slack_) {
    ::malloc_trim(0);
    now = level_ = resident();
  }
  level_ = std::min(level_, now);
  return now - std::min(now, begin_);
}

// Resident memory without shared pages (files, tmpfs); 0 if it is unknown.
std::uint64_t MemoryTrimmer::resident() const {
  // proc(5): size, resident, shared, ..., in pages.
  char text[128];
  const ssize_t got = ::pread(statm_.get(), text, sizeof text, 0);
  if (got <= 0) return 0;
  std::uint64_t pages[3] = {};
  const char* at = text;
  const char* const end = text + got;
  for (std::uint64_t& one : pages) {
    at = std::find_if(at, end, [](char c) { return c != ' '; });
    at = std::from_chars(at, end, one).ptr;
  }
  static const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return (pages[1] - std::min(pages[1], pages[2])) * page_size;
}

}  // namespace mxfeed
