// SPDX-License-Identifier: GPL-2.0-or-later
//
// Verdicts that filters put before a subject.  Pure.

#pragma once

#include <string_view>

namespace mxfeed::spam {

// The subject without the tags of spam filters at its start, such as "[SPAM: high]",
// "***SPAM***" and "{Spam?}": a model that saw them would learn another filter's opinion,
// or its own.
std::string_view without_verdicts(std::string_view subject);

}  // namespace mxfeed::spam
