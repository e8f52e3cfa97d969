// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/read_ahead.h"

#include <dlfcn.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace mxfeed {
namespace {

// What has been read from a descriptor and not yet been asked for.  libmilter gives a
// session from thread to thread, under its locks; only one at a time reads or waits.
struct Ahead {
  std::size_t begin = 0, end = 0;
  std::array<char, 8192> bytes;  // Postfix writes 4 kB at a time

  bool empty() const { return begin == end; }
};

// A descriptor with a higher number is not read ahead.
constexpr std::size_t kDescriptors = 65'536;

std::atomic<bool> started{false};
std::array<std::atomic<Ahead*>, kDescriptors> buffers{};

std::atomic<Ahead*>* place_of(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  return fd >= 0 && index < kDescriptors ? &buffers[index] : nullptr;
}

Ahead* buffer_of(int fd) {
  const auto* const place = place_of(fd);
  return place != nullptr ? place->load(std::memory_order_acquire) : nullptr;
}

// Whether what is held answers the question.  That the peer has gone is said when all it
// sent has been read.
bool is_ready(const pollfd& watched) {
  if ((watched.events & POLLIN) == 0) return false;
  const Ahead* const ahead = buffer_of(watched.fd);
  return ahead != nullptr && !ahead->empty();
}

// The function that stands behind ours: the C library's, or a sanitizer's.
template <typename Function>
Function* behind(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void start_reading_ahead() {
  started = true;
}

}  // namespace mxfeed

extern "C" int poll(pollfd* watched, nfds_t count, int timeout) {
  static auto* const real = mxfeed::behind(&::poll, "poll");
  nfds_t ready = 0;
  for (nfds_t i = 0; i < count; ++i) ready += mxfeed::is_ready(watched[i]) ? 1 : 0;
  if (ready == 0) return real(watched, count, timeout);
  // A session by itself, which is only asked whether there is something to read.
  if (count == 1 && (watched->events & ~(POLLIN | POLLPRI)) == 0) {
    watched->revents = POLLIN;
    return 1;
  }
  if (real(watched, count, 0) < 0) return -1;
  int total = 0;
  for (nfds_t i = 0; i < count; ++i) {
    if (mxfeed::is_ready(watched[i])) watched[i].revents |= POLLIN;
    if (watched[i].revents != 0) ++total;
  }
  return total;
}

extern "C" ssize_t read(int fd, void* to, std::size_t size) {
  static auto* const real = mxfeed::behind(&::read, "read");
  mxfeed::Ahead* const ahead = mxfeed::buffer_of(fd);
  if (ahead == nullptr || size == 0) return real(fd, to, size);
  if (ahead->empty()) {
    if (size >= ahead->bytes.size()) return real(fd, to, size);
    const ssize_t got = real(fd, ahead->bytes.data(), ahead->bytes.size());
    if (got <= 0) return got;
    ahead->begin = 0;
    ahead->end = static_cast<std::size_t>(got);
  }
  const std::size_t given = std::min(size, ahead->end - ahead->begin);
  std::memcpy(to, ahead->bytes.data() + ahead->begin, given);
  ahead->begin += given;
  return static_cast<ssize_t>(given);
}

// What a libmilter that is built with _FORTIFY_SOURCE may call instead: both ways must
// lead to the same bytes.  The names are the C library's.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" ssize_t __read_chk(int fd, void* to, std::size_t size, std::size_t room) {
  if (size > room) std::abort();
  return read(fd, to, size);
}
extern "C" int __poll_chk(pollfd* watched, nfds_t count, int timeout, std::size_t room) {
  if (count > room / sizeof *watched) std::abort();
  return poll(watched, count, timeout);
}
// NOLINTEND(bugprone-reserved-identifier)

extern "C" int accept(int listener, sockaddr* address, socklen_t* size) {
  static auto* const real = mxfeed::behind(&::accept, "accept");
  const int fd = real(listener, address, size);
  if (!mxfeed::started) return fd;
  // Without memory it is read as ever.
  if (auto* const place = mxfeed::place_of(fd)) {
    delete place->exchange(new (std::nothrow) mxfeed::Ahead);
  }
  return fd;
}

extern "C" int close(int fd) {
  static auto* const real = mxfeed::behind(&::close, "close");
  // Before the number can be given to somebody else.
  if (mxfeed::buffer_of(fd) != nullptr) {
    delete mxfeed::place_of(fd)->exchange(nullptr);
  }
  return real(fd);
}
