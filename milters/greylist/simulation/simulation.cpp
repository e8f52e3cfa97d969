// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/simulation/simulation.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "common/base/time_text.h"
#include "milters/greylist/simulation/judge.h"
#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

// Of the log's time.
constexpr std::chrono::hours kBetweenSweeps{24};

// A message: a try that is none of an earlier one.
struct Message {
  Time first;
  IdentityKind kind = IdentityKind::network;
  seconds retry_window{0};
  bool is_accepted = false;  // in the log
  bool is_delayed = false;
  std::optional<seconds> wait = {};  // until it passes
  bool is_assumed = false;           // the wait is
  bool is_counted = false;
  std::vector<std::string> digests = {};  // under which it is found
};
using MessagePtr = std::shared_ptr<Message>;

// What is assumed to come again.
struct Retry {
  Time time;
  std::size_t number;  // of the try
  std::vector<Judged> judged;
  MessagePtr message;
  unsigned tries = 1;
};
struct LaterRetry {
  bool operator()(const Retry& a, const Retry& b) const {
    return std::tie(a.time, a.number) > std::tie(b.time, b.number);
  }
};
struct LaterEnd {
  bool operator()(const MessagePtr& a, const MessagePtr& b) const {
    return a->first + a->retry_window > b->first + b->retry_window;
  }
};

std::vector<std::string> digests_of(const std::vector<Judged>& judged) {
  std::vector<std::string> digests;
  for (const Judged& one : judged) {
    for (const Slot slot : {Slot::best_waiting, Slot::network_waiting}) {
      const std::string& digest = one.keys.at(slot).digest;
      if (!digest.empty()) digests.push_back(digest);
    }
  }
  return digests;
}

std::size_t sum(const SimulationResult::ByKind& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

}  // namespace

class Simulation::Run {
 public:
  explicit Run(SimulationSettings settings) : settings_(std::move(settings)) {}

  void take(const Attempt& attempt) {
    if (tries_++ == 0) {
      result_.first = result_.last = swept_ = attempt.time;
    }
    result_.first = std::min(result_.first, attempt.time);
    result_.last = std::max(result_.last, attempt.time);
    retry_until(attempt.time);
    end_until(attempt.time);
    if (attempt.time - swept_ >= kBetweenSweeps) {
      swept_ = attempt.time;
      store_->sweep(swept_);
    }
    decide_on(attempt);
  }

  SimulationResult finish() {
    retry_until(Time::max());
    end_until(Time::max());
    std::ranges::sort(result_.waits);
    return std::move(result_);
  }

 private:
  void decide_on(const Attempt& attempt) {
    Case found = case_of(attempt, settings_);
    if (found.judged.empty()) {
      if (found.has_exempt && attempt.accepted) ++result_.exempt;
      return;
    }
    const MessagePtr message =
        find_or_add(found.judged, {attempt.time, found.kind, found.retry_window});
    if (attempt.accepted) {
      message->is_accepted = true;
      close(digests_of(found.judged), *message);
    }
    if (!message->wait) {
      const auto wait = wait_of(found.judged, attempt.time);
      if (wait) {
        message->is_delayed = true;
        if (attempt.accepted) {
          retries_.push({attempt.time + std::max(*wait, seconds(1)), tries_,
                         std::move(found.judged), message});
        }
        return;
      }
      message->wait = attempt.time - message->first;
    }
    if (message->is_accepted) count_accepted(*message);
  }

  void retry_until(Time time) {
    constexpr unsigned kMostTries = 10;
    while (!retries_.empty() && retries_.top().time <= time) {
      Retry retry = retries_.top();
      retries_.pop();
      const auto wait = wait_of(retry.judged, retry.time);
      if (!wait || ++retry.tries > kMostTries) {
        Message& message = *retry.message;
        message.wait = retry.time - message.first;
        message.is_assumed = true;
        count_accepted(message);
        continue;
      }
      retry.time += std::max(*wait, seconds(1));
      retries_.push(std::move(retry));
    }
  }

