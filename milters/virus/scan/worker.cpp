// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <list>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/unix_socket.h"
#include "milters/virus/scan/sandbox.h"
#include "milters/virus/scan/scratch.h"

namespace mxfeed::virus {
namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Most clients send their request at once.
constexpr milliseconds kFirstLook{20};
constexpr milliseconds kPatience{2000};
constexpr std::size_t kMostWaiting = 64;
constexpr milliseconds kLook{1000};
// Freed memory that a worker keeps for the next scan, and the most it may grow by.
constexpr std::uint64_t kMemorySlack = 32ull << 20;
constexpr std::uint64_t kMostGrowth = 64ull << 20;

struct Request {
  ScanRequest head;
  Fd message;
};

// Nothing if it is not exactly one request with one descriptor; all descriptors are
// closed then.
std::optional<Request> parse(Datagram datagram) {
  if (datagram.is_truncated || datagram.descriptors.size() != 1) return std::nullopt;
  const auto head = decode_request(datagram.bytes);
  if (!head) return std::nullopt;
  return Request{*head, std::move(datagram.descriptors[0])};
}

// The message mapped into memory while this object lives.
class Mapping {
 public:
  // Throws Fault if the descriptor is not a sealed memfd of that size: otherwise a file
  // that shrinks would kill the worker.  Throws std::system_error without memory.
  Mapping(int fd, std::uint64_t size) : size_(size) {
    constexpr int kNeeded = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    const int seals = ::fcntl(fd, F_GET_SEALS);
    struct stat found {};
    if (seals < 0 || (seals & kNeeded) != kNeeded || ::fstat(fd, &found) != 0 ||
        static_cast<std::uint64_t>(found.st_size) != size || size == 0) {
      throw Fault("take message", "memfd", "not sealed or not of the announced size");
    }
    // Linux before 6.7 refuses a shared mapping of a file that is sealed against writing.
    at_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (at_ == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(), "take message");
    }
  }
  ~Mapping() { ::munmap(at_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::string_view bytes() const { return {static_cast<const char*>(at_), size_}; }

 private:
  void* at_;
  std::size_t size_;
};

// Whether the client gave up while it waited in the queue.
bool is_gone(int connection) {
  pollfd watched{connection, 0, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & (POLLHUP | POLLERR)) != 0;
}

class Worker {
 public:
  // Throws Fault.
  Worker(Engine& engine, const WorkerTask& task)
      : engine_(engine), task_(task), ready_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!ready_) throw Fault("watch for requests", "epoll", errno_text(errno));
    // A connection wakes one worker only.  If that worker ends before it accepts, no
    // other one is woken, so idle workers try to accept from time to time.
    watch(task_.listener, EPOLLIN | EPOLLEXCLUSIVE);
    watch(task_.lifeline, EPOLLIN);
  }

  // Returns the exit status.
  int run() {
    while (accepts_ || !waiting_.empty()) {
      if (Monotonic::now() - proved_ >= kProofHolds && !prove()) return kEngineLost;
      epoll_event seen[16];
      const int count = ::epoll_wait(ready_.get(), seen, std::size(seen),
                                     static_cast<int>(kLook.count()));
      if (count < 0 && errno != EINTR) return 1;
      for (int i = 0; i < count; ++i) {
        const int fd = seen[i].data.fd;
        if (fd == task_.lifeline) {
          end();
        } else if (fd == task_.listener) {
          if ((seen[i].events & (EPOLLERR | EPOLLHUP)) != 0) return 1;
        } else {
          serve_waiting(fd);
        }
      }
      if (accepts_) accept();
      drop_silent();
    }
    return 0;
  }

 private:
  // Tried twice: a process that is stopped for a while may exceed a time limit.
  bool prove() {
    for (bool again = false;; again = true) {
      try {
        // If temporary space is short, scans have no result either.
        if (engine_.prove()) {
          proved_ = Monotonic::now();
          task_.board.last_proof =
              static_cast<std::uint64_t>(system_time().time_since_epoch().count());
        }
        ++task_.proofs;
        return true;
      } catch (const Fault& fault) {
        if (!again) continue;
        log(Severity::error,
            LogFields().add("event", "engine-lost").add("fault", fault.what()));
        return false;
      }
    }
  }

  // A connection that has not sent its request yet.
  struct Waiting {
    Fd connection;
    Monotonic::time_point deadline;
  };

