// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the keeper does with each message of the queue.  Rules as functions of values, no
// I/O.
//
// `postsuper -e` makes the next delivery round bounce the recipients in the defer log of
// a message and remove it, without an attempt.  Recipients that are missing in the log
// are lost.  So a message expires only if all of its recipients are in the log; one with
// several recipients is put on hold first, where nothing can change its log.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "postfix-conf/postfix/queue.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

// The times of a message in the queue "deferred".
struct Attempts {
  // When the last attempt ended; nothing if that is not known.
  std::optional<Time> last;
  std::optional<Time> next;
};

// When the last of the recipients is due; nothing if one never is.
std::optional<Time> last_deadline(const QueuedMessage& message, Terms& terms);

// A message that the keeper has begun to expire.
using IsOurs = std::function<bool(std::string_view id)>;

struct PlanRules {
  Time now{};
  // When this host started, or Postfix on it, whichever was later.
  Time started{};
  // Why nothing may expire now; empty if it may.
  std::string obstacle;
  // --allow-expiry: how many messages may expire in spite of the brake.
  std::size_t allowed = 0;

  // When a domain's server was found to be down, while its mail is stopped: counts as an
  // attempt then.  By the domain of the row.
  std::function<std::optional<Time>(const std::string& domain)> found_down;

  // For how long Postfix puts off mail for a destination that did not answer, without
  // trying again: minimal_backoff_time.
  std::chrono::seconds suspension{300};

  // The brake: a run that would expire more messages than that, and more than that part
  // of the queue, expires none.
  static constexpr std::size_t kManyMessages = 100;
  static constexpr std::size_t kManyPart = 20;
  // At most so many attempts are asked for by one run, and none so soon after another
  // one.
  static constexpr std::size_t kMostAttempts = 500;
  static constexpr std::chrono::minutes kBetweenAttempts{5};
};

enum class Step {
  keep,
  attempt,  // ask Postfix for a delivery attempt
  expire,   // it has one recipient
  hold,     // it has several recipients: put it on hold, then judge it again
  expire_held,
  release,  // it is on hold because of us, and must not expire
  resume,   // it was made to expire, but no delivery round has come yet
};
std::string_view to_string(Step step);

enum class Cause {
  not_due,
  not_deferred,  // it is being delivered, is on hold, or has no recipients
  endless,       // a recipient's mail never expires
  due,
  incomplete_log,  // a recipient is missing in the defer log
  no_attempt,      // none that ended after the deadline and the start of the host
  recent_attempt,  // the same, but the last one was a short time ago
  obstacle,        // PlanRules::obstacle
  interrupted,     // an earlier run was
};
std::string_view to_string(Cause cause);

struct Judgement {
  Step step = Step::keep;
  Cause cause = Cause::not_due;
  // When the last of its recipients is due; nothing if one never is.
  std::optional<Time> deadline;
};

// `is_ours`: this keeper has begun to expire the message.
Judgement judge(const QueuedMessage& message, const Attempts& attempts, bool is_ours,
                Terms& terms, const PlanRules& rules);

// What is to be done with a message, with what the journal tells about it.
struct PlannedStep {
  Step step = Step::keep;
  std::string id;
  std::string sender;
  std::vector<std::string> recipients;
  Time arrived{};
  Time deadline{};
  std::string reason;                // of the last deferral of one of the recipients
  std::vector<std::string> domains;  // hosted, of the recipients
};

// Messages of a domain that expire soon.
struct ExpiringSoon {
  std::size_t messages = 0;
  Time first{};  // deadline
  std::string customer;
  std::string reason;  // of one of them
};

// Takes the messages of the queue one by one.
class QueuePlan {
 public:
  // Mail is told to expire soon that long before, or from half of its lifetime on.
  static constexpr std::chrono::hours kSoon{24};

  QueuePlan(Terms& terms, PlanRules rules, IsOurs is_ours)
      : terms_(terms), rules_(std::move(rules)), is_ours_(std::move(is_ours)) {}

  void add(const QueuedMessage& message, const Attempts& attempts);

  // The steps, without those to keep.  If the brake holds, nothing expires, and what is
  // on hold because of us is released.
  std::vector<PlannedStep> steps() const;
  bool is_braked() const;
  // How many messages would expire if nothing prevented it.
  std::size_t due() const { return due_; }
  std::size_t listed() const { return listed_; }
  // By why messages are kept or not.
  std::size_t count(Cause cause) const;
  // By domain.
  const std::map<std::string, ExpiringSoon>& expiring_soon() const { return soon_; }

 private:
  void note_soon(const QueuedMessage& message, Time deadline);

  Terms& terms_;
  const PlanRules rules_;
  const IsOurs is_ours_;
  std::vector<PlannedStep> steps_;
  std::map<Cause, std::size_t> causes_;
  std::map<std::string, ExpiringSoon> soon_;
  std::size_t listed_ = 0;
  std::size_t due_ = 0;
  std::size_t attempts_ = 0;
};

}  // namespace mxfeed
