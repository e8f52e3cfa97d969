// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/joint_policy.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

SpamPolicy policy(SpamAction high, double high_begins = 0.99) {
  SpamPolicy made;
  made.enabled = true;
  made.begins[2] = high_begins;
  made.rules[3] = {high, "text"};
  return made;
}

TEST_CASE("of two policies the less destructive action is taken", "[spam]") {
  constexpr SpamAction kOrder[] = {SpamAction::none,    SpamAction::header,
                                   SpamAction::subject, SpamAction::quarantine,
                                   SpamAction::reject,  SpamAction::discard};
  for (const auto& a : kOrder) {
    for (const auto& b : kOrder) {
      CHECK(least_destructive(policy(a), policy(b)).rules[3].action == (&a < &b ? a : b));
    }
  }
}

TEST_CASE("of two policies the less sensitive limits count", "[spam]") {
  const auto joint =
      least_destructive(policy(SpamAction::none, 0.95), policy(SpamAction::none, 0.97));
  CHECK(joint.begins[2] == 0.97);
  CHECK(joint.begins[1] == 0.9);
  CHECK(joint.enabled);
}

TEST_CASE("what one of them does not allow is not done", "[spam]") {
  SpamPolicy off = policy(SpamAction::header);
  off.enabled = false;
  SpamPolicy bold = policy(SpamAction::header);
  bold.immature_acts = true;
  CHECK_FALSE(least_destructive(bold, off).enabled);
  CHECK_FALSE(least_destructive(off, bold).enabled);
  CHECK_FALSE(least_destructive(bold, policy(SpamAction::none)).immature_acts);
  CHECK(least_destructive(bold, bold).immature_acts);
  SpamPolicy without = bold;
  without.uses_lists = false;
  CHECK_FALSE(least_destructive(bold, without).uses_lists);
}

}  // namespace
}  // namespace mxfeed::spam