  void watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(ready_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      throw Fault("watch for requests", "epoll", errno_text(errno));
    }
  }
  void forget(int fd) { ::epoll_ctl(ready_.get(), EPOLL_CTL_DEL, fd, nullptr); }

  // The lifeline was closed.
  void end() {
    forget(task_.lifeline);
    ending_ = true;
    if (!task_.drains) stop_accepting();
  }
  void stop_accepting() {
    if (accepts_) forget(task_.listener);
    accepts_ = false;
  }

  void accept() {
    Fd connection(
        ::accept4(task_.listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection) {  // another worker was faster
      if (ending_) stop_accepting();
      return;
    }
    pollfd watched{connection.get(), POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>(kFirstLook.count())) > 0) {
      return serve(connection.get());
    }
    if (waiting_.size() >= kMostWaiting) drop(waiting_.begin());
    watch(connection.get(), EPOLLIN);
    waiting_.push_back({std::move(connection), Monotonic::now() + kPatience});
  }

  void serve_waiting(int fd) {
    const auto found =
        std::find_if(waiting_.begin(), waiting_.end(),
                     [fd](const Waiting& one) { return one.connection.get() == fd; });
    if (found == waiting_.end()) return;
    const Fd connection = std::move(found->connection);
    waiting_.erase(found);
    forget(fd);
    serve(connection.get());
  }

  // Their requests may have come during the last scan: check once more.
  void drop_silent() {
    while (!waiting_.empty() && waiting_.front().deadline <= Monotonic::now()) {
      pollfd watched{waiting_.front().connection.get(), POLLIN, 0};
      if (::poll(&watched, 1, 0) > 0) {
        serve_waiting(watched.fd);
      } else {
        drop(waiting_.begin());
      }
    }
  }
  void drop(std::list<Waiting>::iterator silent) {
    ++task_.board.silent_clients;
    waiting_.erase(silent);
  }

  void serve(int connection) {
    if (++served_ >= task_.scans) stop_accepting();
    auto datagram = receive_datagram(connection, kMaxRequest + 1);
    auto request = datagram ? parse(*std::move(datagram)) : std::nullopt;
    if (!request) {
      ++task_.board.bad_requests;
      log(Severity::warning,
          LogFields().add("event", "request").add("fault", "malformed request"));
      return;
    }
    if (is_gone(connection)) {
      ++task_.board.gone_clients;
      return;
    }
    const ScanResult result = scan(*request);
    const std::string answer = encode(result);
    ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
    request.reset();
    renew_if_spent(result.fault == ScanFault::engine);
  }

  ScanResult scan(const Request& request) {
    ::alarm(static_cast<unsigned>(task_.hard_limit.count()));
    bound_cpu(task_.hard_limit);
    const auto begin = Monotonic::now();
    ScanResult result;
    try {
      const Mapping message(request.message.get(), request.head.size);
      result =
          engine_.scan(message.bytes(), FeedRule::missed, request.head.lists_attachments);
    } catch (const Fault& fault) {
      result = {ScanVerdict::error, fault.what(), ScanFault::message};
    } catch (const std::exception& error) {
      result = {ScanVerdict::error, error.what(), ScanFault::engine};
    }
    ::alarm(0);
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(Monotonic::now() - begin);
    task_.board.scan_micros += static_cast<std::uint64_t>(took.count());
    ++task_.board.results[static_cast<std::size_t>(result.verdict)];
    task_.board.parts_fed += result.parts_fed;
    if (result.parts_fed > 0) ++task_.board.mails_fed;
    if (result.fault == ScanFault::temporary_space) {
      ++task_.board.scratch_faults;
      make_scratch(task_.scratch);  // creates it again if it was removed
    }
    if (result.verdict == ScanVerdict::error) {
      log(Severity::error, LogFields().add("event", "scan").add("fault", result.name));
    }
    return result;
  }

  // libclamav fragments memory that cannot be returned, and the processor time of a
  // worker's life is limited.  An engine that failed may fail again, out of memory for
  // one.  A fresh worker starts without all that.
  void renew_if_spent(bool has_failed) {
    const bool has_grown = memory_.trim() > kMostGrowth;
    if (!accepts_ || (!has_failed && !has_grown && cpu_used() < kCpuOfWorker)) return;
    ++task_.board.workers_renewed;
    stop_accepting();
  }

  Engine& engine_;
  const WorkerTask& task_;
  const Fd ready_;
  MemoryTrimmer memory_{kMemorySlack};
  std::list<Waiting> waiting_;  // oldest first
  Monotonic::time_point proved_{};
  unsigned served_ = 0;
  bool accepts_ = true;
  bool ending_ = false;
};

}  // namespace

int run_worker(Engine& engine, const WorkerTask& task) {
  make_scratch(task.scratch);
  engine.use_directory(task.scratch);
  return Worker(engine, task).run();
}

}  // namespace mxfeed::virus
