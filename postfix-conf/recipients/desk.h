// SPDX-License-Identifier: GPL-2.0-or-later
//
// Answers questions about recipients: from the store, or after a call-out, but never
// later than the time for a call-out.  Logs each answer.
//
// Metrics: mxfeed_recipients_answers_total{verdict=,reason=}, mxfeed_recipients_waiting.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "postfix-conf/recipients/call_outs.h"
#include "postfix-conf/recipients/knowledge.h"
#include "postfix-conf/recipients/policy_request.h"
#include "postfix-conf/recipients/route.h"
#include "postfix-conf/recipients/store.h"

namespace mxfeed::recipients {

// Used by one thread.
class Desk {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  using Ticket = std::uint64_t;  // of a question
  using OnAnswer = std::function<void(Ticket, std::string_view reply)>;

  // The store and the call-outs must outlive it.
  Desk(Store& store, CallOuts& call_outs, std::chrono::milliseconds patience,
       OnAnswer on_answer);

  // From now on; nothing before there are any.
  void use(std::shared_ptr<const Routes> routes) { routes_ = std::move(routes); }

  // Answers it by on_answer, in this call or later.
  void ask(Ticket ticket, const PolicyRequest& request, Instant now);
  // Answers those that waited for call-outs that have ended.
  void take_results(Instant now);
  // Answers those that have waited long enough.
  void expire(Instant now);
  // When expire() is to be called next.
  std::optional<Instant> next_deadline() const;

 private:
  struct Question {
    Ticket ticket;
    Recipient recipient;
    WhileDown rule;
    Instant asked;
    Plan plan;  // for when there is no answer in time
  };

  // Those that are no longer to wait.  Answering one may bring the next question.
  template <typename IsWanted>
  std::vector<Question> take(IsWanted is_wanted);
  Knowledge find(const Recipient& recipient);
  std::string find_route(const Recipient& recipient) const;
  // False if too much waits for the disk.
  bool learn_delivered(const Recipient& recipient);
  void answer(const Question& question, const Answer& answer, Instant now,
              const Report* report = nullptr);

  Store& store_;
  CallOuts& call_outs_;
  const std::chrono::milliseconds patience_;
  const OnAnswer on_answer_;
  std::shared_ptr<const Routes> routes_;
  std::list<Question> waiting_;  // in the order in which they were asked
};

}  // namespace mxfeed::recipients
