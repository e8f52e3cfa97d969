// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/client.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/unix_socket.h"

namespace mxfeed::virus {
namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kProgressEvery{10'000};

milliseconds left_until(Monotonic::time_point deadline) {
  return std::max(milliseconds(0),
                  std::chrono::duration_cast<milliseconds>(deadline - Monotonic::now()));
}

// Waits when the queue of the listening socket is full.
Fd connect_to(const std::filesystem::path& path, Monotonic::time_point deadline,
              const std::function<void()>& progress) {
  for (;;) {
    auto fd = connect_unix("ask scan service", path, SOCK_SEQPACKET,
                           std::min(kProgressEvery, left_until(deadline)));
    if (fd) return *std::move(fd);
    if (left_until(deadline) == milliseconds(0)) {
      throw Fault("ask scan service", path.string(),
                  "timed out, the queue of the scan service is full");
    }
    progress();
  }
}

}  // namespace

WorkerLost::WorkerLost(const std::filesystem::path& socket)
    : Fault("wait for scan", socket.native(), "the worker ended without an answer") {}

ScanResult ScanClient::scan(MessageFile& message, bool lists_attachments,
                            std::chrono::seconds patience,
                            const std::function<void()>& progress,
                            const std::function<bool()>& on_loss) const {
  const Deadline deadline = Monotonic::now() + patience;
  for (bool again = false;; again = true) {
    const auto answer = ask(message, lists_attachments, deadline, progress);
    if (const auto* result = std::get_if<ScanResult>(&answer)) return *result;
    if (std::get<NoAnswer>(answer) == NoAnswer::worker_lost) {
      if (!on_loss() || again) throw WorkerLost(socket_);
    } else if (again) {
      throw Fault("wait for scan", socket_.native(), errno_text(ECONNRESET));
    }
  }
}

std::variant<ScanResult, ScanClient::NoAnswer> ScanClient::ask(
    MessageFile& message, bool lists_attachments, Deadline deadline,
    const std::function<void()>& progress) const {
  const int sealed = message.seal();
  const Fd fd = connect_to(socket_, deadline, progress);
  if (!send_with_descriptor(
          fd.get(), encode(ScanRequest{message.size(), lists_attachments}), sealed)) {
    if (errno == EPIPE || errno == ECONNRESET) return NoAnswer::not_taken;
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
      throw Fault("wait for scan", socket_.native(), "timed out");
    }
    progress();
  }
  char datagram[kMaxResult + 1];
  const ssize_t got = ::recv(fd.get(), datagram, sizeof datagram, 0);
  // unix(7): this error, not the end, if the request was not read.
  if (got < 0 && errno == ECONNRESET) return NoAnswer::not_taken;
  if (got < 0) throw Fault("wait for scan", socket_.native(), errno_text(errno));
  if (got == 0) return NoAnswer::worker_lost;
  const auto result = decode_result({datagram, static_cast<std::size_t>(got)});
  if (!result) throw Fault("wait for scan", socket_.native(), "malformed answer");
  return *result;
}

}  // namespace mxfeed::virus
