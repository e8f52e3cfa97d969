// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/zygote.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/unix_socket.h"
#include "milters/virus/scan/background.h"
#include "milters/virus/scan/board.h"
#include "milters/virus/scan/crew.h"
#include "milters/virus/scan/engine_clamav.h"
#include "milters/virus/scan/sandbox.h"
#include "milters/virus/scan/scratch.h"
#include "milters/virus/scan/worker.h"
#include "milters/virus/scan/zygote_protocol.h"

namespace mxfeed::virus {
namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr unsigned kScansPerWorker = 5000;
constexpr std::chrono::seconds kHardMargin{5};
// A stopped worker does not get its alarm: it is killed after the hard limit and this.
constexpr milliseconds kStoppedMargin{2000};
// How often to see whether the first workers have proved their engine, and how long.
constexpr milliseconds kWarmingLook{10};
constexpr std::chrono::seconds kMostWarming{10};
// If a worker dies within this time, the next fork waits.
constexpr milliseconds kShortLife{1000};
constexpr milliseconds kLongestPause{10'000};

// False once the supervisor is gone.
bool report(const ZygoteReport& what) {
  const std::string text = to_string(what);
  return ::send(kZygoteControl, text.data(), text.size(), MSG_NOSIGNAL) >= 0 ||
         (errno != EPIPE && errno != ECONNRESET && errno != ENOTCONN);
}

// No core dump, since the memory is full of mail, no new privileges, no network.
void confine() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  leave_network();
}

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return set;
}

class Zygote {
 public:
  Zygote(const ZygoteTask& task, Engine& engine, Board& board)
      : task_(task), engine_(engine), board_(board), crew_(std::make_unique<Crew>()) {
    const sigset_t signals = watched_signals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) throw Fault("start workers", "signals", errno_text(errno));
  }

  // Keeps the workers running until it is retired and the last one has ended.
  int serve() {
    fork_missing();
    while (!retired_ || !workers_.empty()) {
      if (!is_ready_ && !retired_) report_if_ready();
      pollfd watched[2] = {{signals_.get(), POLLIN, 0}, {kZygoteControl, POLLIN, 0}};
      // Once retired, it only waits for its children.
      if (::poll(watched, retired_ ? 1 : 2, wait()) < 0 && errno != EINTR) break;
      if (watched[0].revents != 0) drain_signals();
      reap();
      kill_stopped();
      if (!retired_ && watched[1].revents != 0) take_order();
      if (!retired_) fork_missing();
    }
    return 0;
  }

  // Whether it ended as the service is to end.
  bool drains() const { return drains_; }

 private:
  struct Worker {
    Monotonic::time_point since;
    unsigned crew;
    std::optional<Monotonic::time_point> stopped{};  // since when
  };

  // The engine before serves until new workers can: their first scans are slow, as memory
  // and caches are cold.
  void report_if_ready() {
    const bool is_late = Monotonic::now() - began_ > kMostWarming;
    if (crew_->proofs() < task_.settings.workers && !is_late) return;
    is_ready_ = true;
    // To fork a process of a gigabyte, and the first scans, were work in the background.
    if (task_.in_background) leave_the_background();
    if (!report(EngineReady{engine_.signatures(), engine_.reads_rar()})) retire(false);
  }

  std::size_t crew_size() const {
    return static_cast<std::size_t>(std::count_if(
        workers_.begin(), workers_.end(),
        [this](const auto& one) { return one.second.crew == crew_number_; }));
  }

  std::chrono::seconds hard_limit() const {
    return task_.settings.max_scan_time + kHardMargin;
  }

  int wait() const {
    auto next = Monotonic::time_point::max();
    if (!is_ready_ && !retired_) next = Monotonic::now() + kWarmingLook;
    if (!retired_ && crew_size() < task_.settings.workers) {
      next = std::min(next, next_fork_);
    }
    for (const auto& [pid, worker] : workers_) {
      if (worker.stopped) next = std::min(next, end_of(worker));
    }
    if (next == Monotonic::time_point::max()) return -1;
    const auto left = std::chrono::duration_cast<milliseconds>(next - Monotonic::now());
    return static_cast<int>(std::max<long long>(0, left.count()) + 1);
  }

  Monotonic::time_point end_of(const Worker& stopped) const {
    return *stopped.stopped + hard_limit() + kStoppedMargin;
  }
  void kill_stopped() {
    for (auto& [pid, worker] : workers_) {
      if (!worker.stopped || Monotonic::now() < end_of(worker)) continue;
      log(Severity::warning,
          LogFields().add("event", "worker-stopped").add("worker", pid));
      ::kill(pid, SIGKILL);
      worker.stopped.reset();
    }
  }

  void drain_signals() {
    signalfd_siginfo ignored;
    while (::read(signals_.get(), &ignored, sizeof ignored) > 0) {
    }
  }

  void take_order() {
    const auto datagram = receive_datagram(kZygoteControl, 64, MSG_DONTWAIT);
    if (!datagram && errno == EAGAIN) return;
    const auto order = datagram ? parse_zygote_order(datagram->bytes) : std::nullopt;
    // Also if the supervisor is gone or sent a malformed order.
    if (!order) return retire(false);
    switch (*order) {
      case ZygoteOrder::retire:
        return retire(false);
      case ZygoteOrder::drain:
        return retire(true);
      case ZygoteOrder::listen:
        if (datagram->descriptors.size() == 1) {
          return renew_crew(datagram->descriptors[0].get());
        }
        return retire(false);
    }
  }

  void retire(bool drains) {
    retired_ = true;
    drains_ = drains;
    crew_->stop(drains);
  }

  void renew_crew(int listener) {
    auto crew = std::make_unique<Crew>();
    if (::dup2(listener, kZygoteListener) < 0) return;
    crew_->stop(true);
    crew_ = std::move(crew);
    ++crew_number_;
  }

  void fork_missing() {
    while (crew_size() < task_.settings.workers && Monotonic::now() >= next_fork_) {
      const pid_t pid = ::fork();
      if (pid == 0) work();
      if (pid < 0) {
        log(Severity::error,
            LogFields().add("event", "fork").add("fault", errno_text(errno)));
        pause();
        return;
      }
      workers_[pid] = {Monotonic::now(), crew_number_, {}};
    }
  }

  [[noreturn]] void work() {
    // A worker ignores signals and stops by its lifeline; only the alarm kills it.
    crew_->join();
    signals_.reset();
    ::close(kZygoteControl);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    int status = 1;
    try {
      enter_sandbox(limits_for(task_.settings));
      status = run_worker(
          engine_,
          {kZygoteListener, crew_->lifeline(), crew_->drains(), crew_->proofs(), board_,
           scratch_of(task_.scratch, ::getpid()), hard_limit(), kScansPerWorker});
    } catch (const std::exception& error) {
      log(Severity::error, LogFields().add("event", "worker").add("fault", error.what()));
    }
    ::_exit(status);  // the engine is the zygote's
  }

  // It is not known whether the others are any better.
  void lose_engine() {
    if (retired_) return;
    report(EngineLost{});
    retire(false);
  }

  void pause() {
    pause_ = std::clamp(pause_ * 2, milliseconds(100), kLongestPause);
    next_fork_ = Monotonic::now() + pause_;
  }

  void reap() {
    int status = 0;
    constexpr int kOptions = WNOHANG | WUNTRACED | WCONTINUED;
    for (pid_t pid; (pid = ::waitpid(-1, &status, kOptions)) > 0;) {
      const auto worker = workers_.find(pid);
      if (worker == workers_.end()) continue;
      if (WIFSTOPPED(status)) worker->second.stopped = Monotonic::now();
      if (WIFCONTINUED(status)) worker->second.stopped.reset();
      if (WIFSTOPPED(status) || WIFCONTINUED(status)) continue;
      const bool short_life = Monotonic::now() - worker->second.since < kShortLife;
      workers_.erase(worker);
      remove_scratch(task_.scratch, pid);
      if (WIFEXITED(status) && WEXITSTATUS(status) == kEngineLost) {
        lose_engine();
        continue;
      }
      const bool in_order = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      if (!in_order) {
        const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        log(Severity::warning,
            LogFields()
                .add("event", "worker-died")
                .add("worker", pid)
                .add("signal", signal == 0 ? "none" : sigabbrev_np(signal))
                .add("reason", reason_of_death(signal)));
        report(WorkerDied{signal});
      }
      if (short_life && !in_order) {
        pause();
      } else {
        pause_ = milliseconds(0);
      }
    }
  }

  const ZygoteTask& task_;
  Engine& engine_;
  Board& board_;
  std::unique_ptr<Crew> crew_;  // the one that takes new requests
  unsigned crew_number_ = 0;
  Fd signals_;
  std::map<pid_t, Worker> workers_;  // in all crews
  Monotonic::time_point next_fork_{};
  milliseconds pause_{0};
  bool retired_ = false;
  bool drains_ = false;  // it was the service's last one
  const Monotonic::time_point began_ = Monotonic::now();
  bool is_ready_ = false;  // and has told so
};

