// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/call_outs.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <random>
#include <utility>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/net/mail_hosts.h"
#include "postfix-conf/recipients/route.h"

namespace mxfeed::recipients {
namespace {

using Monotonic = std::chrono::steady_clock;

// Beyond that, routes that nobody uses are forgotten.
constexpr std::size_t kMostRoutes = 10'000;

Fd make_eventfd() {
  Fd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) throw Fault("make eventfd", "call-outs", errno_text(errno));
  return fd;
}

std::string_view to_string(Contact contact) {
  switch (contact) {
    case Contact::none:
      return "none";
    case Contact::not_askable:
      return "not_askable";
    case Contact::answered:
      break;
  }
  return "answered";
}

void count(Contact contact) {
  counter("mxfeed_recipients_call_outs_total",
          fmt::format(R"(contact="{}")", to_string(contact)))
      .add();
}

std::string random_local_part() {
  std::random_device random;
  return fmt::format("mxfeed-{:08x}{:08x}", random(), random());
}

Query query_for(const Recipient& recipient, const Server& server,
                const std::optional<std::string>& neighbour) {
  Query query{recipient, {}, {}};
  const Probes due = probes_due(server, system_time());
  const std::string at_domain = "@" + recipient.domain();
  if (due.random) query.random = Recipient::parse(random_local_part() + at_domain);
  if (due.control) {
    query.control = Recipient::parse(neighbour.value_or("postmaster" + at_domain));
  }
  return query;
}

// Names must not lead back to this host; apply and the keeper look closer.
bool may_ask(const IpAddress& address) {
  return !address.is_loopback() && !address.is_unspecified() && !address.is_multicast() &&
         !address.is_link_local();
}

}  // namespace

CallOuts::CallOuts(Store& store, const CallOutLimits& limits)
    : store_(store), limits_(limits), wake_(make_eventfd()), resolver_({}) {
  for (unsigned i = 0; i < limits_.threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

CallOuts::~CallOuts() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void CallOuts::use(const CallOutSource& source) {
  const std::lock_guard lock(mutex_);
  source_ = source;
}

CallOuts::Route& CallOuts::route(const std::string& name) {
  const auto now = Monotonic::now();
  if (routes_.size() >= kMostRoutes) {
    for (auto at = routes_.begin(); at != routes_.end();) {
      Route& one = at->second;
      const bool is_unused = one.waiting + one.running == 0 && one.rate.is_idle(now);
      at = is_unused ? routes_.erase(at) : std::next(at);
    }
  }
  const auto found = routes_.find(name);
  if (found != routes_.end()) return found->second;
  const RateLimit rate(limits_.burst_by_route, limits_.rate_by_route, now);
  return routes_.emplace(name, Route{rate, 0, 0, {}}).first->second;
}

bool CallOuts::ask(const Recipient& recipient, const std::string& name) {
  const auto now = Monotonic::now();
  {
    const std::lock_guard lock(mutex_);
    if (asked_.contains(recipient.key())) return true;
    Route& used = route(name);
    if (waiting_.size() >= limits_.waiting || used.waiting >= limits_.waiting_by_route ||
        !used.rate.take(now)) {
      return false;
    }
    ++used.waiting;
    asked_.insert(recipient.key());
    waiting_.push_back({recipient, name, now});
    gauge("mxfeed_recipients_call_outs_waiting").set(waiting_.size());
  }
  changed_.notify_one();
  return true;
}

bool CallOuts::run(std::function<void()> chore) {
  {
    const std::lock_guard lock(mutex_);
    if (chores_.size() >= limits_.waiting) return false;
    chores_.push_back(std::move(chore));
  }
  changed_.notify_one();
  return true;
}

bool CallOuts::is_running(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return running_.contains(key);
}

std::size_t CallOuts::running() const {
  const std::lock_guard lock(mutex_);
  return working_;
}

std::vector<CallOuts::Result> CallOuts::take_results() {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto read = ::read(wake_.get(), &ignored, sizeof ignored);
  const std::lock_guard lock(mutex_);
  return std::exchange(results_, {});
}

// The first one whose route has room; those that nobody waits for any more are dropped.
std::optional<CallOuts::Job> CallOuts::next_job() {
  const auto now = Monotonic::now();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    Route& used = route(at->route);
    const bool is_late = now - at->asked > limits_.time;
    if (!is_late && used.running >= limits_.running_by_route) {
      ++at;
      continue;
    }
    Job job = std::move(*at);
    at = waiting_.erase(at);
    --used.waiting;
    gauge("mxfeed_recipients_call_outs_waiting").set(waiting_.size());
    if (is_late) {
      asked_.erase(job.recipient.key());
      continue;
    }
    ++used.running;
    running_.insert(job.recipient.key());
    return job;
  }
  return std::nullopt;
}

std::function<void()> CallOuts::next_chore() {
  if (chores_.empty()) return {};
  auto chore = std::move(chores_.front());
  chores_.pop_front();
  return chore;
}

void CallOuts::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    std::function<void()> chore;
    std::optional<Job> job;
    changed_.wait(lock, [&] {
      if (is_stopping_) return true;
      chore = next_chore();
      if (!chore) job = next_job();
      return chore || job;
    });
    if (!chore && !job) return;
    ++working_;
    lock.unlock();
    if (chore) {
      chore();
      lock.lock();
      --working_;
      continue;
    }
    Result result = carry_out(*job);
    count(result.report.heard.contact);
    lock.lock();
    asked_.erase(result.key);
    running_.erase(result.key);
    --working_;
    --route(job->route).running;
    results_.push_back(std::move(result));
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
    // One that waits for this route may start.
    changed_.notify_one();
  }
}

