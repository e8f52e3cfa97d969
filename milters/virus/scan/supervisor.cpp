// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/supervisor.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/text.h"
#include "common/base/unix_socket.h"
#include "common/policy/policy_db.h"
#include "common/program/service.h"
#include "milters/virus/scan/board.h"
#include "milters/virus/scan/database.h"
#include "milters/virus/scan/load_schedule.h"
#include "milters/virus/scan/scan_status.h"
#include "milters/virus/scan/scratch.h"
#include "milters/virus/scan/zygote_process.h"

namespace mxfeed::virus {
namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr seconds kLoadLimit{600};
constexpr seconds kDrainMargin{10};
constexpr int kBacklog = 4096;
constexpr std::string_view kPathScheme = "unix:";
constexpr std::string_view kDescriptorScheme = "fd:";
constexpr std::uint64_t kMostDescriptor = 1023;

unsigned count_cores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

// The value of --socket.
std::string socket_of(const ServiceContext& context) {
  const std::string& given = context.options.socket;
  if (!given.empty()) return given;
  return std::string(kPathScheme) + (context.data / "scan.sock").string();
}

UnixListener listen_at(std::string_view socket) {
  if (socket.starts_with(kPathScheme)) {
    return {socket.substr(kPathScheme.size()), SOCK_SEQPACKET, 0660, kBacklog};
  }
  const auto fd = socket.starts_with(kDescriptorScheme)
                      ? parse_unsigned(socket.substr(kDescriptorScheme.size()))
                      : std::nullopt;
  if (!fd || *fd > kMostDescriptor) {
    throw Fault("listen", std::string(socket), "neither unix:PATH nor fd:NUMBER");
  }
  return UnixListener::handed_over(static_cast<int>(*fd), SOCK_SEQPACKET);
}

Fd lock_data(const std::filesystem::path& data) {
  const std::filesystem::path path = data / "lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) throw Fault("open", path.string(), errno_text(errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Fault("start", data.string(), "another mxfeed-scan uses this directory");
  }
  return fd;
}

std::filesystem::path pick_scratch(const ServiceContext& context) {
  const auto asked = context.options.own.find("tmpdir");
  return prepare_scratch(asked == context.options.own.end() ? "" : asked->second,
                         context.data);
}

// The workers of a zygote that died become our children, so that we reap them.
Fd watch_children() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw Fault("start", "signals", errno_text(errno));
  return fd;
}

class Supervisor : public Program {
 public:
  explicit Supervisor(const ServiceContext& context)
      : policy_(context.policy),
        lock_(lock_data(context.data)),
        socket_(socket_of(context)),
        scratch_(pick_scratch(context)),
        board_fd_(make_board()),
        board_(map_board(board_fd_.get())),
        children_(watch_children()) {
    log(is_in_memory(scratch_) ? Severity::info : Severity::warning,
        LogFields()
            .add("event", "scratch")
            .add("directory", scratch_.string())
            .add("in_memory", is_in_memory(scratch_) ? "yes" : "no"));
  }

  ~Supervisor() override { discard_scratch(scratch_); }

  void start() override {
    listener_ = listen_at(socket_);
    generation_ = policy_.get()->gateway().generation;
    look(true);
  }
  // Also without signatures or a policy: the service manager must not wait for ever.
  bool is_ready() const override { return has_tried_ || policy_.get()->fault(); }

  // Reports come before deaths: the last report of a zygote tells why it ends.
  void watch(std::vector<pollfd>& watched) const override {
    if (loading_) watched.push_back({loading_->control(), POLLIN, 0});
    if (serving_) watched.push_back({serving_->control(), POLLIN, 0});
    watched.push_back({children_.get(), POLLIN, 0});
  }
  void on_ready(const pollfd& ready) override {
    if (loading_ && ready.fd == loading_->control()) {
      if (const auto report = loading_->receive()) on_load_report(*report);
    } else if (serving_ && ready.fd == serving_->control()) {
      if (const auto report = serving_->receive()) on_serving_report(*report);
    } else if (ready.fd == children_.get()) {
      signalfd_siginfo ignored;
      while (::read(children_.get(), &ignored, sizeof ignored) > 0) {
      }
      reap();
    }
  }

