// SPDX-License-Identifier: GPL-2.0-or-later
//
// The keeper's work on messages that end: bounces them, puts them on hold, deletes them.

#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "postfix-conf/commands/keeper_news.h"
#include "postfix-conf/postfix/postfix.h"
#include "postfix-conf/queue/held_book.h"
#include "postfix-conf/queue/keeper_book.h"
#include "postfix-conf/queue/plan.h"
#include "postfix-conf/queue/queue_control.h"

namespace mxfeed {

class KeeperEndings {
 public:
  // The arguments must outlive the object.
  KeeperEndings(const Postfix& postfix, const QueueControl& control, KeeperBook& book,
                HeldBook& held_book, Terms& terms, const PlanRules& rules)
      : postfix_(postfix),
        control_(control),
        book_(book),
        held_book_(held_book),
        terms_(terms),
        rules_(rules),
        open_(book.open()),
        records_(held_book.records()) {}

  // What the journals of both books have of a message.
  Record record_of(std::string_view id) const;

  // All steps of a plan.  `is_whole`: the plan knows each message of the queue; else what
  // it does not name may be there all the same.  Throws Fault.
  void carry_out(const std::vector<PlannedStep>& steps, bool is_whole);

  // Of the messages that the keeper has put on hold: those that somebody else has
  // released.
  void note_released(const std::vector<std::string>& ids);
  // And those that are no longer in the queue, which has been listed: they were deleted
  // by a run that was interrupted, or by somebody else.
  void note_gone(const std::set<std::string, std::less<>>& listed);

  // Prints and tells what was done.
  void report() const;
  void tell(KeeperNews& news) const;

 private:
  using Steps = std::vector<PlannedStep>;

  void close_interrupted(const std::map<Step, Steps>& steps);
  void expire_single(const Steps& steps);
  void hold_and_look(const Steps& to_expire, const Steps& to_hold, Steps& complete,
                     Steps& incomplete);
  void release(const Steps& steps);
  void bounce(const Steps& steps);
  void note_held(const Steps& steps);
  void discard(const Steps& steps);

  const Postfix& postfix_;
  const QueueControl& control_;
  KeeperBook& book_;
  HeldBook& held_book_;
  Terms& terms_;
  const PlanRules& rules_;
  const std::set<std::string, std::less<>> open_;
  const std::map<std::string, Record, std::less<>> records_;

  // Messages by domain; a message with several domains counts for each.
  struct HeldOfDomain {
    std::size_t messages = 0;
    std::string reason;  // of one of them
  };
  std::map<std::string, std::size_t> expired_, discarded_;
  std::map<std::string, HeldOfDomain> held_;
  // Messages.
  std::size_t refused_bounced_ = 0, held_now_ = 0, discarded_now_ = 0;
};

}  // namespace mxfeed
