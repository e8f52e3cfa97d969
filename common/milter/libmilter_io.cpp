// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/libmilter_io.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/milter/listener.h"

namespace mxfeed {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The largest that any version of the protocol allows (SMFIP_MDS_1M); libmilter itself
// allows less.
constexpr std::size_t kMaxPacket = (std::size_t{1} << 20) + 1;
constexpr unsigned char kMacros = 'D';  // SMFIC_MACRO

thread_local SessionIo* session = nullptr;
thread_local int accepted = -1;

void set_timeout(int fd, int option, milliseconds limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
  const timeval value{seconds.count(),
                      std::chrono::microseconds(limit - seconds).count()};
  ::setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}

SessionIo* session_of(int fd) {
  return session != nullptr && session->fd() == fd ? session : nullptr;
}

}  // namespace

bool PacketWatch::begin_packet() {
  const std::size_t size = std::size_t{head_[0]} << 24 | std::size_t{head_[1]} << 16 |
                           std::size_t{head_[2]} << 8 | head_[3];
  if (size == 0 || size > kMaxPacket) return false;
  left_ = size - 1;
  stage_seen_ = string_open_ = false;
  strings_ = 0;
  return true;
}

bool PacketWatch::end_packet() {
  head_size_ = 0;
  return head_[4] != kMacros || (strings_ % 2 == 0 && !string_open_);
}

bool PacketWatch::follow(std::span<const char> bytes) {
  while (!bytes.empty()) {
    if (head_size_ < head_.size()) {
      head_[head_size_++] = static_cast<unsigned char>(bytes.front());
      bytes = bytes.subspan(1);
      if (head_size_ < head_.size()) continue;
      if (!begin_packet()) return false;
    } else {
      auto data = bytes.first(std::min(bytes.size(), left_));
      bytes = bytes.subspan(data.size());
      left_ -= data.size();
      if (head_[4] == kMacros) {
        if (!stage_seen_) data = data.subspan(1);
        stage_seen_ = true;
        strings_ += static_cast<std::size_t>(std::count(data.begin(), data.end(), '\0'));
        if (!data.empty()) string_open_ = data.back() != '\0';
      }
    }
    if (left_ == 0 && !end_packet()) return false;
  }
  return true;
}

SessionIo::SessionIo(int fd, SessionTimeouts timeouts) : fd_(fd), timeouts_(timeouts) {
  set_timeout(fd, SO_RCVTIMEO, timeouts.silence);
  set_timeout(fd, SO_SNDTIMEO, timeouts.packet);
}

std::size_t SessionIo::end(std::optional<SessionLoss> loss) {
  ended_ = true;
  loss_ = loss;
  return 0;
}

// Waits for the rest of a packet; false if it times out.
bool SessionIo::wait_for_rest() {
  if (!deadline_) deadline_ = steady_clock::now() + timeouts_.packet;
  const auto left =
      std::chrono::ceil<milliseconds>(*deadline_ - steady_clock::now()).count();
  pollfd watched{fd_, POLLIN, 0};
  return left > 0 && ::poll(&watched, 1, static_cast<int>(left)) != 0;
}

std::size_t SessionIo::receive(std::span<char> to) {
  for (;;) {
    const bool in_packet = packets_.in_packet();
    const ssize_t got = ::recv(fd_, to.data(), to.size(), in_packet ? MSG_DONTWAIT : 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
      return end(std::nullopt);
    }
    if (!in_packet) return end(SessionLoss::silent);
    if (!wait_for_rest()) return end(SessionLoss::unfinished_packet);
  }
}

std::size_t SessionIo::read(std::span<char> to) {
  if (ended_ || to.empty()) return 0;
  std::size_t given = 0;
  if (begin_ == filled_ && to.size() >= buffer_.size()) {
    given = receive(to);
    if (given == 0) return 0;
  } else {
    if (begin_ == filled_) {
      begin_ = 0;
      filled_ = receive(buffer_);
      if (filled_ == 0) return 0;
    }
    given = std::min(to.size(), filled_ - begin_);
    std::memcpy(to.data(), buffer_.data() + begin_, given);
    begin_ += given;
  }
  if (!packets_.follow(to.first(given))) return end(SessionLoss::malformed_packet);
  if (!packets_.in_packet()) deadline_.reset();
  return given;
}

ssize_t SessionIo::write(std::span<const iovec> pieces) const {
  const ssize_t written = ::writev(fd_, pieces.data(), static_cast<int>(pieces.size()));
  // libmilter would try again at once.
  if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) errno = ETIMEDOUT;
  return written;
}

ThreadSession::ThreadSession(SessionIo& io) {
  session = &io;
}

ThreadSession::~ThreadSession() {
  session = nullptr;
}

int last_accepted() {
  return accepted;
}

}  // namespace mxfeed

// What libmilter calls; its source is C.

extern "C" ssize_t mxfeed_milter_read(int fd, void* to, std::size_t size) {
  auto* const io = mxfeed::session_of(fd);
  if (io == nullptr) return ::read(fd, to, size);
  return static_cast<ssize_t>(io->read({static_cast<char*>(to), size}));
}

extern "C" ssize_t mxfeed_milter_writev(int fd, const iovec* pieces, int count) {
  const auto* const io = mxfeed::session_of(fd);
  if (io == nullptr) return ::writev(fd, pieces, count);
  return io->write({pieces, static_cast<std::size_t>(count)});
}

// libmilter polls a session before every read and write; these block, so the answer is
// always yes.  A closed connection is not reported here, or libmilter would not read what
// the peer had sent before.
extern "C" int mxfeed_milter_poll(pollfd* watched, nfds_t count, int timeout) {
  if (count != 1) return ::poll(watched, count, timeout);
  if (mxfeed::session_of(watched->fd) != nullptr) {
    watched->revents = static_cast<short>(watched->events & (POLLIN | POLLOUT));
    return 1;
  }
  return mxfeed::milter_listener().poll(*watched, timeout);
}

extern "C" int mxfeed_milter_listen(int fd, int backlog) {
  return mxfeed::milter_listener().listen(fd, backlog);
}

extern "C" int mxfeed_milter_accept(int fd, sockaddr* address, socklen_t* size) {
  mxfeed::accepted = mxfeed::milter_listener().accept(fd, address, size);
  return mxfeed::accepted;
}

extern "C" int mxfeed_milter_close(int fd) {
  mxfeed::milter_listener().forget(fd);
  return ::close(fd);
}

// libmilter has a thread that waits for SIGTERM and others; here the service handles
// signals.
extern "C" int mxfeed_milter_sigwait(const sigset_t*, int*) {
  for (;;) ::pause();
}
