// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/score.h"

#include <algorithm>
#include <cmath>

namespace mxfeed::spam {

Cap cap_of(Group group) {
  switch (group) {
    case Group::incomplete:
      return {0.75, 0.0};
    case Group::author:
    case Group::subject:
      return {0.9, -0.9};
    case Group::irregular:
    case Group::structure:
    case Group::html:
    case Group::attachment:
    case Group::url:
      return {1.5, -1.5};
    case Group::route:
      return {0.75, 0.0};
    case Group::list:
      return {0.0, -0.5};
    case Group::client_lists:
      return {4.0, -3.0};
    case Group::domain_lists:
      return {5.0, -3.0};
    case Group::rule:
      return {20.0, -60.0};
    case Group::content:
      return {7.0, -7.0};
    case Group::test:
      return {20.0, 0.0};
  }
  return {0.0, 0.0};
}

Score score(std::span<const Evidence> findings) {
  Score result;
  result.logit = kBias;
  for (const Group group : kGroups) {
    double sum = 0;
    for (const Evidence& evidence : findings) {
      if (evidence.group == group) sum += evidence.logit;
    }
    const Cap cap = cap_of(group);
    sum = std::clamp(sum, cap.least, cap.most);
    if (sum > 0) ++result.groups;
    result.logit += sum;
  }
  for (const Evidence& evidence : findings) {
    result.proven |= evidence.proven;
    if (evidence.logit > 0) result.alone = std::max(result.alone, evidence.alone);
  }
  result.probability = 1.0 / (1.0 + std::exp(-result.logit));
  return result;
}

namespace {

SpamLevel most_alone(Alone alone) {
  switch (alone) {
    case Alone::none:
      return SpamLevel::none;
    case Alone::med:
      return SpamLevel::med;
    case Alone::high:
      return SpamLevel::high;
  }
  return SpamLevel::none;
}

}  // namespace

SpamLevel level(const Score& score, const SpamPolicy& policy) {
  if (score.proven) return SpamLevel::high;
  SpamLevel level = SpamLevel::none;
  if (score.probability >= policy.begins[0]) level = SpamLevel::low;
  if (score.probability >= policy.begins[1]) level = SpamLevel::med;
  if (score.probability >= policy.begins[2]) level = SpamLevel::high;
  return score.groups < 2 ? std::min(level, most_alone(score.alone)) : level;
}

std::string_view to_string(SpamLevel level) {
  switch (level) {
    case SpamLevel::none:
      return "none";
    case SpamLevel::low:
      return "low";
    case SpamLevel::med:
      return "med";
    case SpamLevel::high:
      return "high";
  }
  return "?";
}

}  // namespace mxfeed::spam
