// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the content model reads of a message, and what weights make of it.  Pure.

#pragma once

#include <span>

#include "milters/spam/evidence/message.h"
#include "milters/spam/model/features.h"
#include "milters/spam/model/learner.h"
#include "milters/spam/model/passages.h"

namespace mxfeed::spam {

struct Content {
  Features features;  // what is learned
  Passages passages;
};

Content content_of(const Message& message);

// The log-odds of the whole, or of its strongest passage if that says much more: it is
// the strongest of many, so it counts less, and has a bound.
double content_margin(const Content& content, std::span<const float> weights);
double content_margin(const Content& content, const Learner& learner);

}  // namespace mxfeed::spam
