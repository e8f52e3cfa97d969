// SPDX-License-Identifier: GPL-2.0-or-later
//
// What greylisting would have to decide of a try in the log.

#pragma once

#include <chrono>
#include <vector>

#include "milters/greylist/decision.h"
#include "milters/greylist/key.h"
#include "milters/greylist/simulation/attempts.h"
#include "milters/greylist/simulation/simulation.h"

namespace mxfeed::greylist {

// A recipient that is not exempt.
struct Judged {
  Keys keys;
  Terms terms;
};

// The recipients of a try that greylisting decides on.
struct Case {
  std::vector<Judged> judged;
  IdentityKind kind = IdentityKind::network;
  std::chrono::seconds retry_window{0};
  bool has_exempt = false;  // recipients
};

// As the filter does, but for block lists: what they said then is not known.
Case case_of(const Attempt& attempt, const SimulationSettings& settings);

}  // namespace mxfeed::greylist
