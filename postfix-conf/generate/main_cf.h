// SPDX-License-Identifier: GPL-2.0-or-later
//
// Postfix's parameters and services, and the script that sets them.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

std::vector<std::pair<std::string, std::string>> main_cf_parameters(
    const std::string& state, std::chrono::seconds longest_lifetime,
    std::uint64_t largest_message, bool smtputf8, const HostConfig* local);

// Services that master.cf needs besides Postfix's own.
std::vector<std::string> master_cf_services();

// A shell script that makes a Postfix use all of it.
std::string attach_script(const Generated& generated);

}  // namespace mxfeed
