// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/session_threads.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <memory>
#include <new>
#include <string>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/milter/libmilter_io.h"

// libmilter's, not declared in mfapi.h.
struct smfi_str;
extern "C" int mi_engine(smfi_str* context);
extern "C" void mi_clr_ctx(smfi_str* context);

namespace mxfeed {
namespace {

constexpr int kSuccess = 0;   // MI_SUCCESS
constexpr int kContinue = 1;  // MI_CONTINUE: nothing to read just now
constexpr std::size_t kStack = std::size_t{1} << 20;

constexpr std::size_t kMostSessions = 10'000;
// Reserved for everything else: log, status socket, stores, resolvers and their threads.
constexpr std::uint64_t kOtherDescriptors = 64;
constexpr std::uint64_t kOtherThreads = 128;
constexpr std::uint64_t kDescriptorsOfSession = 3;

std::atomic<std::size_t> most_sessions{kMostSessions};

Metric& sessions() {
  static Metric& metric = gauge("mxfeed_sessions");
  return metric;
}

std::uint64_t above(std::uint64_t limit, std::uint64_t reserved) {
  return limit > reserved ? limit - reserved : 0;
}

std::optional<std::uint64_t> soft_limit(const rlimit& limit) {
  if (limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

// The lowest pids.max of our cgroup (cgroups(7), version 2) and those above it.
std::optional<std::uint64_t> task_limit() {
  std::optional<std::uint64_t> lowest;
  try {
    const auto own = read_file("/proc/self/cgroup");
    const auto begin = own ? own->find("0::/") : std::string::npos;
    if (begin == std::string::npos || (begin > 0 && (*own)[begin - 1] != '\n')) {
      return lowest;
    }
    const std::size_t path = begin + 4;
    const std::filesystem::path root = "/sys/fs/cgroup";
    auto group = root / own->substr(path, own->find('\n', path) - path);
    for (;; group = group.parent_path()) {
      const auto text = read_file(group / "pids.max");
      std::uint64_t tasks = 0;
      if (text && std::from_chars(text->data(), text->data() + text->size(), tasks).ec ==
                      std::errc{}) {
        lowest = std::min(lowest.value_or(tasks), tasks);
      }
      if (group == root || !group.has_relative_path()) return lowest;
    }
  } catch (const Fault&) {
    return lowest;  // not readable: no known limit
  }
}

struct Start {
  smfi_str* context;
  int fd;
};

void* run_session(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  SessionIo io(start->fd);
  {
    const ThreadSession thread(io);
    while (mi_engine(start->context) == kContinue) continue;
    mi_clr_ctx(start->context);
  }
  if (io.loss()) report(*io.loss());
  sessions().subtract();
  return nullptr;
}

// Returns 0, or an errno value if the session was not started.
int start_thread(smfi_str* context) {
  std::unique_ptr<Start> start(new (std::nothrow) Start{context, last_accepted()});
  if (!start) return ENOMEM;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, run_session, start.get());
  pthread_attr_destroy(&attributes);
  if (error == 0) static_cast<void>(start.release());
  return error;
}

}  // namespace

Resources Resources::of_this_process() {
  Resources resources;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) resources.descriptors = soft_limit(limit);
  // The kernel does not apply this limit to root.
  if (::geteuid() != 0 && ::getrlimit(RLIMIT_NPROC, &limit) == 0) {
    resources.processes = soft_limit(limit);
  }
  resources.tasks = task_limit();
  return resources;
}

SessionLimit session_limit(const Resources& resources) {
  SessionLimit found{kMostSessions, "default"};
  const auto bound = [&](std::optional<std::uint64_t> limit, std::uint64_t reserved,
                         std::uint64_t each, std::string_view name) {
    if (!limit) return;
    // Always at least one: a milter that accepts no session at all would be hard to
    // diagnose.
    const auto sessions = std::max<std::uint64_t>(above(*limit, reserved) / each, 1);
    if (sessions < found.sessions) found = {static_cast<std::size_t>(sessions), name};
  };
  bound(resources.descriptors, kOtherDescriptors, kDescriptorsOfSession, "descriptors");
  bound(resources.processes, kOtherThreads, 1, "processes");
  bound(resources.tasks, kOtherThreads, 1, "tasks");
  return found;
}

void limit_sessions(const SessionLimit& limit) {
  most_sessions = limit.sessions;
  gauge("mxfeed_sessions_max").set(limit.sessions);
  log(Severity::info, LogFields()
                          .add("event", "limit")
                          .add("sessions", limit.sessions)
                          .add("bound_by", limit.bound_by));
}

bool has_room_for_session() {
  return sessions().value() < most_sessions;
}

}  // namespace mxfeed

extern "C" int mi_pool_controller_init() {
  return mxfeed::kSuccess;
}

// If no thread can be started, the connection is closed and the result is still success:
// after a failure libmilter sleeps for 1, 2, 3 ... seconds, and it ends after the
// sixteenth.
extern "C" int mi_start_session(smfi_str* context) {
  mxfeed::sessions().add();
  if (const int error = mxfeed::start_thread(context); error != 0) {
    mxfeed::sessions().subtract();
    mxfeed::report(mxfeed::SessionLoss::threads, error);
    mi_clr_ctx(context);
  }
  return mxfeed::kSuccess;
}
