// SPDX-License-Identifier: GPL-2.0-or-later
//
// Call-outs in threads of their own.  Equal questions share one; each route (the servers
// of a domain, as transport_maps names them) has a limit of call-outs at a time, waiting
// and a second.  What is heard goes into the store.
//
// Metrics: mxfeed_recipients_call_outs_total{contact=},
// mxfeed_recipients_call_outs_waiting, mxfeed_recipients_store_faults_total.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/base/file.h"
#include "common/mail/address.h"
#include "common/net/resolver.h"
#include "postfix-conf/recipients/call_out.h"
#include "postfix-conf/recipients/rate_limit.h"
#include "postfix-conf/recipients/store.h"

namespace mxfeed::recipients {

struct CallOutLimits {
  std::chrono::milliseconds time{5500};  // of a call-out, and of waiting for its start
  unsigned threads = 32;
  std::size_t running_by_route = 4;
  std::size_t waiting_by_route = 64;
  std::size_t waiting = 1000;  // call-outs, and as many chores
  double burst_by_route = 20;
  double rate_by_route = 10;  // a second
};

// Who asks: this host as the customers' servers know it.
struct CallOutSource {
  std::string helo = "localhost";
  std::optional<IpAddress> v4, v6;  // nothing: the system's choice
};

class CallOuts {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Result {
    std::string key;  // of the recipient
    Knowledge known;  // afterwards
    Report report;
  };

  // The store must outlive it.  Throws Fault.
  CallOuts(Store& store, const CallOutLimits& limits);
  // Waits for those in progress.
  ~CallOuts();
  CallOuts(const CallOuts&) = delete;
  CallOuts& operator=(const CallOuts&) = delete;

  // For call-outs that start from now on.
  void use(const CallOutSource& source);

  // Asks, or joins a call-out for the same recipient.  `route` is a value of
  // transport_maps with servers.  False if it is beyond the limits.
  bool ask(const Recipient& recipient, const std::string& route);
  // Runs a chore that may wait for the disk in one of the threads, before the call-outs
  // that wait.  It must not throw.  False if too many chores wait already.
  bool run(std::function<void()> chore);

  // Whether a call-out for the recipient is in progress, not only waiting.
  bool is_running(const std::string& key) const;
  // Threads at work.
  std::size_t running() const;

  // Readable when there are results.
  int descriptor() const { return wake_.get(); }
  // One for each call-out that has ended.  One that could not start in time has none.
  std::vector<Result> take_results();

 private:
  struct Job {
    Recipient recipient;
    std::string route;
    Instant asked;
  };
  struct Route {
    RateLimit rate;
    std::size_t waiting = 0;
    std::size_t running = 0;
    std::optional<Instant> failed;  // the last attempt, if it was not answered
  };

  // Both with mutex_ held.
  Route& route(const std::string& name);
  std::optional<Job> next_job();
  std::function<void()> next_chore();

  void work();
  Result carry_out(const Job& job);
  std::vector<smtp::Target> resolve(const std::string& route, const CallOutSource& source,
                                    Instant deadline);
  Report report_for(const Job& job, const Query& query);

  Store& store_;
  const CallOutLimits limits_;
  const Fd wake_;  // eventfd
  dns::Resolver resolver_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  CallOutSource source_;
  std::deque<std::function<void()>> chores_;
  std::size_t working_ = 0;  // threads that are
  std::deque<Job> waiting_;
  std::set<std::string> asked_;    // keys that wait or are in progress
  std::set<std::string> running_;  // keys in progress
  std::map<std::string, Route> routes_;
  std::vector<Result> results_;

  std::vector<std::thread> threads_;
};

}  // namespace mxfeed::recipients
