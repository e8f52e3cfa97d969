// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/milter_program.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/milter/libmilter.h"
#include "common/milter/session.h"
#include "common/program/service.h"

namespace mxfeed {
namespace {

using Monotonic = std::chrono::steady_clock;

// At a socket that was handed to us new clients wait for the next process while this one
// drains.  Postfix waits 10 seconds (command_timeout), which must do for both.
constexpr std::chrono::seconds kHandedOverDrain{5};

// Time for libmilter to send its answer after the last transaction.
constexpr auto kSettle = std::chrono::milliseconds(200);

// The highest number of sessions follows from this limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::optional<std::string> unix_path(const std::string& socket) {
  for (const std::string_view prefix : {"unix:", "local:"}) {
    if (socket.starts_with(prefix)) return socket.substr(prefix.size());
  }
  return std::nullopt;
}

// Postfix's processes connect as a member of the group postfix.
void open_to_postfix(const std::string& path) {
  if (const group* const postfix = ::getgrnam("postfix"); postfix != nullptr) {
    if (::chown(path.c_str(), static_cast<uid_t>(-1), postfix->gr_gid) != 0) {
      log(Severity::warning,
          LogFields()
              .add("event", "start")
              .add("socket", path)
              .add("fault", "cannot give the socket to the group postfix"));
    }
  }
  if (::chmod(path.c_str(), 0660) != 0) {
    throw Fault("set mode", path, errno_text(errno));
  }
}

// Freed memory that is kept for later transactions.
constexpr std::uint64_t kMemorySlack = 32ull << 20;

class MilterProgram : public Program {
 public:
  MilterProgram(std::string_view name, const ServiceContext& context,
                std::unique_ptr<Daemon> daemon)
      : name_(name),
        socket_(context.options.socket),
        daemon_(std::move(daemon)),
        ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!ended_) throw Fault("start", name_, errno_text(errno));
  }

  void start() override {
    raise_descriptor_limit();
    const ::mode_t old_mask = ::umask(0117);
    open_milter(daemon_->milter(), name_, socket_);
    ::umask(old_mask);
    if (const auto path = unix_path(socket_)) open_to_postfix(*path);
    watch_socket();
    std::thread([this] {
      try {
        serve_milter();
      } catch (const Fault& fault) {
        log(Severity::error, fault.what());
      }
      has_ended_ = true;
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto told = ::write(ended_.get(), &one, sizeof one);
    }).detach();
    started_ = true;
  }

  void watch(std::vector<pollfd>& watched) const override {
    if (!has_ended_) watched.push_back({ended_.get(), POLLIN, 0});
  }
  bool has_ended() const override { return has_ended_ || is_unreachable_; }

  void on_reload(ReloadCause) override { daemon_->on_reload(); }
  void on_tick() override {
    stay_reachable();
    memory_.trim();
    daemon_->on_tick();
  }

  // A successor makes its own unix socket; whoever has connected to ours is still served.
  void begin_drain() override {
    idle_since_ = Monotonic::now();
    try {
      close_listeners();
    } catch (const Fault& fault) {
      log(Severity::error, LogFields().add("event", "drain").add("fault", fault.what()));
    }
  }
  bool is_drained() override {
    if (in_progress() > 0) idle_since_ = Monotonic::now();
    return has_ended_ || Monotonic::now() - idle_since_ >= kSettle;
  }
  std::size_t in_progress() const override { return Session::active_transactions(); }
  std::chrono::seconds drain_limit() const override {
    return socket_.starts_with("fd:") ? kHandedOverDrain : Program::drain_limit();
  }

  void describe(StatusSnapshot& snapshot) const override {
    snapshot.add("transactions", Session::active_transactions());
    daemon_->describe(snapshot);
  }

  bool leaves_threads() const override { return started_; }

 private:
  // A milter that Postfix cannot reach ends, so that the service manager starts it again.
  void stay_reachable() {
    try {
      keep_reachable();
    } catch (const Fault& fault) {
      log(Severity::error, LogFields().add("event", "listen").add("fault", fault.what()));
      is_unreachable_ = true;
    }
  }

  const std::string name_;
  const std::string socket_;
  const std::unique_ptr<Daemon> daemon_;
  MemoryTrimmer memory_{kMemorySlack};
  const Fd ended_;  // readable once libmilter has ended
  std::atomic<bool> has_ended_{false};
  bool started_ = false;
  bool is_unreachable_ = false;
  Monotonic::time_point idle_since_{};
};

}  // namespace

int run_milter(int argc, char** argv, const DaemonSpec& spec) {
  ServiceSpec service{spec.name, {fmt::format("mxfeed-{}", spec.name)}, {}};
  service.make = [&spec](const ServiceContext& context) {
    return std::make_unique<MilterProgram>(
        spec.name, context,
        spec.make(DaemonContext{context.options.state, context.data, context.policy}));
  };
  return run_service(argc, argv, service);
}

}  // namespace mxfeed
