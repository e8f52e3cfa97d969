// SPDX-License-Identifier: GPL-2.0-or-later
//
// SPF checks beside an SMTP dialog, in threads of their own.
//
//   spf::Checks checks(resolver);
//   spf::Check check = checks.begin(session, now + 5s);
//   ...
//   const spf::Verdict verdict = check.wait();
//
// The number of threads and of checks that wait for one is bounded; a check beyond the
// limits is a temperror at once.
//
// Metrics: mxfeed_spf_checks_waiting, mxfeed_spf_checks_refused_total.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "common/net/dns.h"
#include "common/net/resolver.h"
#include "common/net/spf.h"

namespace mxfeed::spf {

struct CheckLimits {
  std::size_t threads = 64;  // started as they are needed
  std::size_t waiting = 1000;
};

// A check in progress.  Who destroys it gives it up: no more questions are asked.
class Check {
 public:
  Check(Check&&) noexcept = default;
  Check& operator=(Check&&) noexcept;
  ~Check();

  // The verdict; a temperror if there is none by the deadline.
  Verdict wait();

 private:
  friend class Checks;
  struct Job;
  explicit Check(std::shared_ptr<Job> job);
  std::shared_ptr<Job> job_;
};

// Thread-safe.  Deadlines are by the steady clock.
class Checks {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  // Answers the questions of one check; all its answers come by the deadline.
  using Lookups = std::function<std::unique_ptr<dns::Lookup>(Instant deadline)>;

  explicit Checks(Lookups lookups, const CheckLimits& limits = {});
  // The resolver must outlive it.
  explicit Checks(dns::Resolver& resolver);
  // Waits for the checks in progress.  No Check::wait() may be in progress.
  ~Checks();
  Checks(const Checks&) = delete;
  Checks& operator=(const Checks&) = delete;

  // Starts a check of MAIL FROM, or of HELO for the null sender.  Returns at once.
  Check begin(Session session, Instant deadline);

 private:
  using JobPtr = std::shared_ptr<Check::Job>;

  void work();
  bool add_thread();
  void run(Check::Job& job) const;

  const Lookups lookups_;
  const CheckLimits limits_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::deque<JobPtr> waiting_;
  std::size_t idle_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace mxfeed::spf
