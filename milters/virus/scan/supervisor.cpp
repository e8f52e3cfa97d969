// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/notify.h"
#include "common/base/text.h"
#include "common/policy/policy_db.h"
#include "common/program/status.h"
#include "milters/virus/protocol/wire.h"
#include "milters/virus/scan/board.h"
#include "milters/virus/scan/database.h"
#include "milters/virus/scan/scratch.h"
#include "milters/virus/scan/zygote.h"

namespace mxfeed::virus {
namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kTick{1000};
constexpr seconds kSettle{2};  // signature files are replaced one after another
constexpr seconds kLoadLimit{600};
constexpr seconds kShortLife{10};  // a zygote that dies before is not started at once
constexpr milliseconds kFirstPause{500};
constexpr seconds kLongestPause{60};
constexpr seconds kLongestPauseInForce{600};  // it costs as much as a good load
constexpr seconds kDrainMargin{10};
constexpr int kBacklog = 4096;
constexpr int kFirstHighFd = 10;  // above those that a zygote gets at fixed numbers

unsigned count_cores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

Fd make_high(Fd fd) {
  Fd high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstHighFd));
  if (!high) throw Fault("open", "descriptor", errno_text(errno));
  return high;
}

Fd listen_at(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) {
    throw Fault("listen", path.string(), "path is too long");
  }
  std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) {
    ::unlink(path.c_str());
  }
  Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The mode is in force before the first client can connect.
  if (!fd || ::fchmod(fd.get(), 0660) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
          0 ||
      ::chmod(path.c_str(), 0660) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    throw Fault("listen", path.string(), errno_text(errno));
  }
  return make_high(std::move(fd));
}

Fd lock_data(const std::filesystem::path& data) {
  const std::filesystem::path path = data / "lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) throw Fault("open", path.string(), errno_text(errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Fault("start", data.string(), "another mxfeed-scan runs here");
  }
  return fd;
}

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGCHLD}) sigaddset(&set, number);
  return set;
}

// A zygote as the supervisor knows it.
struct Child {
  pid_t pid = 0;
  Fd control;
  GatewayPolicy::Virus settings;  // workers as given, 0 included
  DatabaseState database;
  unsigned signatures = 0;
  bool reads_rar = false;
  Monotonic::time_point started{};
};

// What the status socket tells.
struct Shown {
  std::string state = "loading";
  std::uint64_t generation = 0;
  unsigned signatures = 0;
  bool reads_rar = false;
  std::string database;
  Time newest{};
  unsigned workers = 0;
  std::string last_fault;
};

class Supervisor {
 public:
  explicit Supervisor(const SupervisorOptions& options);
  int run();

 private:
  void tick();
  void look(bool now);
  bool wants_load(bool now);
  void start_load();
  void hear(Child& child, bool is_loading);
  void heard(Child& child, std::string_view text, bool is_loading);
  void put_in_force();
  void load_broke(std::string_view cause);
  void reap();
  void handle_signals();
  void begin_drain();
  bool drained() const;
  void publish();
  std::string answer(std::string_view command);
  std::string status_text();
  std::string metrics_text();
  void tell(const Child& child, std::string_view word);

  const std::filesystem::path data_;
  const std::filesystem::path socket_path_;
  const Fd lock_;
  LivePolicy policy_;
  std::filesystem::path scratch_;
  Fd board_fd_;
  Board& board_;
  Fd listener_;
  Fd signals_;
  Fd wake_;

  std::optional<Child> serving_;
  std::optional<Child> loading_;
  std::vector<Child> retiring_;
  std::uint64_t generation_ = 0;  // of the policy whose settings are in force

  DatabaseState latest_;  // as of the last look
  Monotonic::time_point changed_{};
  // What the last load that broke was made of: the same is tried again after a pause.
  std::optional<std::pair<GatewayPolicy::Virus, std::string>> broke_with_;
  Monotonic::time_point next_load_{};
  milliseconds pause_{0};
  std::string last_fault_;    // of loading
  std::string policy_fault_;  // of reading the policy
  bool draining_ = false;
  bool told_ready_ = false;
  Monotonic::time_point drain_end_{};

