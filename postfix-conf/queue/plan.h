// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the keeper does with each message of the queue.  Rules as functions of values, no
// I/O.
//
// A message ends when each of its remaining recipients is due, or was refused by its
// server.  It bounces, or is put on hold and later deleted, by the rule of its domains
// (`on_refusal`): a sender that is not verified gets no bounce.
//
// `postsuper -e` makes the next delivery round bounce the recipients in the defer log of
// a message and remove it, without an attempt.  Recipients that are missing in the log
// are lost.  So a message ends only if all of its recipients are in the log; one with
// several recipients is put on hold first, where nothing can change its log.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
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

// What the keeper has done to a message.
enum class Touch {
  none,
  expiring,  // has begun to bounce it
  holding,   // has begun to put it on hold
  held,      // has put it on hold
  released,  // the same, but it was no longer on hold when it was seen last
};
struct Record {
  Touch touch = Touch::none;
  Time since{};                // held: when that was; released: when that was noticed
  bool is_discarding = false;  // held: has begun to delete it
};
using Journal = std::function<Record(std::string_view id)>;

// For how long the keeper has a message on hold before it is deleted.
inline constexpr std::chrono::hours kHeldFor{7 * 24};
// And how long the host must be up before that ends.
inline constexpr std::chrono::hours kUpBeforeDiscard{24};

struct PlanRules {
  Time now{};
  // When this host started, or Postfix on it, whichever was later.
  Time started{};
  // Why no message may end now; empty if it may.
  std::string obstacle;
  // --allow-expiry: how many messages may bounce in spite of the brake.
  std::size_t allowed = 0;

  // When a domain's server was found to be down, while its mail is stopped: counts as an
  // attempt then.  By the domain of the row.
  std::function<std::optional<Time>(const std::string& domain)> found_down;

  // Since when attempts count whose recipients the domain's server refused; nothing if
  // they do not count now, since its return is being tried.  By the domain of the row.
  std::function<std::optional<Time>(const std::string& domain)> refusals_since;

  // Whether mail for a postmaster (postmaster_key()) whose server refuses it goes to the
  // provider.
  std::function<bool(const std::string& key)> goes_to_provider;

  // For how long Postfix puts off mail for a destination that did not answer, without
  // trying again: minimal_backoff_time.
  std::chrono::seconds suspension{300};

  // The brake: a run that would bounce more messages than that, and more than that part
  // of the queue, bounces none.
  static constexpr std::size_t kManyMessages = 100;
  static constexpr std::size_t kManyPart = 20;
  // At most so many attempts are asked for by one run, and none so soon after another
  // one.
  static constexpr std::size_t kMostAttempts = 500;
  static constexpr std::chrono::minutes kBetweenAttempts{5};
};

enum class Step {
  keep,
  attempt,         // ask Postfix for a delivery attempt
  expire,          // bounce it; it has one recipient
  expire_several,  // the same: put it on hold, then look at it again
  expire_held,     // bounce it, from hold
  release,         // it is on hold because a run was interrupted
  resume,          // it was made to expire, but no delivery round has come yet
  hold,            // put it on hold, for kHeldFor
  discard,         // delete it, from hold
  redirect,        // send it to the provider, as far as it is for a postmaster
};
std::string_view to_string(Step step);

enum class Cause {
  not_due,
  not_deferred,  // it is being delivered, is on hold, or has no recipients
  endless,       // a recipient's mail never expires
  due,
  refused,         // one recipient or more; the others are due
  incomplete_log,  // a recipient is missing in the defer log
  no_attempt,      // none that ended after the deadline and the start of the host
  recent_attempt,  // the same, but the last one was a short time ago
  obstacle,        // PlanRules::obstacle
  interrupted,     // an earlier run was
  held,            // by us
  refused_postmaster,
};
std::string_view to_string(Cause cause);

struct Judgement {
  Step step = Step::keep;
  Cause cause = Cause::not_due;
  // When the last of its recipients is due; nothing if one never is.
  std::optional<Time> deadline;
};

// Of a message that ends, the step is to bounce it: how_to_end() tells whether.
Judgement judge(const QueuedMessage& message, const Attempts& attempts,
                const Record& record, Terms& terms, const PlanRules& rules);

// Whether a message that was judged to end, and is on hold by now, still does.
bool still_ends(const QueuedMessage& message, Terms& terms, const PlanRules& rules);

enum class Ending {
  bounce,
  by_sender,  // bounce if it is verified, else hold
  hold,
};
// The strictest rule of its recipients; the null sender gets no bounce unless all of them
// have the rule `bounce`.
Ending how_to_end(const QueuedMessage& message, Terms& terms);

// What is to be done with a message, with what the journal tells about it.
struct PlannedStep {
  Step step = Step::keep;
  Ending ending = Ending::bounce;
  std::string id;
  std::string sender;
  std::vector<std::string> recipients;
  Time arrived{};
  Time deadline{};
  std::string reason;                // of the last deferral of one of the recipients
  std::vector<std::string> domains;  // hosted, of the recipients
  bool is_refused = false;           // else it is due
  // redirect: the keys (postmaster_key()) of those that their servers have refused.
  std::vector<std::string> postmasters;
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

  QueuePlan(Terms& terms, PlanRules rules, Journal journal)
      : terms_(terms), rules_(std::move(rules)), journal_(std::move(journal)) {}

  void add(const QueuedMessage& message, const Attempts& attempts);

  // Whether the sender of a message is verified; nothing if that is not known now.
  using IsVerified = std::function<std::optional<bool>(const PlannedStep& message)>;
  // Decides how those messages end for which it depends on the sender; those of which it
  // is not known are kept.  Is to be called once, after the last message.
  void settle(const IsVerified& is_verified);

  // The steps, without those to keep.  If the brake holds, nothing bounces, and what is
  // on hold for a bounce is released.
  std::vector<PlannedStep> steps() const;
  bool is_braked() const;
  // How many messages would bounce if nothing prevented it.
  std::size_t due() const { return due_; }
  std::size_t listed() const { return listed_; }
  // By why messages are kept or not.
  std::size_t count(Cause cause) const;
  // By domain.
  const std::map<std::string, ExpiringSoon>& expiring_soon() const { return soon_; }
  // The domains whose server has refused mail, though that does not count now.
  const std::set<std::string>& spared() const { return spared_; }
  // The messages that the keeper had put on hold and that somebody else has released.
  const std::vector<std::string>& released() const { return released_; }

 private:
  void note_soon(const QueuedMessage& message, Time deadline);
  void note_spared(const QueuedMessage& message);

  Terms& terms_;
  const PlanRules rules_;
  const Journal journal_;
  std::vector<PlannedStep> steps_;
  std::map<Cause, std::size_t> causes_;
  std::map<std::string, ExpiringSoon> soon_;
  std::set<std::string> spared_;
  std::vector<std::string> released_;
  std::size_t listed_ = 0;
  std::size_t due_ = 0;
  std::size_t attempts_ = 0;
};

}  // namespace mxfeed
