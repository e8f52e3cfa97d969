// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/notify.h"
#include "common/program/status.h"

namespace mxfeed {
namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTick{1000};
constexpr milliseconds kDrainLook{20};
constexpr int kSignals[] = {SIGTERM, SIGINT, SIGUSR1};

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
  for (const int number : kSignals) sigaddset(&set, number);
  return set;
}

// From here on a signal becomes a byte in the pipe.  Threads that are started before
// unblock_signals() never receive signals.
Fd route_signals() {
  const sigset_t set = our_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    throw Fault("make pipe", "signals", errno_text(errno));
  }
  signal_pipe = ends[1];
  struct sigaction action {};
  action.sa_handler = forward_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  return Fd(ends[0]);
}

void unblock_signals() {
  const sigset_t set = our_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

std::filesystem::path make_data(const std::filesystem::path& state,
                                std::string_view name) {
  std::filesystem::path data = state / name;
  std::error_code error;
  std::filesystem::create_directories(data, error);
  if (error) throw Fault("create directory", data.string(), error.message());
  return data;
}

class Service {
 public:
  Service(const ServiceSpec& spec, const ServiceOptions& options)
      : spec_(spec),
        options_(options),
        data_(make_data(options.state, spec.name)),
        policy_(options.state),
        signals_(route_signals()),
        program_(spec.make(ServiceContext{options_, data_, policy_})) {
    const auto policy = policy_.get();
    if (policy->fault()) begin_without_policy(*policy->fault());
  }

  // Returns the exit status.
  int run() {
    program_->start();
    status_.emplace(data_ / "status.sock",
                    [this](std::string_view command) { return answer(command); });
    unblock_signals();
    log(Severity::notice, LogFields()
                              .add("event", "start")
                              .add("socket", options_.socket)
                              .add("generation", generation()));
    program_->on_tick();
    while (!stop_asked_ && !program_->has_ended()) {
      tell_ready();
      step(kTick);
    }
    drain();
    status_.reset();
    log(Severity::notice, LogFields().add("event", "stop"));
    return stop_asked_ ? 0 : 1;
  }

  bool leaves_threads() const { return program_->leaves_threads(); }

 private:
  // The next generation is taken as any other.
  void begin_without_policy(const Fault& fault) {
    policy_fault_ = fault.what();
    counter("mxfeed_reloads_total", R"(result="fault")").add();
    log(Severity::error, LogFields()
                             .add("event", "no_policy")
                             .add("fault", policy_fault_)
                             .add("hint", "run mxfeed apply"));
  }

  void tell_ready() {
    if (told_ready_ || !program_->is_ready()) return;
    told_ready_ = true;
    notify_manager("READY=1");
  }

  // One round of the loop; waits at most `most`.
  void step(milliseconds most) {
    std::vector<pollfd> watched;
    program_->watch(watched);
    const std::size_t programs = watched.size();
    status_->watch(watched);
    watched.push_back({signals_.get(), POLLIN, 0});
    const auto left = std::chrono::ceil<milliseconds>(next_tick_ - Monotonic::now());
    const auto wait = std::clamp(left, milliseconds(0), most);
    if (::poll(watched.data(), watched.size(), static_cast<int>(wait.count())) < 0) {
      if (errno != EINTR) throw Fault("wait", "poll", errno_text(errno));
      for (pollfd& one : watched) one.revents = 0;
    }
    for (std::size_t i = 0; i < watched.size(); ++i) {
      if (watched[i].revents == 0) continue;
      if (i < programs) {
        program_->on_ready(watched[i]);
      } else {
        status_->on_ready(watched[i], Monotonic::now());
      }
    }
    take_signals();
    if (Monotonic::now() >= next_tick_) tick();
  }

  void take_signals() {
    unsigned char number = 0;
    while (::read(signals_.get(), &number, 1) == 1) {
      if (number != SIGUSR1) {
        stop_asked_ = true;
      } else if (!draining_) {
        reload(ReloadCause::asked);
      }
    }
  }

  void tick() {
    const auto now = Monotonic::now();
    next_tick_ = now + kTick;
    status_->on_tick(now);
    if (!draining_) {
      // Not while draining: a successor may own the path by then.
      status_->restore();
      reload(ReloadCause::changed);
      if (!told_ready_) notify_manager("EXTEND_TIMEOUT_USEC=30000000");
    }
    try {
      program_->on_tick();
      tick_fault_.clear();
    } catch (const std::exception& error) {
      counter("mxfeed_faults_total").add();
      if (tick_fault_ == error.what()) return;  // comes every second: logged once
      tick_fault_ = error.what();
      log(Severity::error, LogFields().add("event", "tick").add("fault", error.what()));
    }
  }

  // Starts using the generation that `current` names.
  void reload(ReloadCause cause) {
    const bool asked = cause == ReloadCause::asked;
    bool changed = false;
    if (!attempt(policy_fault_, asked, [&] { changed = policy_.reload(); }) && !asked) {
      return;
    }
    if (!changed && !asked) return;
    if (!attempt(reload_fault_, asked, [&] { program_->on_reload(cause); })) return;
    counter("mxfeed_reloads_total", R"(result="done")").add();
    log(Severity::notice,
        LogFields().add("event", "reload").add("generation", generation()));
  }

  // Does the work; false after an exception.  The same exception is logged again only if
  // `always`: the work may be tried every second.
  template <typename Work>
  bool attempt(std::string& fault, bool always, const Work& work) {
    try {
      work();
      fault.clear();
      return true;
    } catch (const std::exception& error) {
      if (!always && fault == error.what()) return false;
      fault = error.what();
      counter("mxfeed_reloads_total", R"(result="fault")").add();
      log(Severity::error, LogFields()
                               .add("event", "reload")
                               .add("generation", generation())
                               .add("fault", fault));
      return false;
    }
  }

  std::string answer(std::string_view command) {
    if (command == "metrics") {
      gauge("mxfeed_no_policy").set(has_policy() ? 0 : 1);
      program_->update_metrics();
      return render_metrics();
    }
    if (command == "reload" && !draining_) reload(ReloadCause::asked);
    if (command == "reload" || command == "status") return snapshot().to_string();
    return "error: unknown command; use status, metrics or reload\n";
  }

  StatusSnapshot snapshot() const {
    StatusSnapshot snapshot;
    snapshot.add("program", spec_.options.program)
        .add("version", MXFEED_VERSION)
        .add("pid", ::getpid())
        .add("state", state())
        .add("generation", program_->generation(generation()));
    program_->describe(snapshot);
    if (!policy_fault_.empty()) snapshot.add("policy_fault", policy_fault_);
    if (!reload_fault_.empty()) snapshot.add("reload_fault", reload_fault_);
    return snapshot;
  }

  std::string_view state() const {
    if (draining_) return "draining";
    return has_policy() ? program_->state() : "no_policy";
  }
  bool has_policy() const { return !policy_.get()->fault(); }
  std::uint64_t generation() const { return policy_.get()->gateway().generation; }

  void drain() {
    draining_ = true;
    notify_manager("STOPPING=1");
    program_->begin_drain();
    log(Severity::notice,
        LogFields().add("event", "drain").add("in_progress", program_->in_progress()));
    const auto deadline = Monotonic::now() + program_->drain_limit();
    while (!program_->is_drained() && Monotonic::now() < deadline) step(kDrainLook);
    if (const std::size_t cut = program_->in_progress(); cut > 0) {
      log(Severity::warning, LogFields().add("event", "drain").add("cut", cut));
    }
  }

  const ServiceSpec& spec_;
  const ServiceOptions options_;
  const std::filesystem::path data_;
  LivePolicy policy_;
  const Fd signals_;
  const std::unique_ptr<Program> program_;
  std::optional<StatusServer> status_;
  std::string policy_fault_, reload_fault_, tick_fault_;  // until it works again
  bool told_ready_ = false;
  bool stop_asked_ = false;
  bool draining_ = false;
  Monotonic::time_point next_tick_ = Monotonic::now() + kTick;
};

}  // namespace

int run_service(int argc, char** argv, const ServiceSpec& spec) {
  set_log_name(spec.options.program);
  const auto parsed = parse_options(argc, argv, spec.options);
  if (const int* const status = std::get_if<int>(&parsed)) return *status;
  std::unique_ptr<Service> service;
  int status = 1;
  try {
    service = std::make_unique<Service>(spec, std::get<ServiceOptions>(parsed));
    status = service->run();
  } catch (const std::exception& error) {
    log(Severity::error, error.what());
  }
  if (service && service->leaves_threads()) ::_exit(status);
  return status;
}

}  // namespace mxfeed