  std::mutex mutex_;  // guards what follows
  std::condition_variable looked_;
  Shown shown_;
  std::uint64_t reloads_asked_ = 0;
  std::uint64_t reloads_done_ = 0;

  Metric& loads_ok_ = counter("mxfeed_scan_loads_total", "outcome=\"ok\"");
  Metric& loads_broken_ = counter("mxfeed_scan_loads_total", "outcome=\"failed\"");
  Metric& worker_deaths_ = counter("mxfeed_scan_worker_deaths_total");
  Metric& zygote_deaths_ = counter("mxfeed_scan_zygote_deaths_total");

  std::optional<StatusServer> status_;  // last: its thread uses the rest
};

std::filesystem::path make_data(const std::filesystem::path& state) {
  std::filesystem::path data = state / "scan";
  std::error_code error;
  std::filesystem::create_directories(data, error);
  if (error) throw Fault("make directory", data.string(), error.message());
  return data;
}

Supervisor::Supervisor(const SupervisorOptions& options)
    : data_(make_data(options.state)),
      socket_path_(options.socket.empty() ? data_ / "scan.sock" : options.socket),
      lock_(lock_data(data_)),
      policy_(options.state),
      scratch_(prepare_scratch(options.scratch, data_)),
      board_fd_(make_high(make_board())),
      board_(map_board(board_fd_.get())),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  log(is_in_memory(scratch_) ? Severity::info : Severity::warning,
      LogFields()
          .add("event", "start")
          .add("scratch", scratch_.string())
          .add("in_memory", is_in_memory(scratch_) ? "yes" : "no")
          .add("socket", socket_path_.string()));
  // Workers of a zygote that died come to us when they end.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const sigset_t signals = our_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_ || !wake_) throw Fault("start", "signals", errno_text(errno));
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  listener_ = listen_at(socket_path_);
  generation_ = policy_.get()->gateway().generation;
  publish();
  status_.emplace(data_ / "status.sock",
                  [this](std::string_view command) { return answer(command); });
}

