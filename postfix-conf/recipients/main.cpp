// SPDX-License-Identifier: GPL-2.0-or-later
//
// mxfeed-recipients [--socket SPEC] [--state DIR] [--foreground]
//   --socket  unix:PATH or fd:3 (socket activation)
//
// Postfix asks it by check_policy_service, for the recipients of domains with
// recipients = "callout".  The superuser may also say request=mxfeed_delivered and
// recipient=: a message was delivered to that address.

#include <sys/timerfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/program/redis_options.h"
#include "common/program/service.h"
#include "postfix-conf/recipients/call_outs.h"
#include "postfix-conf/recipients/desk.h"
#include "postfix-conf/recipients/policy_clients.h"
#include "postfix-conf/recipients/redis_store.h"
#include "postfix-conf/recipients/shared_store.h"
#include "postfix-conf/recipients/store.h"

namespace mxfeed::recipients {
namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::seconds;

// How long a question waits: somewhat longer than a call-out takes.
constexpr seconds kQuestionWaits{6};
constexpr seconds kDrainLimit{8};

std::string socket_of(const ServiceContext& context) {
  const std::string& given = context.options.socket;
  if (!given.empty()) return given;
  return "unix:" + (context.data / "recipients.sock").string();
}

Fd make_timer() {
  Fd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!fd) throw Fault("make timer", "recipients", errno_text(errno));
  return fd;
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

// As Postfix delivers.
CallOutSource source_of(const GatewayPolicy& gateway) {
  CallOutSource source;
  source.helo = gateway.host_name.empty() ? host_name() : gateway.host_name;
  for (const Network& one : gateway.host_addresses) {
    auto& address = one.base.is_v4() ? source.v4 : source.v6;
    if (!address) address = one.base;
  }
  return source;
}

class RecipientsProgram : public Program {
 public:
  explicit RecipientsProgram(const ServiceContext& context)
      : state_(context.options.state),
        policy_(context.policy),
        store_(open_sqlite_store(context.data / "recipients.db")),
        call_outs_(store_, limits_),
        desk_(store_, call_outs_, kQuestionWaits,
              [this](Desk::Ticket ticket, std::string_view reply) {
                clients_.answer(ticket, reply);
              }),
        clients_(socket_of(context),
                 [this](PolicyClients::ClientId client, const PolicyRequest& request) {
                   desk_.ask(client, request, Monotonic::now());
                 }),
        timer_(make_timer()) {
    try {
      use_policy();
    } catch (const Fault& fault) {
      // Without routes the rules of the domains decide, until the next generation.
      log(Severity::error,
          LogFields().add("event", "recipients-route").add("fault", fault.what()));
    }
  }

  void watch(std::vector<pollfd>& watched) const override {
    watched.push_back({call_outs_.descriptor(), POLLIN, 0});
    watched.push_back({timer_.get(), POLLIN, 0});
    clients_.watch(watched);
  }

  void on_ready(const pollfd& ready) override {
    if (ready.fd == call_outs_.descriptor()) {
      desk_.take_results(Monotonic::now());
    } else if (ready.fd == timer_.get()) {
      desk_.expire(Monotonic::now());
    } else {
      clients_.on_ready(ready);
    }
    set_timer();
  }

  void on_reload(ReloadCause) override { use_policy(); }

  void on_tick() override {
    clients_.restore();
    if (!is_sweeping_.exchange(true) && !call_outs_.run([this] { sweep(); })) {
      is_sweeping_ = false;
    }
  }

  void begin_drain() override { clients_.begin_drain(); }
  std::size_t in_progress() const override { return clients_.waiting(); }
  std::chrono::seconds drain_limit() const override { return kDrainLimit; }
  bool leaves_threads() const override { return call_outs_.running() > 0; }

  void describe(StatusSnapshot& snapshot) const override {
    snapshot.add("waiting", clients_.waiting())
        .add("call_outs", call_outs_.running())
        .add("redis", to_string(store_.state()));
  }

 private:
  // In a thread of the call-outs: it may wait for the disk.
  void sweep() {
    try {
      counter("mxfeed_recipients_swept_total").add(store_.sweep(system_time()));
    } catch (const Fault& fault) {
      complain(fault);
    }
    is_sweeping_ = false;
  }

  void use_redis() {
    const auto wanted = policy_.get()->gateway().redis;
    if (wanted == redis_) return;
    if (const auto options = redis_options(wanted)) {
      store_.use(open_redis_store({*options, wanted.prefix}));
    } else {
      store_.use(nullptr);
    }
    redis_ = wanted;
  }

  void use_policy() {
    use_redis();
    // By the link's target, so that all is of one generation.
    const auto target = read_link(state_ / "current");
    if (!target) return;
    desk_.use(std::make_shared<Routes>(state_ / *target / "transport.cdb"));
    call_outs_.use(source_of(policy_.get()->gateway()));
  }

  void set_timer() {
    itimerspec at{};
    if (const auto next = desk_.next_deadline()) {
      const auto since = next->time_since_epoch();
      const auto whole = std::chrono::duration_cast<seconds>(since);
      at.it_value.tv_sec = static_cast<time_t>(whole.count());
      at.it_value.tv_nsec = static_cast<long>(
          std::chrono::duration_cast<std::chrono::nanoseconds>(since - whole).count());
    }
    // All zero turns it off.
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
  }

  const std::filesystem::path state_;
  LivePolicy& policy_;
  const CallOutLimits limits_;
  SharedStore store_;
  GatewayPolicy::Redis redis_;  // that `store_` uses
  std::atomic<bool> is_sweeping_{false};
  CallOuts call_outs_;
  Desk desk_;
  PolicyClients clients_;
  const Fd timer_;
};

}  // namespace
}  // namespace mxfeed::recipients

int main(int argc, char** argv) {
  using namespace mxfeed;
  OptionSet options{"mxfeed-recipients"};
  options.needs_socket = false;
  return run_service(argc, argv,
                     {"recipients", options, [](const ServiceContext& context) {
                        return std::make_unique<recipients::RecipientsProgram>(context);
                      }});
}
