// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is wanted for a message whose recipients have different policies.  Pure.

#pragma once

#include "common/policy/domain_policy.h"

namespace mxfeed::spam {

// Of each level the less destructive action: none, header, subject, quarantine, reject
// (the sender is told), delete; `a` if they are alike.  A level begins where the later of
// both begins.  Off if one of them is.
[[nodiscard]] SpamPolicy least_destructive(const SpamPolicy& a, const SpamPolicy& b);

}  // namespace mxfeed::spam
