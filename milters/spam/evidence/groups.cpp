// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/groups.h"

#include <algorithm>

namespace mxfeed::spam {

Cap cap_of(Group group) {
  switch (group) {
    case Group::incomplete:
      return {0.75, 0.0};
    case Group::author:
    case Group::subject:
      return {0.9, -0.9};
    case Group::impersonation:
      return {4.5, 0.0};
    case Group::irregular:
    case Group::structure:
    case Group::html:
    case Group::attachment:
    case Group::url:
    case Group::text:
    case Group::client:
      return {1.5, -1.5};
    case Group::route:
      return {0.75, 0.0};
    case Group::list:
      return {0.0, -0.5};
    case Group::authentication:
      return {1.9, -1.5};
    case Group::client_lists:
      return {4.0, -3.0};
    case Group::domain_lists:
      return {5.0, -3.0};
    case Group::rule:
      return {20.0, -60.0};
    case Group::engine:
    case Group::content:
      return {7.0, -7.0};
    case Group::test:
      return {20.0, 0.0};
  }
  return {0.0, 0.0};
}

GroupValues group_sums(std::span<const Evidence> findings) {
  GroupValues sums;
  for (const Evidence& found : findings) sums[found.group] += found.logit;
  for (const Group group : kGroups) {
    const Cap cap = cap_of(group);
    sums[group] = std::clamp(sums[group], cap.least, cap.most);
  }
  return sums;
}

}  // namespace mxfeed::spam
