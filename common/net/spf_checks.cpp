// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/spf_checks.h"

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "common/base/metrics.h"
#include "common/base/thread.h"

namespace mxfeed::spf {
namespace {

Metric& waiting_checks() {
  static Metric& metric = gauge("mxfeed_spf_checks_waiting");
  return metric;
}

Verdict temporary(const std::string& problem) {
  Verdict verdict;
  verdict.result = Result::temperror;
  verdict.problem = problem;
  return verdict;
}

}  // namespace

struct Check::Job {
  Job(Session asked, Checks::Instant until)
      : session(std::move(asked)), deadline(until) {}

  const Session session;
  const Checks::Instant deadline;
  std::atomic<bool> is_given_up{false};

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Verdict> verdict;

  void finish(Verdict found) {
    {
      const std::lock_guard lock(mutex);
      verdict = std::move(found);
    }
    changed.notify_all();
  }
};

namespace {

// Asks no more once nobody waits for the verdict.
class UntilGivenUp : public dns::Lookup {
 public:
  UntilGivenUp(dns::Lookup& lookup, const std::atomic<bool>& is_given_up)
      : lookup_(lookup), is_given_up_(is_given_up) {}
  dns::Answer ask(const dns::Question& question) override {
    if (is_given_up_) return dns::Answer::temporary(dns::Trouble::stopped);
    return lookup_.ask(question);
  }

 private:
  dns::Lookup& lookup_;
  const std::atomic<bool>& is_given_up_;
};

}  // namespace

Check::Check(std::shared_ptr<Job> job) : job_(std::move(job)) {}

Check::~Check() {
  if (job_) job_->is_given_up = true;
}

Check& Check::operator=(Check&& other) noexcept {
  std::swap(job_, other.job_);
  return *this;
}

Verdict Check::wait() {
  std::unique_lock lock(job_->mutex);
  const bool is_done = job_->changed.wait_until(
      lock, job_->deadline, [&] { return job_->verdict.has_value(); });
  if (is_done) return *job_->verdict;
  job_->is_given_up = true;
  return temporary("timed out");
}

Checks::Checks(Lookups lookups, const CheckLimits& limits)
    : lookups_(std::move(lookups)), limits_(limits) {
  static_cast<void>(waiting_checks());
}

Checks::Checks(dns::Resolver& resolver)
    : Checks([&resolver](Instant deadline) {
        return std::make_unique<dns::Resolver::Deadlined>(resolver, deadline);
      }) {}

Checks::~Checks() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  waiting_checks().subtract(waiting_.size());
}

Check Checks::begin(Session session, Instant deadline) {
  static Metric& refused = counter("mxfeed_spf_checks_refused_total");
  auto job = std::make_shared<Check::Job>(std::move(session), deadline);
  std::unique_lock lock(mutex_);
  const bool has_thread = idle_ > waiting_.size() || add_thread() || !threads_.empty();
  if (!has_thread || waiting_.size() >= limits_.waiting) {
    lock.unlock();
    refused.add();
    job->finish(temporary("too many checks at a time"));
  } else {
    waiting_.push_back(job);
    waiting_checks().add();
    lock.unlock();
    changed_.notify_one();
  }
  return Check(std::move(job));
}

// With mutex_ held.
bool Checks::add_thread() {
  if (threads_.size() >= limits_.threads) return false;
  try {
    threads_.push_back(start_thread([this] { work(); }));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void Checks::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [&] { return is_stopping_ || !waiting_.empty(); });
    --idle_;
    if (is_stopping_) return;
    const JobPtr job = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_checks().subtract();
    lock.unlock();
    run(*job);
    lock.lock();
  }
}

void Checks::run(Check::Job& job) const {
  // Too late: wait() has answered, or is about to.
  if (job.is_given_up || job.deadline <= std::chrono::steady_clock::now()) {
    return job.finish(temporary("timed out"));
  }
  try {
    const auto lookup = lookups_(job.deadline);
    UntilGivenUp questions(*lookup, job.is_given_up);
    job.finish(check_mail_from(job.session, questions));
  } catch (const std::exception& error) {
    job.finish(temporary(error.what()));
  }
}

}  // namespace mxfeed::spf
