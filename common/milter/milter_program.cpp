// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/milter_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/notify.h"
#include "common/milter/libmilter.h"
#include "common/milter/session.h"
#include "common/program/status.h"

namespace mxfeed {
namespace {

using std::chrono::steady_clock;

constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kDrain = std::chrono::seconds(25);
// After the last transaction libmilter still has its answer to send.
constexpr auto kSettle = std::chrono::milliseconds(200);

struct Options {
  std::string socket;
  std::filesystem::path state = "/var/lib/mxfeed";
};

// The write end of the pipe that signals come through.
int signal_pipe = -1;

extern "C" void forward_signal(int number) {
  const int kept_errno = errno;
  const auto byte = static_cast<unsigned char>(number);
  [[maybe_unused]] const auto written = ::write(signal_pipe, &byte, 1);
  errno = kept_errno;
}

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, number);
  return set;
}

// From here on a signal is a byte in the pipe.  Threads that are started before
// unblock_signals() never get one.
Fd route_signals() {
  const sigset_t set = our_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    throw Fault("make pipe", "signals", errno_text(errno));
  }
  signal_pipe = ends[1];
  struct sigaction action {};
  action.sa_handler = forward_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) {
    ::sigaction(number, &action, nullptr);
  }
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  return Fd(ends[0]);
}

void unblock_signals() {
  const sigset_t set = our_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

// How many sessions there may be follows from it.
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
      log(Severity::warning, LogFields()
                                 .add("event", "start")
                                 .add("socket", path)
                                 .add("fault", "cannot give it to the group postfix"));
    }
  }
  if (::chmod(path.c_str(), 0660) != 0) {
    throw Fault("set mode", path, errno_text(errno));
  }
}

int usage(std::string_view program, std::FILE* to) {
  fmt::print(to, "usage: {} --socket SPEC [--state DIR] [--foreground]\n", program);
  return to == stdout ? 0 : 2;
}

