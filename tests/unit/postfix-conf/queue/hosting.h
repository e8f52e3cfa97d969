// SPDX-License-Identifier: GPL-2.0-or-later
//
// A generation that hosts a few domains.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// What the tests set of a Hosted.
struct HostedSample {
  std::string name{};
  Row own = Row::active;
  Row below = Row::none;
  std::chrono::seconds queue_lifetime{0};
  std::string customer{};
  Intake intake = Intake::open;
  Time gone_since{};
  Time extended_until{};
  OnRefusal on_refusal = OnRefusal::bounce;
  bool standby = false;
};

// In ascending order of name.
inline Generated hosting_of(const std::vector<HostedSample>& samples) {
  Generated generated;
  generated.use.removal_grace = std::chrono::hours(72);
  for (const auto& one : samples) {
    Hosted& hosted = generated.hosted.emplace_back();
    hosted.name = one.name;
    hosted.own = one.own;
    hosted.below = one.below;
    hosted.queue_lifetime = one.queue_lifetime;
    hosted.customer = one.customer;
    hosted.intake = one.intake;
    hosted.gone_since = one.gone_since;
    hosted.extended_until = one.extended_until;
    hosted.on_refusal = one.on_refusal;
    hosted.standby = one.standby;
  }
  return generated;
}

}  // namespace mxfeed
