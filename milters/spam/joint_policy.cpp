// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/joint_policy.h"

#include <algorithm>
#include <cstddef>

namespace mxfeed::spam {
namespace {

int harm(SpamAction action) {
  switch (action) {
    case SpamAction::none:
      return 0;
    case SpamAction::header:
      return 1;
    case SpamAction::subject:
      return 2;
    case SpamAction::quarantine:
      return 3;
    case SpamAction::reject:
      return 4;
    case SpamAction::discard:
      return 5;
  }
  return 0;
}

}  // namespace

SpamPolicy least_destructive(const SpamPolicy& a, const SpamPolicy& b) {
  SpamPolicy joint = a;
  joint.enabled = a.enabled && b.enabled;
  joint.immature_acts = a.immature_acts && b.immature_acts;
  joint.uses_lists = a.uses_lists && b.uses_lists;
  for (std::size_t i = 0; i < joint.begins.size(); ++i) {
    joint.begins[i] = std::max(a.begins[i], b.begins[i]);
  }
  const auto take_milder = [](SpamRule& rule, const SpamRule& other) {
    if (harm(other.action) < harm(rule.action)) rule = other;
  };
  for (std::size_t i = 0; i < joint.rules.size(); ++i) {
    take_milder(joint.rules[i], b.rules[i]);
  }
  take_milder(joint.bulk, b.bulk);
  return joint;
}

}  // namespace mxfeed::spam
