// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a walk finds odd; for the walk of walker.h only.

#pragma once

#include "common/mail/mime/anomalies.h"
#include "common/mail/mime/reading.h"

namespace mxfeed::mime {

struct Notes {
  explicit Notes(const Reading& followed = {}) : reading(followed) {}

  const Reading reading;
  Anomalies anomalies;
  Ambiguities ambiguities;

  void add(Anomaly anomaly) { anomalies.add(anomaly); }
  // There are choices up to `last` besides the default; the one that this walk makes.
  unsigned choose(Ambiguity ambiguity, unsigned last = 1) {
    for (unsigned choice = 1; choice <= last; ++choice)
      ambiguities.add(ambiguity, choice);
    const unsigned chosen = reading.choice(ambiguity);
    return chosen <= last ? chosen : last;
  }
};

}  // namespace mxfeed::mime