  void on_reload(ReloadCause cause) override {
    if (cause == ReloadCause::asked) look(true);
  }
  void on_tick() override {
    reap();  // in case a SIGCHLD was missed
    if (draining_) return;
    make_scratch(scratch_);
    restore_socket();
    if (loading_ && Monotonic::now() - loading_->started() > kLoadLimit) loading_->kill();
    look(false);
  }

  void begin_drain() override {
    draining_ = true;
    // Who waits at a socket that was handed over is the next process's to serve.
    const auto order =
        listener_->is_handed_over() ? ZygoteOrder::retire : ZygoteOrder::drain;
    listener_->unlink();
    listener_.reset();
    if (loading_) {
      loading_->kill();
      retiring_.push_back(*std::exchange(loading_, std::nullopt));
    }
    if (serving_) {
      serving_->order(order);
      retiring_.push_back(*std::exchange(serving_, std::nullopt));
    }
  }
  std::size_t in_progress() const override { return retiring_.size(); }
  seconds drain_limit() const override {
    return policy_.get()->gateway().virus.max_scan_time + kDrainMargin;
  }

  std::string_view state() const override {
    return to_string(state_of(serving_.has_value(), loading_.has_value()));
  }
  std::uint64_t generation(std::uint64_t) const override { return generation_; }
  void describe(StatusSnapshot& snapshot) const override {
    virus::describe(status(), system_time(), snapshot);
  }
  void update_metrics() override { virus::update_metrics(status(), board_); }

 private:
  void look(bool asked);
  bool make_room();
  void start_load();
  void on_load_report(const ZygoteReport& report);
  void put_in_force();
  void load_failed(std::string cause);
  void on_serving_report(const ZygoteReport& report);
  void serving_died(int status);
  void lost_engine();
  void count_deaths(const ZygoteReport& report);
  void reap();
  void restore_socket();
  ScanStatus status() const;

  LivePolicy& policy_;
  const Fd lock_;
  const std::string socket_;
  const std::filesystem::path scratch_;
  const Fd board_fd_;
  Board& board_;
  const Fd children_;
  std::optional<UnixListener> listener_;

  LoadSchedule schedule_;
  DatabaseState database_;  // as of the last look
  DatabaseState loading_database_, serving_database_;
  std::optional<ZygoteProcess> loading_, serving_;
  std::vector<ZygoteProcess> retiring_;
  std::uint64_t generation_ = 0;  // of the policy whose settings are in force
  std::string load_fault_;        // of the last attempt
  std::string former_database_;   // of the last engine that was not lost; empty: none
  unsigned former_signatures_ = 0;
  std::uint64_t load_memory_ = 0;  // of all engines when the last load ended, in bytes
  std::string socket_fault_;       // logged once
  bool has_tried_ = false;         // to load signatures
  bool draining_ = false;

  Metric& loads_ok_ = counter("mxfeed_scan_loads_total", "outcome=\"ok\"");
  Metric& loads_failed_ = counter("mxfeed_scan_loads_total", "outcome=\"failed\"");
  Metric& worker_deaths_ = counter("mxfeed_scan_worker_deaths_total");
  Metric& forbidden_calls_ = counter("mxfeed_scan_forbidden_calls_total");
  Metric& engines_lost_ = counter("mxfeed_scan_engines_lost_total");
  Metric& zygote_deaths_ = counter("mxfeed_scan_zygote_deaths_total");
};

