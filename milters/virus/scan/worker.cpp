// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "milters/virus/scan/scratch.h"

namespace mxfeed::virus {
namespace {

// How long a client may take to send its request: it does so at once.
constexpr int kRequestSeconds = 2;
constexpr int kLookMilliseconds = 1000;

struct Request {
  ScanRequest head;
  Fd message;
};

// Nothing if it is not exactly one request with one descriptor; what else came along is
// closed.
std::optional<Request> receive(int connection) {
  char datagram[kMaxDatagram + 1];
  iovec bytes{datagram, sizeof datagram};
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const ssize_t got = ::recvmsg(connection, &header, MSG_CMSG_CLOEXEC);
  if (got < 0) return std::nullopt;
  Request request;
  bool one = true;
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr;
       at = CMSG_NXTHDR(&header, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= at->cmsg_len; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
      if (request.message) one = false;
      request.message.reset(fd);
    }
  }
  if (!one || !request.message || (header.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) {
    return std::nullopt;
  }
  const auto head = decode_request({datagram, static_cast<std::size_t>(got)});
  if (!head) return std::nullopt;
  request.head = *head;
  return request;
}

// The message in memory, as long as this object lives.
class Mapping {
 public:
  // Throws Fault if the descriptor is not a sealed memfd of that size: a file that
  // shrinks would kill the worker.
  Mapping(int fd, std::uint64_t size) : size_(size) {
    constexpr int kNeeded = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    const int seals = ::fcntl(fd, F_GET_SEALS);
    struct stat found {};
    if (seals < 0 || (seals & kNeeded) != kNeeded || ::fstat(fd, &found) != 0 ||
        static_cast<std::uint64_t>(found.st_size) != size || size == 0) {
      throw Fault("take message", "memfd", "not sealed or not of the announced size");
    }
    // Linux before 6.7 refuses to share what is sealed against writing.
    at_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (at_ == MAP_FAILED) throw Fault("take message", "mmap", errno_text(errno));
  }
  ~Mapping() { ::munmap(at_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::string_view bytes() const { return {static_cast<const char*>(at_), size_}; }

 private:
  void* at_;
  std::size_t size_;
};

// A client that gave up while it waited in the queue.
bool is_gone(int connection) {
  pollfd watched{connection, 0, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & (POLLHUP | POLLERR)) != 0;
}

void serve(Engine& engine, const WorkerTask& task, int connection) {
  const timeval limit{kRequestSeconds, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  auto request = receive(connection);
  if (!request) {
    ++task.board.bad_requests;
    log(Severity::warning, LogFields().add("event", "request").add("fault", "rubbish"));
    return;
  }
  if (is_gone(connection)) {
    ++task.board.gone_clients;
    return;
  }
  ::alarm(static_cast<unsigned>(task.hard_limit.count()));
  const auto begin = std::chrono::steady_clock::now();
  ScanResult result;
  try {
    const Mapping message(request->message.get(), request->head.size);
    result = engine.scan(message.bytes());
  } catch (const std::exception& error) {
    result.verdict = ScanVerdict::error;
    result.name = error.what();
  }
  ::alarm(0);
  task.board.scan_micros +=
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                     std::chrono::steady_clock::now() - begin)
                                     .count());
  ++task.board.results[static_cast<std::size_t>(result.verdict)];
  task.board.parts_fed += result.parts_fed;
  if (result.parts_fed > 0) ++task.board.mails_fed;
  if (result.verdict == ScanVerdict::error) {
    if (result.name.starts_with("temporary directory")) {
      ++task.board.scratch_faults;
      make_scratch(task.scratch);  // what was removed under us comes back
    }
    log(Severity::error, LogFields().add("event", "scan").add("fault", result.name));
  }
  const std::string answer = encode(result);
  ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
}

// Throws Fault.
void watch(const Fd& ready, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(ready.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw Fault("watch for requests", "epoll", errno_text(errno));
  }
}

}  // namespace

int run_worker(Engine& engine, const WorkerTask& task) {
  make_scratch(task.scratch);
  engine.use_directory(task.scratch);
  // One connection wakes one worker.  Should that one end or die before it looks, nobody
  // else is woken for it, so an idle one looks now and then of its own accord.
  const Fd ready(::epoll_create1(EPOLL_CLOEXEC));
  if (!ready) throw Fault("watch for requests", "epoll", errno_text(errno));
  watch(ready, task.lifeline, EPOLLIN);
  watch(ready, task.listener, EPOLLIN | EPOLLEXCLUSIVE);
  for (unsigned served = 0; served < task.scans;) {
    epoll_event seen[2];
    const int count = ::epoll_wait(ready.get(), seen, 2, kLookMilliseconds);
    if (count < 0 && errno != EINTR) return 1;
    bool ends = false;
    for (int i = 0; i < count; ++i) {
      if (seen[i].data.fd == task.lifeline) {
        ends = true;
      } else if ((seen[i].events & (EPOLLERR | EPOLLHUP)) != 0) {
        return 1;
      }
    }
    if (ends && !task.drains) break;
    const Fd connection(::accept4(task.listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection && ends) break;
    if (!connection) continue;  // another worker was faster
    serve(engine, task, connection.get());
    ++served;
  }
  return 0;
}

}  // namespace mxfeed::virus
