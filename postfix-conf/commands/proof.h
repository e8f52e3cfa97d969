// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether Postfix does what the generation in force says.

#pragma once

#include <filesystem>

#include "postfix-conf/commands/apply_report.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// Looks up with postmap(1) what changed; prints what is wrong.  Returns whether nothing
// is; also if postmap(1) cannot be run.
bool prove_look_ups(const std::filesystem::path& state,
                    const std::filesystem::path& postfix_config, const Generated& now,
                    const Generated& before, ApplyReport& report);

}  // namespace mxfeed