int Supervisor::run() {
  look(true);
  Monotonic::time_point next_tick = Monotonic::now() + kTick;
  while (!draining_ || !drained()) {
    std::vector<pollfd> watched{{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    const std::size_t first = watched.size();
    if (serving_) watched.push_back({serving_->control.get(), POLLIN, 0});
    const std::size_t at_loading = watched.size();
    if (loading_) watched.push_back({loading_->control.get(), POLLIN, 0});
    const auto left =
        std::chrono::duration_cast<milliseconds>(next_tick - Monotonic::now());
    const int wait = static_cast<int>(std::clamp<long long>(left.count(), 0, 1000));
    if (::poll(watched.data(), watched.size(), wait) < 0 && errno != EINTR) {
      throw Fault("wait", "poll", errno_text(errno));
    }
    // Words before deaths: the last word of a child says why.
    if (loading_ && watched.size() > at_loading && watched[at_loading].revents != 0) {
      hear(*loading_, true);
    }
    if (serving_ && at_loading > first && watched[first].revents != 0) {
      hear(*serving_, false);
    }
    if (watched[0].revents != 0) handle_signals();
    if (watched[1].revents != 0) {
      std::uint64_t ignored;
      [[maybe_unused]] const auto got = ::read(wake_.get(), &ignored, sizeof ignored);
      std::uint64_t asked;
      {
        const std::lock_guard lock(mutex_);
        asked = reloads_asked_;
      }
      look(true);
      publish();
      {
        const std::lock_guard lock(mutex_);
        reloads_done_ = asked;
      }
      looked_.notify_all();
    }
    if (Monotonic::now() >= next_tick) {
      next_tick = Monotonic::now() + kTick;
      tick();
    }
    publish();
  }
  discard_scratch(scratch_);
  log(Severity::info, LogFields().add("event", "stop"));
  return 0;
}

void Supervisor::tick() {
  reap();  // no SIGCHLD is lost for good
  if (!told_ready_) {
    notify_manager("EXTEND_TIMEOUT_USEC=30000000");
  }
  if (draining_) return;
  make_scratch(scratch_);
  if (loading_ && Monotonic::now() - loading_->started > kLoadLimit) {
    ::kill(loading_->pid, SIGKILL);
  }
  look(false);
}

// `now`: whoever asked does not want to wait for files to settle or a pause to end.
void Supervisor::look(bool now) {
  if (draining_) return;
  try {
    if (policy_.reload()) {
      log(Severity::info, LogFields()
                              .add("event", "policy")
                              .add("generation", policy_.get()->gateway().generation));
    }
    policy_fault_.clear();
  } catch (const std::exception& error) {
    if (policy_fault_ != error.what()) {
      policy_fault_ = error.what();
      log(Severity::error, LogFields().add("event", "policy").add("fault", error.what()));
    }
  }
  DatabaseState found = look_at_database(policy_.get()->gateway().virus.database);
  if (found.fingerprint != latest_.fingerprint) {
    latest_ = std::move(found);
    changed_ = Monotonic::now();
  }
  const GatewayPolicy& gateway = policy_.get()->gateway();
  if (serving_ && serving_->settings == gateway.virus) generation_ = gateway.generation;
  if (wants_load(now)) start_load();
}

bool Supervisor::wants_load(bool now) {
  if (loading_) return false;
  const GatewayPolicy::Virus& settings = policy_.get()->gateway().virus;
  if (serving_ && serving_->settings == settings &&
      serving_->database.fingerprint == latest_.fingerprint) {
    return false;
  }
  if (now) return true;
  const auto time = Monotonic::now();
  if (time - changed_ < kSettle) return false;
  const bool broke_before = broke_with_ && broke_with_->first == settings &&
                            broke_with_->second == latest_.fingerprint;
  return !broke_before || time >= next_load_;
}

void Supervisor::start_load() {
  const std::shared_ptr<const PolicyDb> policy = policy_.get();
  ZygoteTask task;
  task.settings = policy->gateway().virus;
  if (task.settings.workers == 0) task.settings.workers = count_cores();
  task.scratch = scratch_;
  if (serving_ && serving_->settings.database == task.settings.database) {
    task.former_signatures = serving_->signatures;
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return load_broke("make socket pair: " + errno_text(errno));
  }
  Child child;
  child.control.reset(ends[0]);
  const Fd theirs = make_high(Fd(ends[1]));
  child.settings = policy->gateway().virus;
  child.database = latest_;
  child.started = Monotonic::now();

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, listener_.get(), kZygoteListener);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), kZygoteControl);
  posix_spawn_file_actions_adddup2(&actions, board_fd_.get(), kZygoteBoard);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> arguments = zygote_arguments(task);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  // The same program, even if the file was replaced by an upgrade.
  const int outcome = ::posix_spawn(&child.pid, "/proc/self/exe", &actions, &attributes,
                                    argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (outcome != 0) return load_broke("start zygote: " + errno_text(outcome));
  log(Severity::info, LogFields()
                          .add("event", "load")
                          .add("database", task.settings.database)
                          .add("zygote", child.pid));
  loading_ = std::move(child);
}

// `child` is loading_ or serving_, and no longer valid after a word that moved it.
void Supervisor::hear(Child& child, bool is_loading) {
  char text[2048];
  const ssize_t got = ::recv(child.control.get(), text, sizeof text, MSG_DONTWAIT);
  if (got > 0) {
    heard(child, {text, static_cast<std::size_t>(got)}, is_loading);
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    // It is about to be reaped; not to be polled again and again until then.
    ::kill(child.pid, SIGKILL);
    ::poll(nullptr, 0, 10);
  }
}

void Supervisor::heard(Child& child, std::string_view text, bool is_loading) {
  const std::vector<std::string_view> words = split(text, ' ');
  if (words[0] == "died") {
    worker_deaths_.add();
  } else if (is_loading && words[0] == "ready" && words.size() == 3) {
    child.signatures = static_cast<unsigned>(parse_unsigned(words[1]).value_or(0));
    child.reads_rar = words[2] == "1";
    put_in_force();
  } else if (is_loading && words[0] == "failed") {
    retiring_.push_back(std::move(*loading_));
    loading_.reset();
    load_broke(text.substr(std::min(text.size(), sizeof "failed")));
  }
}