void Supervisor::look(bool asked) {
  if (draining_) return;
  const std::shared_ptr<const PolicyDb> policy = policy_.get();
  // Defaults might be laxer than what the operator has set.
  if (policy->fault()) return;
  const GatewayPolicy& gateway = policy->gateway();
  database_ = look_at_database(gateway.virus.database);
  schedule_.observe({gateway.virus, database_.fingerprint}, Monotonic::now());
  if (schedule_.in_force() && schedule_.in_force()->settings == gateway.virus) {
    generation_ = gateway.generation;
  }
  if (!schedule_.wants_load(Monotonic::now(), asked)) return;
  if (gateway.virus.reload_in_place && !make_room()) return;
  start_load();
}

// Ends the engine in force, as a load in place needs its memory; false while it still has
// some.  Requests wait for the next engine.
bool Supervisor::make_room() {
  if (serving_) {
    log(Severity::info, LogFields()
                            .add("event", "engine-retired")
                            .add("zygote", serving_->pid())
                            .add("why", "signatures are loaded in place"));
    serving_->order(ZygoteOrder::retire);
    retiring_.push_back(*std::exchange(serving_, std::nullopt));
    serving_database_ = {};
    schedule_.engine_retired();
  }
  return retiring_.empty();
}

void Supervisor::start_load() {
  ZygoteTask task;
  task.settings = schedule_.observed().settings;
  if (task.settings.workers == 0) task.settings.workers = count_cores();
  task.scratch = scratch_;
  task.in_background = serving_.has_value();
  if (former_database_ == task.settings.database) {
    task.former_signatures = former_signatures_;
  }
  schedule_.load_began();
  loading_database_ = database_;
  try {
    loading_.emplace(task, listener_->get(), board_fd_.get(), Monotonic::now());
  } catch (const Fault& fault) {
    return load_failed(fault.what());
  }
  log(Severity::info, LogFields()
                          .add("event", "load")
                          .add("database", task.settings.database)
                          .add("zygote", loading_->pid()));
}

void Supervisor::on_load_report(const ZygoteReport& report) {
  if (std::holds_alternative<EngineReady>(report)) {
    put_in_force();
  } else if (const auto* failed = std::get_if<LoadFailed>(&report)) {
    retiring_.push_back(*std::exchange(loading_, std::nullopt));
    load_failed(failed->cause);
  } else if (std::holds_alternative<EngineLost>(report)) {
    retiring_.push_back(*std::exchange(loading_, std::nullopt));
    load_failed("a worker did not find the test signature");
  } else {
    count_deaths(report);
  }
}

void Supervisor::put_in_force() {
  load_memory_ = loading_->most_memory();
  if (serving_) {
    load_memory_ += serving_->memory();
    serving_->order(ZygoteOrder::retire);
    retiring_.push_back(*std::exchange(serving_, std::nullopt));
  }
  serving_ = std::exchange(loading_, std::nullopt);
  serving_database_ = loading_database_;
  const auto now = Monotonic::now();
  schedule_.load_succeeded(now);
  load_fault_.clear();
  loads_ok_.add();
  has_tried_ = true;
  former_database_ = schedule_.in_force()->settings.database;
  former_signatures_ = serving_->engine()->signatures;
  const std::shared_ptr<const PolicyDb> policy = policy_.get();
  if (schedule_.in_force()->settings == policy->gateway().virus) {
    generation_ = policy->gateway().generation;
  }
  log(Severity::info,
      LogFields()
          .add("event", "engine")
          .add("signatures", serving_->engine()->signatures)
          .add("zygote", serving_->pid())
          .add("memory_mib", load_memory_ >> 20)
          .add("seconds",
               std::chrono::duration_cast<seconds>(now - serving_->started()).count()));
}

void Supervisor::load_failed(std::string cause) {
  has_tried_ = true;
  schedule_.load_failed(Monotonic::now());
  load_fault_ = std::move(cause);
  loads_failed_.add();
  log(Severity::error, LogFields()
                           .add("event", "load")
                           .add("fault", load_fault_)
                           .add("in_force", serving_ ? "the previous engine" : "none"));
}