// Nothing: the program ends with `status`.
std::optional<Options> parse_options(int argc, char** argv, std::string_view program,
                                     int& status) {
  const option known[] = {{"socket", required_argument, nullptr, 's'},
                          {"state", required_argument, nullptr, 'd'},
                          {"foreground", no_argument, nullptr, 'f'},
                          {"help", no_argument, nullptr, 'h'},
                          {"version", no_argument, nullptr, 'v'},
                          {nullptr, 0, nullptr, 0}};
  Options options;
  optind = 1;
  for (int c = 0; (c = ::getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    switch (c) {
      case 's':
        options.socket = optarg;
        break;
      case 'd':
        options.state = optarg;
        break;
      case 'f':
        break;  // always so: a service manager runs us
      case 'h':
        status = usage(program, stdout);
        return std::nullopt;
      case 'v':
        fmt::print("{} {}\n", program, MXFEED_VERSION);
        status = 0;
        return std::nullopt;
      default:
        status = usage(program, stderr);
        return std::nullopt;
    }
  }
  if (optind != argc || options.socket.empty()) {
    status = usage(program, stderr);
    return std::nullopt;
  }
  return options;
}

class Service {
 public:
  Service(const DaemonSpec& spec, const Options& options)
      : spec_(spec),
        program_(fmt::format("mxfeed-{}", spec.name)),
        options_(options),
        data_(options.state / spec.name),
        policy_(options.state) {
    std::error_code error;
    std::filesystem::create_directories(data_, error);
    if (error) throw Fault("create directory", data_.string(), error.message());
    daemon_ = spec.make(DaemonContext{options.state, data_, policy_});
  }

  // Returns the exit status.
  int run(const Fd& signals) {
    const ::mode_t old_mask = ::umask(0117);
    open_milter(daemon_->milter(), std::string(spec_.name), options_.socket);
    ::umask(old_mask);
    if (const auto path = unix_path(options_.socket)) open_to_postfix(*path);
    watch_socket();
    StatusServer status(data_ / "status.sock",
                        [this](std::string_view command) { return answer(command); });
    std::thread([this] {
      try {
        serve_milter();
      } catch (const Fault& fault) {
        log(Severity::error, fault.what());
        failed_ = true;
      }
      served_ = true;
    }).detach();
    unblock_signals();
    log(Severity::notice, LogFields()
                              .add("event", "start")
                              .add("socket", options_.socket)
                              .add("generation", policy_.get()->gateway().generation));
    notify_manager("READY=1");
    while (!served_ && !stop_asked_) wait(signals);
    drain();
    // libmilter may also end by itself.
    return failed_ || !stop_asked_ ? 1 : 0;
  }

 private:
  void wait(const Fd& signals) {
    pollfd watched{signals.get(), POLLIN, 0};
    ::poll(&watched, 1, static_cast<int>(std::chrono::milliseconds(kTick).count()));
    unsigned char number = 0;
    while (::read(signals.get(), &number, 1) == 1) {
      if (number == SIGUSR1) {
        reload(true);
      } else {
        stop_asked_ = true;
      }
    }
    const auto now = steady_clock::now();
    if (now - ticked_ < kTick) return;
    ticked_ = now;
    reload(false);
    stay_reachable();
    try {
      daemon_->on_tick();
    } catch (const Fault& fault) {
      counter("mxfeed_faults_total").add();
      log(Severity::error, LogFields().add("event", "tick").add("fault", fault.what()));
    }
  }

  // A milter that Postfix cannot reach ends, so that the service manager starts it again.
  void stay_reachable() {
    try {
      keep_reachable();
    } catch (const Fault& fault) {
      log(Severity::error, LogFields().add("event", "listen").add("fault", fault.what()));
      failed_ = true;
      stop_asked_ = true;
    }
  }

  // Takes up the generation that `current` names; `always` tells the daemon even if it
  // is the same, so that it looks at its other files again.
  void reload(bool always) {
    const std::lock_guard lock(reload_mutex_);
    try {
      const bool changed = policy_.reload();
      if (changed || always) daemon_->on_reload();
      if (!changed && !always) return;
      reload_fault_.clear();
      counter("mxfeed_reloads_total", R"(result="done")").add();
      log(Severity::notice, LogFields()
                                .add("event", "reload")
                                .add("generation", policy_.get()->gateway().generation));
    } catch (const Fault& fault) {
      // Asked every second: said once.
      if (!always && reload_fault_ == fault.what()) return;
      reload_fault_ = fault.what();
      counter("mxfeed_reloads_total", R"(result="fault")").add();
      log(Severity::error, LogFields()
                               .add("event", "reload")
                               .add("generation", policy_.get()->gateway().generation)
                               .add("fault", fault.what()));
    }
  }

  std::string answer(std::string_view command) {
    if (command == "metrics") return render_metrics();
    if (command == "reload") {
      reload(true);
      return status();
    }
    if (command == "status") return status();
    return "error: unknown command; known are status, metrics, reload\n";
  }

  std::string status() {
    return fmt::format(
               "program: {}\nversion: {}\npid: {}\nstate: {}\ngeneration: {}\n"
               "transactions: {}\n",
               program_, MXFEED_VERSION, ::getpid(), draining_ ? "draining" : "running",
               policy_.get()->gateway().generation, Session::active_transactions()) +
           daemon_->status();
  }

  // New connections go to the next process.  It makes its own unix socket; who has
  // connected to ours is still served.
  void close_entrance() {
    try {
      close_listeners();
    } catch (const Fault& fault) {
      log(Severity::error, LogFields().add("event", "stop").add("fault", fault.what()));
    }
  }

  // Transactions in progress end.
  void drain() {
    draining_ = true;
    notify_manager("STOPPING=1");
    log(Severity::notice, LogFields()
                              .add("event", "stop")
                              .add("transactions", Session::active_transactions()));
    close_entrance();
    const auto deadline = steady_clock::now() + kDrain;
    auto idle_since = steady_clock::now();
    while (!served_ && steady_clock::now() < deadline &&
           steady_clock::now() - idle_since < kSettle) {
      if (Session::active_transactions() > 0) idle_since = steady_clock::now();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (const unsigned cut = Session::active_transactions(); cut > 0) {
      log(Severity::warning, LogFields().add("event", "stop").add("cut", cut));
    }
  }

  const DaemonSpec& spec_;
  const std::string program_;
  const Options options_;
  const std::filesystem::path data_;
  LivePolicy policy_;
  std::unique_ptr<Daemon> daemon_;
  std::mutex reload_mutex_;
  std::string reload_fault_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> served_{false};
  std::atomic<bool> draining_{false};
  bool stop_asked_ = false;
  steady_clock::time_point ticked_ = steady_clock::now();
};

}  // namespace

int run_milter(int argc, char** argv, const DaemonSpec& spec) {
  const std::string program = fmt::format("mxfeed-{}", spec.name);
  set_log_name(program);
  int status = 0;
  const auto options = parse_options(argc, argv, program, status);
  if (!options) return status;
  try {
    raise_descriptor_limit();
    const Fd signals = route_signals();
    // Never destroyed: threads of libmilter use it until _exit.
    auto* const service = new Service(spec, *options);
    status = service->run(signals);
  } catch (const std::exception& error) {
    log(Severity::error, error.what());
    return 1;
  }
  ::_exit(status);
}

}  // namespace mxfeed