void Supervisor::put_in_force() {
  if (serving_) {
    tell(*serving_, "retire");
    retiring_.push_back(std::move(*serving_));
  }
  serving_ = std::move(loading_);
  loading_.reset();
  broke_with_.reset();
  pause_ = milliseconds(0);
  last_fault_.clear();
  loads_ok_.add();
  const GatewayPolicy& gateway = policy_.get()->gateway();
  if (serving_->settings == gateway.virus) generation_ = gateway.generation;
  log(Severity::info, LogFields()
                          .add("event", "engine")
                          .add("signatures", serving_->signatures)
                          .add("zygote", serving_->pid)
                          .add("seconds", std::chrono::duration_cast<seconds>(
                                              Monotonic::now() - serving_->started)
                                              .count()));
  if (!told_ready_) notify_manager("READY=1");
  told_ready_ = true;
}

void Supervisor::load_broke(std::string_view cause) {
  loads_broken_.add();
  last_fault_ = cause;
  pause_ = std::clamp<milliseconds>(pause_ * 2, kFirstPause,
                                    serving_ ? kLongestPauseInForce : kLongestPause);
  next_load_ = Monotonic::now() + pause_;
  broke_with_ = {policy_.get()->gateway().virus, latest_.fingerprint};
  log(Severity::error, LogFields()
                           .add("event", "load")
                           .add("fault", cause)
                           .add("in_force", serving_ ? "the former" : "none"));
}

void Supervisor::reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    remove_scratch(scratch_, pid);
    const auto retired =
        std::find_if(retiring_.begin(), retiring_.end(),
                     [pid](const Child& child) { return child.pid == pid; });
    if (retired != retiring_.end()) {
      retiring_.erase(retired);
    } else if (loading_ && loading_->pid == pid) {
      // What it said last may still wait.
      char text[2048];
      std::string cause = "zygote ended while it loaded";
      for (ssize_t got; (got = ::recv(loading_->control.get(), text, sizeof text,
                                      MSG_DONTWAIT)) > 0;) {
        const std::string_view said(text, static_cast<std::size_t>(got));
        if (said.starts_with("failed ")) cause = said.substr(7);
      }
      loading_.reset();
      load_broke(cause);
    } else if (serving_ && serving_->pid == pid) {
      zygote_deaths_.add();
      const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      log(Severity::error,
          LogFields()
              .add("event", "zygote-died")
              .add("signal", signal == 0 ? "none" : sigabbrev_np(signal)));
      const bool short_life = Monotonic::now() - serving_->started < kShortLife;
      serving_.reset();
      if (short_life) {
        load_broke("zygote died soon after it had loaded");
      } else {
        look(true);
      }
    }
    // Else a worker that outlived its zygote.
  }
}

void Supervisor::handle_signals() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    switch (info.ssi_signo) {
      case SIGCHLD:
        reap();
        break;
      case SIGUSR1:
        look(true);
        break;
      case SIGTERM:
      case SIGINT:
        begin_drain();
        break;
    }
  }
}

void Supervisor::begin_drain() {
  if (draining_) return;
  draining_ = true;
  notify_manager("STOPPING=1");
  ::unlink(socket_path_.c_str());
  listener_.reset();
  if (loading_) {
    ::kill(loading_->pid, SIGKILL);
    retiring_.push_back(std::move(*loading_));
    loading_.reset();
  }
  if (serving_) {
    tell(*serving_, "drain");
    retiring_.push_back(std::move(*serving_));
    serving_.reset();
  }
  drain_end_ =
      Monotonic::now() + policy_.get()->gateway().virus.max_scan_time + kDrainMargin;
  log(Severity::info, LogFields().add("event", "drain"));
}

bool Supervisor::drained() const {
  return retiring_.empty() || Monotonic::now() >= drain_end_;
}

