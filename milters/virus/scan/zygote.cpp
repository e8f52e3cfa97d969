// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/zygote.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <new>
#include <optional>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "milters/virus/scan/board.h"
#include "milters/virus/scan/engine_clamav.h"
#include "milters/virus/scan/scratch.h"
#include "milters/virus/scan/worker.h"

namespace mxfeed::virus {
namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr unsigned kScansPerWorker = 5000;
constexpr std::chrono::seconds kHardMargin{5};
// A worker that lives shorter than this died at once.
constexpr milliseconds kShortLife{1000};
constexpr milliseconds kLongestPause{10'000};

// False once the supervisor is gone.
bool tell(const std::string& text) {
  return ::send(kZygoteControl, text.data(), text.size(), MSG_NOSIGNAL) >= 0 ||
         (errno != EPIPE && errno != ECONNRESET && errno != ENOTCONN);
}

// No process of ours may write its memory, full of mail, to disk; nor gain rights.
void confine() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return set;
}

std::atomic<bool>& shared_flag() {
  void* const at = ::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw Fault("start workers", "mmap", errno_text(errno));
  return *new (at) std::atomic<bool>(false);
}

class Zygote {
 public:
  Zygote(const ZygoteTask& task, Engine& engine, Board& board)
      : task_(task), engine_(engine), board_(board), drains_(shared_flag()) {
    int ends[2];
    const sigset_t signals = watched_signals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_ || ::pipe2(ends, O_CLOEXEC) != 0) {
      throw Fault("start workers", "pipe", errno_text(errno));
    }
    lifeline_read_.reset(ends[0]);
    lifeline_write_.reset(ends[1]);
  }

  // Keeps the workers until it is retired and the last one has ended.
  int serve() {
    fork_missing();
    const std::string ready = "ready " + std::to_string(engine_.signatures()) + " " +
                              (engine_.reads_rar() ? "1" : "0");
    if (!tell(ready)) retire();
    while (!retired_ || !workers_.empty()) {
      pollfd watched[2] = {{signals_.get(), POLLIN, 0}, {kZygoteControl, POLLIN, 0}};
      // Retired, only the children matter.
      if (::poll(watched, retired_ ? 1 : 2, wait()) < 0 && errno != EINTR) break;
      if (watched[0].revents != 0) drain_signals();
      reap();
      if (!retired_ && watched[1].revents != 0) listen_to_supervisor();
      if (!retired_) fork_missing();
    }
    return 0;
  }

 private:
  int wait() const {
    if (retired_ || workers_.size() >= task_.settings.workers) return -1;
    const auto left =
        std::chrono::duration_cast<milliseconds>(next_fork_ - Monotonic::now());
    return static_cast<int>(std::max<long long>(0, left.count()) + 1);
  }

  void drain_signals() {
    signalfd_siginfo ignored;
    while (::read(signals_.get(), &ignored, sizeof ignored) > 0) {
    }
  }

  void listen_to_supervisor() {
    char text[64];
    const ssize_t got = ::recv(kZygoteControl, text, sizeof text, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0 && std::string_view(text, static_cast<std::size_t>(got)) == "drain") {
      drains_ = true;
    }
    retire();  // asked to, or the supervisor is gone
  }

  void retire() {
    retired_ = true;
    lifeline_write_.reset();
  }

  void fork_missing() {
    while (workers_.size() < task_.settings.workers && Monotonic::now() >= next_fork_) {
      const pid_t pid = ::fork();
      if (pid == 0) work();
      if (pid < 0) {
        log(Severity::error,
            LogFields().add("event", "fork").add("fault", errno_text(errno)));
        pause();
        return;
      }
      workers_[pid] = Monotonic::now();
    }
  }

  [[noreturn]] void work() {
    // Stopping is the supervisor's business, by the lifeline; the alarm kills.
    lifeline_write_.reset();
    signals_.reset();
    ::close(kZygoteControl);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    int status = 1;
    try {
      status = run_worker(engine_,
                          {kZygoteListener, lifeline_read_.get(), drains_, board_,
                           scratch_of(task_.scratch, ::getpid()),
                           task_.settings.max_scan_time + kHardMargin, kScansPerWorker});
    } catch (const std::exception& error) {
      log(Severity::error, LogFields().add("event", "worker").add("fault", error.what()));
    }
    ::_exit(status);  // the engine is the zygote's
  }

  void pause() {
    pause_ = std::clamp(pause_ * 2, milliseconds(100), kLongestPause);
    next_fork_ = Monotonic::now() + pause_;
  }

