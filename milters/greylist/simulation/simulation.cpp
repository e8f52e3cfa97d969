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
#include "milters/greylist/decision.h"
#include "milters/greylist/exemption.h"
#include "milters/greylist/key.h"
#include "milters/greylist/lists.h"
#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

// A message: a try that is none of an earlier one.
struct Message {
  Time first;
  IdentityKind kind = IdentityKind::network;
  seconds retry_window{0};
  bool is_accepted = false;  // in the log
  bool is_delayed = false;
  std::optional<seconds> wait = {};  // until it passes
  bool is_assumed = false;           // the wait is
};

// A recipient that is not exempt.
struct Judged {
  Keys keys;
  Terms terms;
};

class Simulation {
 public:
  explicit Simulation(const SimulationSettings& settings) : settings_(settings) {}

  SimulationResult run(std::span<const Attempt> attempts) {
    if (!attempts.empty()) {
      result_.first = attempts.front().time;
      result_.last = attempts.back().time;
    }
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      retry_until(attempts[i].time, attempts);
      take(attempts[i], i);
    }
    retry_until(Time::max(), attempts);
    count();
    return std::move(result_);
  }

 private:
  // What is assumed to come again.
  struct Retry {
    Time time;
    std::size_t attempt;
    std::size_t message;
    unsigned tries = 1;
    bool operator>(const Retry& other) const {
      return std::tie(time, attempt) > std::tie(other.time, other.attempt);
    }
  };

  static Envelope envelope_of(const Attempt& attempt) {
    Envelope envelope;
    envelope.client = attempt.client;
    envelope.helo = attempt.helo;
    envelope.authenticated = attempt.authenticated;
    const auto path = Path::parse(attempt.sender);
    envelope.sender = path ? path->str() : attempt.sender;
    return envelope;
  }

  // What is known of the sender of one attempt.
  struct Sender {
    Envelope envelope;
    spf::Verdict spf;
    SenderFacts facts;
    Identities who;
  };
  Sender sender_of(const Attempt& attempt) const {
    Sender sender{envelope_of(attempt), {}, {}, {}};
    const Envelope& envelope = sender.envelope;
    sender.spf = settings_.spf(envelope);
    sender.facts = SenderFacts::of(envelope.client, envelope.sender);
    sender.who = identities_of(envelope.client, envelope.sender, sender.spf,
                               settings_.gateway.greylist);
    return sender;
  }

  // As the filter does, but for block lists: what they said then is not known.
  bool is_spared(const Sender& sender, const GreylistPolicy& greylist) const {
    return !exemption_by_when(sender.envelope, greylist).empty() ||
           (greylist.when == GreylistWhen::suspicious && sender.who.is_verified());
  }

  // Those of its recipients that greylisting decides on.
  std::vector<Judged> judged_of(const Attempt& attempt, IdentityKind& kind,
                                seconds& retry_window, bool& has_exempt) const {
    std::optional<Sender> sender;
    std::vector<Judged> all;
    for (const std::string& one : attempt.recipients) {
      const Recipient recipient = Recipient::parse(one);
      const auto domain = settings_.domain(recipient.domain);
      if (!domain) continue;
      if (!exemption(envelope_of(attempt), recipient, domain, settings_.gateway)
               .empty()) {
        has_exempt = true;
        continue;
      }
      if (!sender) sender = sender_of(attempt);
      kind = sender->who.best.kind;
      const auto listed =
          look_up(domain->greylist, settings_.gateway.greylist, sender->facts,
                  [&] { return confirms(sender->spf, sender->facts.domain); });
      if (listed.ruling == Ruling::allowed ||
          (listed.ruling == Ruling::none && is_spared(*sender, domain->greylist))) {
        has_exempt = true;
        continue;
      }
      retry_window = domain->greylist.retry_window;
      Terms terms = terms_for(sender->who, domain->greylist);
      terms.only_this_mail = listed.ruling == Ruling::denied;
      all.push_back(
          {keys_of(sender->who, sender->envelope.sender, recipient, domain->name),
           terms});
    }
    // At DATA there is one answer for all.
    if (attempt.sender.empty() && has_exempt) all.clear();
    return all;
  }

  void take(const Attempt& attempt, std::size_t number) {
    Message message{attempt.time};
    bool has_exempt = false;
    const auto judged =
        judged_of(attempt, message.kind, message.retry_window, has_exempt);
    if (judged.empty()) {
      if (has_exempt && attempt.accepted) ++result_.exempt;
      return;
    }
    const std::size_t at = find_or_add(judged, message);
    if (attempt.accepted) {
      messages_[at].is_accepted = true;
      close(judged, at);
    }
    if (messages_[at].wait) return;  // it has passed before
    const auto wait = decide_on(judged, attempt.time);
    if (!wait) {
      messages_[at].wait = attempt.time - messages_[at].first;
      return;
    }
    messages_[at].is_delayed = true;
    if (attempt.accepted) {
      retries_.push({attempt.time + std::max(*wait, seconds(1)), number, at});
    }
  }

  void retry_until(Time time, std::span<const Attempt> attempts) {
    constexpr unsigned kMostTries = 10;
    while (!retries_.empty() && retries_.top().time <= time) {
      Retry retry = retries_.top();
      retries_.pop();
      Message& message = messages_[retry.message];
      Message unused{};
      bool has_exempt = false;
      const auto judged = judged_of(attempts[retry.attempt], unused.kind,
                                    unused.retry_window, has_exempt);
      const auto wait = decide_on(judged, retry.time);
      if (!wait || ++retry.tries > kMostTries) {
        message.wait = retry.time - message.first;
        message.is_assumed = true;
        continue;
      }
      retry.time += std::max(*wait, seconds(1));
      retries_.push(retry);
    }
  }

  // How long the message has still to wait; nothing if it passes.
  std::optional<seconds> decide_on(const std::vector<Judged>& judged, Time now) {
    std::optional<bool> let_through;
    seconds wait{0};
    for (const auto& [keys, terms] : judged) {
      const bool leads = !let_through;
      const Decision decision = store_->update(
          keys,
          [&](const Look& look) {
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

  static std::vector<std::string> digests_of(const std::vector<Judged>& judged) {
    std::vector<std::string> digests;
    for (const Judged& one : judged) {
      for (const Slot slot : {Slot::best_waiting, Slot::network_waiting}) {
        const std::string& digest = one.keys.at(slot).digest;
        if (!digest.empty()) digests.push_back(digest);
      }
    }
    return digests;
  }

  // The message that this is a further try of, if the log has not shown its end.
  std::size_t find_or_add(const std::vector<Judged>& judged, const Message& message) {
    const auto digests = digests_of(judged);
    std::optional<std::size_t> found;
    for (const std::string& digest : digests) {
      const auto there = open_.find(digest);
      if (there == open_.end()) continue;
      if (message.first - messages_[there->second].first > message.retry_window) continue;
      found = there->second;
      break;
    }
    if (!found) {
      found = messages_.size();
      messages_.push_back(message);
    }
    for (const std::string& digest : digests) open_[digest] = *found;
    return *found;
  }

  void close(const std::vector<Judged>& judged, std::size_t at) {
    for (const std::string& digest : digests_of(judged)) {
      const auto found = open_.find(digest);
      if (found != open_.end() && found->second == at) open_.erase(found);
    }
  }

  void count() {
    for (const Message& message : messages_) {
      if (message.is_accepted) {
        count_accepted(message);
      } else if (message.wait) {
        ++result_.passed;
      } else if (result_.last - message.first <= message.retry_window) {
        ++result_.undecided;
      } else {
        ++result_.never_back;
      }
    }
    std::ranges::sort(result_.waits);
  }

  void count_accepted(const Message& message) {
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

  const SimulationSettings& settings_;
  const std::unique_ptr<Store> store_ = open_memory_store();
  std::vector<Message> messages_;
  std::unordered_map<std::string, std::size_t> open_;  // by the digests of what waits
  std::priority_queue<Retry, std::vector<Retry>, std::greater<>> retries_;
  SimulationResult result_;
};

std::size_t sum(const SimulationResult::ByKind& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

}  // namespace

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

SimulationResult simulate(std::span<const Attempt> attempts,
                          const SimulationSettings& settings) {
  return Simulation(settings).run(attempts);
}

}  // namespace mxfeed::greylist
