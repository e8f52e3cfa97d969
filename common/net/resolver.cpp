// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/resolver.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/thread.h"

namespace mxfeed::dns {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestWait{60'000};

int make_eventfd() {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw Fault("set up DNS", "eventfd", errno_text(errno));
  return fd;
}

void count(const Answer& answer) {
  static Metric& found = counter("mxfeed_dns_answers_total", R"(status="found")");
  static Metric& absent = counter("mxfeed_dns_answers_total", R"(status="absent")");
  static Metric& temporary = counter("mxfeed_dns_answers_total", R"(status="temporary")");
  switch (answer.status) {
    case Status::found:
      return found.add();
    case Status::absent:
      return absent.add();
    case Status::temporary:
      return temporary.add();
  }
}

Metric& in_flight() {
  static Metric& metric = gauge("mxfeed_dns_in_flight");
  return metric;
}

}  // namespace

Resolver::Resolver(const ResolverSettings& settings)
    : settings_(settings),
      wake_(make_eventfd()),
      cache_(settings.cache),
      channel_(settings.servers),
      thread_(start_thread([this] { run(); })) {}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(inbox_mutex_);
    is_stopping_ = true;
  }
  wake();
  thread_.join();
}

Answer Resolver::ask(const Question& question, Instant deadline) {
  std::future<Answer> answer = ask_async(question, deadline);
  if (answer.wait_until(deadline) == std::future_status::ready) return answer.get();
  return Answer::temporary(Trouble::timed_out);
}

std::future<Answer> Resolver::ask_async(const Question& question, Instant deadline) {
  auto promise = std::make_shared<std::promise<Answer>>();
  std::future<Answer> future = promise->get_future();
  if (const auto answer = cached(question)) {
    promise->set_value(*answer);
  } else {
    ask_async(question, deadline,
              [promise](const Answer& value) { promise->set_value(value); });
  }
  return future;
}

void Resolver::ask_async(const Question& question, Instant deadline, Callback callback) {
  std::unique_lock lock(inbox_mutex_);
  if (waiting_ < settings_.most_waiting) {
    ++waiting_;
    inbox_.push_back({question, deadline, std::move(callback)});
    lock.unlock();
    return wake();
  }
  lock.unlock();
  const Answer answer = Answer::temporary(Trouble::overloaded);
  count(answer);
  callback(answer);
}

std::optional<Answer> Resolver::cached(const Question& question) {
  static Metric& metric = counter("mxfeed_dns_cached_total");
  const std::lock_guard lock(cache_mutex_);
  auto answer = cache_.find(question, std::chrono::steady_clock::now());
  if (answer) metric.add();
  return answer;
}

void Resolver::wake() const {
  // Full means that the thread will wake anyway.
  static_cast<void>(::eventfd_write(wake_.get(), 1));
}

void Resolver::run() {
  std::vector<pollfd> polled;
  for (;;) {
    std::vector<Waiter> asked;
    bool is_stopping = false;
    {
      const std::lock_guard lock(inbox_mutex_);
      asked.swap(inbox_);
      is_stopping = is_stopping_;
    }
    for (Waiter& waiter : asked) admit(std::move(waiter));
    if (is_stopping) break;
    expire(std::chrono::steady_clock::now());

    polled.assign(1, {wake_.get(), POLLIN, 0});
    channel_.add_descriptors(polled);
    const auto wait = channel_.timeout(time_to_wait(std::chrono::steady_clock::now()));
    static_cast<void>(
        ::poll(polled.data(), polled.size(), static_cast<int>(wait.count())));
    eventfd_t ignored = 0;
    static_cast<void>(::eventfd_read(wake_.get(), &ignored));
    channel_.process({polled.data() + 1, polled.size() - 1});
  }
  const Answer stopped = Answer::temporary(Trouble::stopped);
  while (!waiters_.empty()) release(waiters_.begin()->first, stopped);
  in_flight().subtract(queries_.size());
  queries_.clear();
}

void Resolver::admit(Waiter waiter) {
  const Question question = waiter.question;
  const Instant deadline = waiter.deadline;
  const WaiterId id = next_id_++;
  waiters_.emplace(id, std::move(waiter));
  deadlines_.emplace(deadline, id);
  if (const auto answer = cached(question)) return release(id, *answer);
  if (deadline <= std::chrono::steady_clock::now()) return;  // expires next
  if (const auto query = queries_.find(question); query != queries_.end()) {
    query->second.insert(id);
    return;
  }
  if (queries_.size() >= settings_.most_queries) {
    return release(id, Answer::temporary(Trouble::overloaded));
  }
  queries_[question].insert(id);
  in_flight().add();
  channel_.ask(question,
               [this, question](const Answer& answer) { finish(question, answer); });
}

void Resolver::finish(const Question& question, const Answer& answer) {
  auto query = queries_.extract(question);
  if (query.empty()) return;  // stopping
  in_flight().subtract();
  {
    const std::lock_guard lock(cache_mutex_);
    cache_.store(question, answer, std::chrono::steady_clock::now());
  }
  for (const WaiterId id : query.mapped()) release(id, answer);
}

void Resolver::expire(Instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const WaiterId id = deadlines_.begin()->second;
    const auto query = queries_.find(waiters_.at(id).question);
    if (query != queries_.end()) query->second.erase(id);
    release(id, Answer::temporary(Trouble::timed_out));
  }
}

void Resolver::release(WaiterId id, const Answer& answer) {
  const auto waiter = waiters_.extract(id);
  if (waiter.empty()) return;
  deadlines_.erase({waiter.mapped().deadline, id});
  {
    const std::lock_guard lock(inbox_mutex_);
    --waiting_;
  }
  count(answer);
  waiter.mapped().callback(answer);
}

milliseconds Resolver::time_to_wait(Instant now) const {
  if (deadlines_.empty()) return kLongestWait;
  const auto wait = deadlines_.begin()->first - now;
  return std::clamp(std::chrono::ceil<milliseconds>(wait), milliseconds{0}, kLongestWait);
}

}  // namespace mxfeed::dns
