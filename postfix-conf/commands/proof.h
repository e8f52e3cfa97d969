// SPDX-License-Identifier: GPL-2.0-or-later
//
// Verifies that Postfix uses the generation in force.

#pragma once

#include <filesystem>

#include "postfix-conf/commands/apply_report.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// Looks up the changed entries with postmap(1) and prints wrong answers.  Returns true if
// there are none, and also if postmap(1) cannot be run.
bool prove_look_ups(const std::filesystem::path& state,
                    const std::filesystem::path& postfix_config, const Generated& now,
                    const Generated& before, ApplyReport& report);

}  // namespace mxfeed
