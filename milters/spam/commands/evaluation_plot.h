// SPDX-License-Identifier: GPL-2.0-or-later
//
// Draws how well the classifier does.  Pure.

#pragma once

#include <span>
#include <string>

#include "milters/spam/model/quality.h"

namespace mxfeed::spam {

// An SVG picture that needs nothing else: how much spam is found at which rate of false
// alarms (ROC), and how much of what has a probability is spam.  Without ham or without
// spam the diagrams have axes only.
std::string plot(std::span<const Judged> judged);

}  // namespace mxfeed::spam
