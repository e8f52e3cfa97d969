// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/fault.h"

namespace mxfeed::virus {
namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kProgressEvery{10'000};

milliseconds left_until(Monotonic::time_point deadline) {
  return std::max(milliseconds(0),
                  std::chrono::duration_cast<milliseconds>(deadline - Monotonic::now()));
}

void limit_sending(int fd, milliseconds limit) {
  // Zero would mean for ever.
  const auto micros = std::max<long long>(1000, limit.count() * 1000);
  const timeval value{micros / 1'000'000, micros % 1'000'000};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value);
}

// Waits when the queue of the listening socket is full.
Fd connect_to(const std::string& path, Monotonic::time_point deadline,
              const std::function<void()>& progress) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw Fault("ask scan service", path, "path is too long");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  for (;;) {
    Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!fd) throw Fault("ask scan service", path, errno_text(errno));
    limit_sending(fd.get(), std::min(kProgressEvery, left_until(deadline)));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) == 0) {
      return fd;
    }
    if (errno != EAGAIN && errno != EINTR) {
      throw Fault("ask scan service", path, errno_text(errno));
    }
    if (left_until(deadline) == milliseconds(0)) {
      throw Fault("ask scan service", path, "queue is full, time is over");
    }
    progress();
  }
}

bool send_request(int fd, std::string datagram, int message) {
  iovec bytes{datagram.data(), datagram.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &message, sizeof message);
  ssize_t sent;
  do {
    sent = ::sendmsg(fd, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(datagram.size());
}

}  // namespace

ScanResult ScanClient::scan(MessageFile& message, std::chrono::seconds patience,
                            const std::function<void()>& progress) const {
  const Monotonic::time_point deadline = Monotonic::now() + patience;
  const int sealed = message.seal();
  const Fd fd = connect_to(socket_.native(), deadline, progress);
  if (!send_request(fd.get(), encode(ScanRequest{message.size()}), sealed)) {
    throw Fault("ask scan service", socket_.native(), errno_text(errno));
  }
  for (;;) {
    pollfd answer{fd.get(), POLLIN, 0};
    const milliseconds wait = std::min(kProgressEvery, left_until(deadline));
    const int ready = ::poll(&answer, 1, static_cast<int>(wait.count()));
    if (ready < 0 && errno != EINTR) {
      throw Fault("wait for scan", socket_.native(), errno_text(errno));
    }
    if (ready > 0) break;
    if (left_until(deadline) == milliseconds(0)) {
      throw Fault("wait for scan", socket_.native(), "time is over");
    }
    progress();
  }
  char datagram[kMaxDatagram + 1];
  const ssize_t got = ::recv(fd.get(), datagram, sizeof datagram, 0);
  if (got < 0) throw Fault("wait for scan", socket_.native(), errno_text(errno));
  if (got == 0) throw Fault("wait for scan", socket_.native(), "worker ended");
  const auto result = decode_result({datagram, static_cast<std::size_t>(got)});
  if (!result) throw Fault("wait for scan", socket_.native(), "answer is not understood");
  return *result;
}

}  // namespace mxfeed::virus