void refuse_shrunk(const Engine& engine, const ZygoteTask& task) {
  if (engine.signatures() >= task.former_signatures / 2) return;
  throw Fault("load signatures", task.settings.database,
              std::to_string(engine.signatures()) +
                  " signatures, but the engine in force has " +
                  std::to_string(task.former_signatures));
}

}  // namespace

int run_zygote_command(int argc, char** argv) {
  set_log_name("mxfeed-scan");
  ::prctl(PR_SET_NAME, "mxfeed-scan", 0, 0, 0);  // not "exe", for ps(1)
  confine();
  // A service manager may signal every process; scans must not be interrupted.
  ::signal(SIGTERM, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGUSR1, SIG_IGN);
  const auto task = parse_zygote_arguments({argv, argv + argc});
  if (!task) {
    log(Severity::error, "--zygote is for internal use; start mxfeed-scan without it");
    return 2;
  }
  const std::filesystem::path own = scratch_of(task->scratch, ::getpid());
  int status = 1;
  try {
    ::mkdir(own.c_str(), 0700);
    Board& board = map_board(kZygoteBoard);
    auto last = Monotonic::now();
    std::optional<Engine> engine;
    const auto load = [&] {
      engine.emplace(task->settings, own, [&] {
        if (Monotonic::now() - last < std::chrono::seconds(1)) return;
        last = Monotonic::now();
        if (!report(StillLoading{})) ::_exit(0);
      });
    };
    if (task->in_background) {
      run_in_background(load);
    } else {
      load();
    }
    refuse_shrunk(*engine, *task);
    if (!engine->reads_rar()) {
      log(Severity::notice,
          LogFields()
              .add("event", "load")
              .add("note", "no RAR library: mail with RAR archives counts as encrypted"));
    }
    Zygote zygote(*task, *engine, board);
    status = zygote.serve();
    remove_scratch(task->scratch, ::getpid());
    if (!zygote.drains()) leave_the_processor();  // another one serves
    ::_exit(status);  // freeing the engine would take long for nothing
  } catch (const std::exception& error) {
    report(LoadFailed{error.what()});
  }
  remove_scratch(task->scratch, ::getpid());
  return status;
}

}  // namespace mxfeed::virus