void Supervisor::on_serving_report(const ZygoteReport& report) {
  count_deaths(report);
  if (!std::holds_alternative<EngineLost>(report)) return;
  engines_lost_.add();
  log(Severity::error, LogFields()
                           .add("event", "engine-lost")
                           .add("zygote", serving_->pid())
                           .add("fault", "a worker did not find the test signature"));
  retiring_.push_back(*std::exchange(serving_, std::nullopt));
  lost_engine();
}

void Supervisor::serving_died(int status) {
  zygote_deaths_.add();
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  log(Severity::error, LogFields()
                           .add("event", "zygote-died")
                           .add("signal", signal == 0 ? "none" : sigabbrev_np(signal)));
  serving_.reset();
  lost_engine();
}

void Supervisor::lost_engine() {
  serving_database_ = {};
  // Whatever took it, the number of its signatures tells nothing about the next one.
  former_database_.clear();
  schedule_.engine_lost(Monotonic::now());
  look(false);
}

void Supervisor::count_deaths(const ZygoteReport& report) {
  const auto* died = std::get_if<WorkerDied>(&report);
  if (died == nullptr) return;
  worker_deaths_.add();
  if (died->signal == SIGSYS) forbidden_calls_.add();
}

void Supervisor::reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    remove_scratch(scratch_, pid);
    const auto retired =
        std::find_if(retiring_.begin(), retiring_.end(),
                     [pid](const ZygoteProcess& zygote) { return zygote.pid() == pid; });
    if (retired != retiring_.end()) {
      retiring_.erase(retired);
      if (!serving_ && !loading_) look(false);  // there may be room now
    } else if (loading_ && loading_->pid() == pid) {
      const auto cause = loading_->cause_of_end();
      loading_.reset();
      load_failed(cause.value_or("the zygote ended while loading"));
    } else if (serving_ && serving_->pid() == pid) {
      serving_died(status);
    }
    // Otherwise it was a worker that outlived its zygote.
  }
}

// Without its file nobody can connect.  Clients that are already connected are served by
// the workers of the old listener, which then end.
void Supervisor::restore_socket() {
  if (listener_->is_at_path() || is_listened_at(listener_->path())) return;
  LogFields fields;
  fields.add("event", "scan_socket").add("socket", listener_->path().string());
  try {
    if (listener_->is_handed_over()) {
      throw Fault("listen", listener_->path().string(),
                  "the socket was removed; its service manager must open it again");
    }
    listener_ = listen_at(socket_);
    socket_fault_.clear();
    for (const auto* zygote : {&loading_, &serving_}) {
      if (*zygote) (*zygote)->pass_listener(listener_->get());
    }
    counter("mxfeed_sockets_restored_total", R"(socket="scan")").add();
    log(Severity::warning, fields.add("result", "the socket was removed; bound again"));
  } catch (const Fault& fault) {
    if (socket_fault_ == fault.what()) return;  // comes every second: logged once
    socket_fault_ = fault.what();
    log(Severity::error, fields.add("fault", fault.what()));
  }
}

ScanStatus Supervisor::status() const {
  ScanStatus status;
  status.state = state_of(serving_.has_value(), loading_.has_value());
  status.database = policy_.get()->gateway().virus.database;
  if (serving_) {
    status.signatures = serving_->engine()->signatures;
    status.reads_rar = serving_->engine()->reads_rar;
    status.workers = serving_->workers();
    status.newest = serving_database_.newest;
    status.last_proof = Time(seconds(board_.last_proof.load()));
  }
  status.scratch = scratch_;
  status.is_reachable = listener_ && listener_->is_at_path();
  status.load_fault = load_fault_;
  status.load_memory = load_memory_;
  return status;
}

}  // namespace

int run_supervisor(int argc, char** argv) {
  const ServiceSpec spec{"scan",
                         {"mxfeed-scan", false, "SPEC", {{"tmpdir", "DIR"}}},
                         [](const ServiceContext& context) {
                           return std::make_unique<Supervisor>(context);
                         }};
  return run_service(argc, argv, spec);
}

}  // namespace mxfeed::virus