  // How long the message has still to wait; nothing if it passes.
  std::optional<seconds> wait_of(const std::vector<Judged>& judged, Time now) {
    std::optional<bool> let_through;
    seconds wait{0};
    for (const auto& [keys, terms] : judged) {
      const bool leads = !let_through;
      const Decision decision = store_->update(
          keys,
          [&, &terms = terms](const Look& look) {
            return leads ? decide(look, now, terms)
                         : follow(look, now, terms, *let_through);
          },
          Deadline::max());
      if (!leads) continue;
      let_through = decision.lets_through();
      wait = decision.wait;
    }
    if (let_through.value_or(true)) return std::nullopt;
    return wait;
  }

  // The message that this is a further try of, if the log has not shown its end.
  MessagePtr find_or_add(const std::vector<Judged>& judged, Message&& message) {
    const auto digests = digests_of(judged);
    MessagePtr found;
    for (const std::string& digest : digests) {
      const auto there = open_.find(digest);
      if (there == open_.end()) continue;
      if (message.first - there->second->first > message.retry_window) continue;
      found = there->second;
      break;
    }
    if (!found) {
      found = std::make_shared<Message>(std::move(message));
      ends_.push(found);
    }
    for (const std::string& digest : digests) {
      auto& there = open_[digest];
      if (there == found) continue;
      there = found;
      found->digests.push_back(digest);
    }
    return found;
  }

  void close(const std::vector<std::string>& digests, const Message& message) {
    for (const std::string& digest : digests) {
      const auto found = open_.find(digest);
      if (found != open_.end() && found->second.get() == &message) open_.erase(found);
    }
  }

  // No further try of a message is taken for it after its retry window.
  void end_until(Time time) {
    while (!ends_.empty()) {
      const MessagePtr message = ends_.top();
      const bool is_over =
          time == Time::max() || time - message->first > message->retry_window;
      if (!is_over) return;
      ends_.pop();
      close(message->digests, *message);
      if (!message->is_accepted) count_refused(*message);
    }
  }

  void count_refused(const Message& message) {
    if (message.wait) {
      ++result_.passed;
    } else if (result_.last - message.first <= message.retry_window) {
      ++result_.undecided;
    } else {
      ++result_.never_back;
    }
  }

  // Its recipients may have been accepted one after the other.
  void count_accepted(Message& message) {
    if (std::exchange(message.is_counted, true)) return;
    auto& day = result_.days[format_time(message.first).substr(0, 10)];
    ++day.messages;
    const auto kind = static_cast<std::size_t>(message.kind);
    if (!message.is_delayed) {
      ++result_.at_once.at(kind);
      return;
    }
    ++day.delayed;
    ++result_.delayed.at(kind);
    result_.waits.push_back(message.wait.value_or(seconds(0)));
    if (!message.is_assumed) ++result_.waits_from_log;
  }

  const SimulationSettings settings_;
  const std::unique_ptr<Store> store_ = open_memory_store();
  Time swept_;
  std::size_t tries_ = 0;
  std::unordered_map<std::string, MessagePtr> open_;  // by the digests of what waits
  std::priority_queue<MessagePtr, std::vector<MessagePtr>, LaterEnd> ends_;
  std::priority_queue<Retry, std::vector<Retry>, LaterRetry> retries_;
  SimulationResult result_;
};

Simulation::Simulation(SimulationSettings settings)
    : run_(std::make_unique<Run>(std::move(settings))) {}

Simulation::~Simulation() = default;

void Simulation::take(const Attempt& attempt) {
  run_->take(attempt);
}

SimulationResult Simulation::finish() {
  return run_->finish();
}

std::size_t SimulationResult::messages() const {
  return sum(at_once) + sum(delayed);
}

std::size_t SimulationResult::all_delayed() const {
  return sum(delayed);
}

seconds SimulationResult::percentile(double share) const {
  if (waits.empty()) return seconds(0);
  // The smallest one that so many are not above.
  const auto rank = std::ceil(share * static_cast<double>(waits.size()));
  return waits[std::min(static_cast<std::size_t>(std::max(rank, 1.0)), waits.size()) - 1];
}

}  // namespace mxfeed::greylist
