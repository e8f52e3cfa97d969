// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/zygote_process.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/base/fault.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/base/unix_socket.h"

namespace mxfeed::virus {
namespace {

// A line such as "VmRSS:\t  512 kB" of proc(5), /proc/PID/status, in bytes.
std::uint64_t memory_of(pid_t pid, std::string_view key) {
  const auto text = read_file(fmt::format("/proc/{}/status", pid)).value_or("");
  for (const auto line : split(text, '\n')) {
    if (!line.starts_with(key)) continue;
    auto value = trim(line.substr(key.size()));
    value = value.substr(0, value.find(' '));
    return parse_unsigned(value).value_or(0) * 1024;
  }
  return 0;
}

}  // namespace

ZygoteProcess::ZygoteProcess(const ZygoteTask& task, int listener, int board, Instant now)
    : started_(now), workers_(task.settings.workers) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw Fault("start zygote", "socket pair", errno_text(errno));
  }
  control_.reset(ends[0]);
  const Fd theirs(ends[1]);
  const PassedFd passed[] = {
      {listener, kZygoteListener}, {theirs.get(), kZygoteControl}, {board, kZygoteBoard}};
  // The same program, even if the file was replaced by an upgrade.
  pid_ = spawn("/proc/self/exe", to_arguments(task), passed);
}

std::uint64_t ZygoteProcess::memory() const {
  return memory_of(pid_, "VmRSS:");
}

std::uint64_t ZygoteProcess::most_memory() const {
  return memory_of(pid_, "VmHWM:");
}

std::optional<ZygoteReport> ZygoteProcess::receive() {
  char text[kMaxZygoteReport];
  const ssize_t got = ::recv(control_.get(), text, sizeof text, MSG_DONTWAIT);
  if (got > 0) {
    auto report = parse_zygote_report({text, static_cast<std::size_t>(got)});
    if (report) {
      if (const auto* ready = std::get_if<EngineReady>(&*report)) engine_ = *ready;
    }
    return report;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    kill();
    ::poll(nullptr, 0, 10);  // no busy loop until it is reaped
  }
  return std::nullopt;
}

std::optional<std::string> ZygoteProcess::cause_of_end() {
  std::optional<std::string> cause;
  char text[kMaxZygoteReport];
  for (ssize_t got;
       (got = ::recv(control_.get(), text, sizeof text, MSG_DONTWAIT)) > 0;) {
    const auto report = parse_zygote_report({text, static_cast<std::size_t>(got)});
    if (!report) continue;
    if (const auto* failed = std::get_if<LoadFailed>(&*report)) cause = failed->cause;
  }
  return cause;
}

void ZygoteProcess::order(ZygoteOrder order) const {
  const std::string_view text = to_string(order);
  ::send(control_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void ZygoteProcess::pass_listener(int listener) const {
  send_with_descriptor(control_.get(), to_string(ZygoteOrder::listen), listener);
}

void ZygoteProcess::kill() const {
  ::kill(pid_, SIGKILL);
}

}  // namespace mxfeed::virus
