// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks name servers, in a thread of its own, with a cache.
//
//   dns::Resolver resolver({});
//   const auto question = dns::Question::parse("example.org", dns::RecordType::mx);
//   const dns::Answer answer = resolver.ask(*question, now + 5s);
//
// Equal questions share one query.  A question is answered by its deadline whatever the
// servers do; a query that its last asker no longer waits for goes on, and its answer is
// kept in the cache.
//
// Metrics: mxfeed_dns_answers_total{status=}, mxfeed_dns_cached_total,
// mxfeed_dns_in_flight.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/file.h"
#include "common/net/dns.h"
#include "common/net/dns_cache.h"
#include "common/net/dns_channel.h"

namespace mxfeed::dns {

struct ResolverSettings {
  Servers servers;
  CacheLimits cache;
  // Beyond these a question is answered at once: temporary, overloaded.
  std::size_t most_waiting = 20'000;
  std::size_t most_queries = 4'000;
};

// Thread-safe.  Deadlines and waiting are by the steady clock.
class Resolver {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  using Callback = std::function<void(const Answer&)>;

  // Throws Fault if the servers are not addresses.
  explicit Resolver(const ResolverSettings& settings);
  // Answers all questions that wait (temporary, stopped) and ends the thread.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Waits for the answer.
  Answer ask(const Question& question, Instant deadline);

  // Returns at once.  The future may be dropped; it may outlive the resolver.
  std::future<Answer> ask_async(const Question& question, Instant deadline);

  // Returns at once.  The callback is called exactly once, in the resolver's thread: soon
  // after the deadline at the latest, during the destructor if that comes first; if too
  // many wait, in this call.  It must be short, must not throw and must not wait for an
  // answer; it may ask_async().
  void ask_async(const Question& question, Instant deadline, Callback callback);

  // This resolver with a deadline for all that is asked.  The resolver must outlive it.
  class Deadlined : public Lookup {
   public:
    Deadlined(Resolver& resolver, Instant deadline)
        : resolver_(resolver), deadline_(deadline) {}
    Answer ask(const Question& question) override {
      return resolver_.ask(question, deadline_);
    }

   private:
    Resolver& resolver_;
    const Instant deadline_;
  };
  Deadlined by(Instant deadline) { return {*this, deadline}; }

 private:
  using WaiterId = std::uint64_t;
  struct Waiter {
    Question question;
    Instant deadline;
    Callback callback;
  };

  std::optional<Answer> cached(const Question& question);
  void wake() const;

  // In the thread.
  void run();
  void admit(Waiter waiter);
  void finish(const Question& question, const Answer& answer);
  void expire(Instant now);
  void release(WaiterId id, const Answer& answer);
  std::chrono::milliseconds time_to_wait(Instant now) const;

  const ResolverSettings settings_;
  const Fd wake_;  // eventfd

  std::mutex inbox_mutex_;
  std::vector<Waiter> inbox_;
  std::size_t waiting_ = 0;  // in the inbox and in waiters_
  bool is_stopping_ = false;

  std::mutex cache_mutex_;
  Cache cache_;

  // The thread's.
  Channel channel_;
  WaiterId next_id_ = 0;
  std::map<WaiterId, Waiter> waiters_;
  std::set<std::pair<Instant, WaiterId>> deadlines_;
  std::map<Question, std::set<WaiterId>> queries_;  // in flight

  std::thread thread_;
};

}  // namespace mxfeed::dns