  void reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto worker = workers_.find(pid);
      if (worker == workers_.end()) continue;
      const bool short_life = Monotonic::now() - worker->second < kShortLife;
      workers_.erase(worker);
      remove_scratch(task_.scratch, pid);
      const bool in_order = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      if (!in_order) {
        const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        log(Severity::warning,
            LogFields()
                .add("event", "worker-died")
                .add("worker", pid)
                .add("signal", signal == 0 ? "none" : sigabbrev_np(signal)));
        tell("died " + std::to_string(signal));
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
  std::atomic<bool>& drains_;  // in memory that the workers share
  Fd signals_;
  Fd lifeline_read_, lifeline_write_;
  std::map<pid_t, Monotonic::time_point> workers_;  // since when
  Monotonic::time_point next_fork_{};
  milliseconds pause_{0};
  bool retired_ = false;
};

// Each option of zygote_arguments() has a value.
std::optional<ZygoteTask> parse(int argc, char** argv) {
  ZygoteTask task;
  for (int i = 2; i < argc; i += 2) {
    if (i + 1 >= argc) return std::nullopt;
    const std::string_view option = argv[i];
    const std::string_view value = argv[i + 1];
    if (option == "--database") {
      task.settings.database = value;
      continue;
    }
    if (option == "--scratch") {
      task.scratch = value;
      continue;
    }
    const auto number = parse_unsigned(value);
    if (!number) return std::nullopt;
    if (option == "--workers") {
      task.settings.workers = static_cast<unsigned>(*number);
    } else if (option == "--max-scan-size") {
      task.settings.max_scan_size = *number;
    } else if (option == "--max-file-size") {
      task.settings.max_file_size = *number;
    } else if (option == "--max-files") {
      task.settings.max_files = static_cast<unsigned>(*number);
    } else if (option == "--max-recursion") {
      task.settings.max_recursion = static_cast<unsigned>(*number);
    } else if (option == "--max-scan-seconds") {
      task.settings.max_scan_time = std::chrono::seconds(*number);
    } else if (option == "--former-signatures") {
      task.former_signatures = static_cast<unsigned>(*number);
    } else {
      return std::nullopt;
    }
  }
  return task;
}

void refuse_shrunk(const Engine& engine, const ZygoteTask& task) {
  if (engine.signatures() >= task.former_signatures / 2) return;
  throw Fault("load signatures", task.settings.database,
              std::to_string(engine.signatures()) + " signatures, there were " +
                  std::to_string(task.former_signatures));
}

}  // namespace

std::vector<std::string> zygote_arguments(const ZygoteTask& task) {
  const GatewayPolicy::Virus& s = task.settings;
  return {"mxfeed-scan",         "--zygote",
          "--database",          s.database,
          "--scratch",           task.scratch.string(),
          "--workers",           std::to_string(s.workers),
          "--max-scan-size",     std::to_string(s.max_scan_size),
          "--max-file-size",     std::to_string(s.max_file_size),
          "--max-files",         std::to_string(s.max_files),
          "--max-recursion",     std::to_string(s.max_recursion),
          "--max-scan-seconds",  std::to_string(s.max_scan_time.count()),
          "--former-signatures", std::to_string(task.former_signatures)};
}

int run_zygote_command(int argc, char** argv) {
  set_log_name("mxfeed-scan");
  ::prctl(PR_SET_NAME, "mxfeed-scan", 0, 0, 0);  // not "exe", for ps(1)
  confine();
  // A service manager that signals every process must not cut scans short.
  ::signal(SIGTERM, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGUSR1, SIG_IGN);
  const auto task = parse(argc, argv);
  if (!task) {
    log(Severity::error, "mxfeed-scan --zygote is started by mxfeed-scan only");
    return 2;
  }
  const std::filesystem::path own = scratch_of(task->scratch, ::getpid());
  int status = 1;
  try {
    ::mkdir(own.c_str(), 0700);
    Board& board = map_board(kZygoteBoard);
    auto last = Monotonic::now();
    Engine engine(task->settings, own, [&] {
      if (Monotonic::now() - last < std::chrono::seconds(1)) return;
      last = Monotonic::now();
      if (!tell("loading")) ::_exit(0);
    });
    refuse_shrunk(engine, *task);
    if (!engine.reads_rar()) {
      log(Severity::notice,
          LogFields()
              .add("event", "load")
              .add("note", "no RAR library: mail with RAR archives counts as encrypted"));
    }
    status = Zygote(*task, engine, board).serve();
    remove_scratch(task->scratch, ::getpid());
    ::_exit(status);  // freeing the engine takes long and serves nobody
  } catch (const std::exception& error) {
    tell("failed " + std::string(error.what()).substr(0, 1000));
  }
  remove_scratch(task->scratch, ::getpid());
  return status;
}

}  // namespace mxfeed::virus