CallOuts::Result CallOuts::carry_out(const Job& job) {
  Knowledge before;
  std::optional<std::string> neighbour;
  try {
    before = store_.find(job.recipient);
    neighbour = store_.accepted_neighbour(job.recipient);
  } catch (const Fault& fault) {
    complain(fault);
  }
  Report report = report_for(job, query_for(job.recipient, before.server, neighbour));
  const auto step = [&](Knowledge known) {
    return learn(std::move(known), report.heard, system_time());
  };
  Knowledge after;
  try {
    after = store_.update(job.recipient, step);
  } catch (const Fault& fault) {
    complain(fault);
    after = step(before);
  }
  return {job.recipient.key(), std::move(after), std::move(report)};
}

Report CallOuts::report_for(const Job& job, const Query& query) {
  const auto now = Monotonic::now();
  CallOutSource source;
  {
    const std::lock_guard lock(mutex_);
    // Domains may share a server: each would wait for it in vain.
    const auto& failed = route(job.route).failed;
    if (failed && now - *failed < kTryAgainAfter) {
      return {{}, "", "the server did not answer another call-out"};
    }
    source = source_;
  }
  const auto deadline = now + limits_.time;
  Report report =
      call_out(query, resolve(job.route, source, deadline), source.helo, deadline);
  const std::lock_guard lock(mutex_);
  auto& failed = route(job.route).failed;
  if (report.heard.contact == Contact::none) {
    failed = Monotonic::now();
  } else {
    failed.reset();
  }
  return report;
}

std::vector<smtp::Target> CallOuts::resolve(const std::string& name,
                                            const CallOutSource& source,
                                            Instant deadline) {
  std::vector<smtp::Target> targets;
  const auto add = [&](const IpAddress& address, std::uint16_t port) {
    targets.push_back({address, port, address.is_v4() ? source.v4 : source.v6});
  };
  for (const NextHop& hop : parse_route(name)) {
    if (const auto address = IpAddress::parse(hop.host)) {
      add(*address, hop.port);
      continue;
    }
    auto lookup = resolver_.by(deadline);
    for (const auto& address : dns::addresses_of(hop.host, lookup).addresses) {
      if (may_ask(address)) add(address, hop.port);
    }
  }
  return targets;
}

}  // namespace mxfeed::recipients