void Supervisor::tell(const Child& child, std::string_view word) {
  ::send(child.control.get(), word.data(), word.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Supervisor::publish() {
  const std::lock_guard lock(mutex_);
  shown_.state = draining_   ? "draining"
                 : !serving_ ? (loading_ ? "loading" : "no engine")
                 : loading_  ? "reloading"
                             : "running";
  shown_.generation = generation_;
  shown_.database = policy_.get()->gateway().virus.database;
  shown_.signatures = serving_ ? serving_->signatures : 0;
  shown_.reads_rar = serving_ && serving_->reads_rar;
  shown_.newest = serving_ ? serving_->database.newest : Time{};
  shown_.workers = !serving_                        ? 0
                   : serving_->settings.workers > 0 ? serving_->settings.workers
                                                    : count_cores();
  shown_.last_fault = policy_fault_.empty() ? last_fault_ : policy_fault_;
}

std::string Supervisor::answer(std::string_view command) {
  if (command == "reload") {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = ++reloads_asked_;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
    looked_.wait_for(lock, seconds(3), [&] { return reloads_done_ >= ticket; });
  } else if (command == "metrics") {
    return metrics_text();
  } else if (command != "status") {
    return "error: unknown command\n";
  }
  return status_text();
}

std::string Supervisor::status_text() {
  const std::lock_guard lock(mutex_);
  std::string text;
  const auto line = [&text](std::string_view key, std::string_view value) {
    text.append(key).append(": ").append(value).append("\n");
  };
  line("program", "mxfeed-scan");
  line("version", MXFEED_VERSION);
  line("pid", std::to_string(::getpid()));
  line("state", shown_.state);
  line("generation", std::to_string(shown_.generation));
  line("database", shown_.database);
  line("signatures", std::to_string(shown_.signatures));
  if (shown_.newest != Time{}) {
    line("database_age",
         format_duration(std::max(seconds(0), system_time() - shown_.newest)));
  }
  line("rar", shown_.reads_rar ? "yes" : "no");
  line("workers", std::to_string(shown_.workers));
  line("loads", std::to_string(loads_ok_.value()));
  line("failed_loads", std::to_string(loads_broken_.value()));
  line("worker_deaths", std::to_string(worker_deaths_.value()));
  line("zygote_deaths", std::to_string(zygote_deaths_.value()));
  line("tmpdir", scratch_.string());
  if (!shown_.last_fault.empty()) {
    line("last_fault", escape_untrusted(shown_.last_fault));
  }
  return text;
}

std::string Supervisor::metrics_text() {
  constexpr ScanVerdict kVerdicts[] = {ScanVerdict::clean, ScanVerdict::infected,
                                       ScanVerdict::unscannable, ScanVerdict::encrypted,
                                       ScanVerdict::error};
  for (const ScanVerdict verdict : kVerdicts) {
    counter("mxfeed_scan_results_total",
            "result=\"" + std::string(to_string(verdict)) + "\"")
        .set(board_.results[static_cast<std::size_t>(verdict)]);
  }
  counter("mxfeed_scan_parts_fed_total").set(board_.parts_fed);
  counter("mxfeed_scan_mails_fed_total").set(board_.mails_fed);
  counter("mxfeed_scan_bad_requests_total").set(board_.bad_requests);
  counter("mxfeed_scan_gone_clients_total").set(board_.gone_clients);
  counter("mxfeed_scan_tmpdir_faults_total").set(board_.scratch_faults);
  counter("mxfeed_scan_microseconds_total").set(board_.scan_micros);
  {
    const std::lock_guard lock(mutex_);
    gauge("mxfeed_scan_signatures").set(shown_.signatures);
    gauge("mxfeed_scan_workers").set(shown_.workers);
    gauge("mxfeed_scan_database_time_seconds")
        .set(static_cast<std::uint64_t>(
            std::max<std::int64_t>(0, shown_.newest.time_since_epoch().count())));
  }
  return render_metrics();
}

}  // namespace

int supervise(const SupervisorOptions& options) {
  return Supervisor(options).run();
}

}  // namespace mxfeed::virus
