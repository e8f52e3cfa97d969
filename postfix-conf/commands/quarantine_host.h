// SPDX-License-Identifier: GPL-2.0-or-later
//
// The host that holds the mail of all, `host` in [quarantine], as seen from another one.

#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// Its name; empty if this host holds its own mail, or if no generation can be read.
std::string quarantine_host_of(const std::filesystem::path& state);

// Why it takes no mail from this host at present; nothing if it does.  Connects to it:
// takes some seconds if it does not answer.
std::optional<std::string> why_host_takes_none(const Generated& generated);

}  // namespace mxfeed
