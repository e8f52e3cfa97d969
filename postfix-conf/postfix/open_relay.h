// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a Postfix relays mail from anybody to anywhere, as far as its parameters tell;
// tables are not read.  Pure.

#pragma once

#include <string>
#include <vector>

#include "common/mail/address.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

// The settings that open the relay, one line each with the place; empty if there are
// none.
std::vector<std::string> open_relays(const PostfixSettings& settings);

// Whether a network of mynetworks is so large that (nearly) everybody is in it.
bool is_everybody(const Network& network);

}  // namespace mxfeed
