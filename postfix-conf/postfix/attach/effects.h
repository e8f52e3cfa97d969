// SPDX-License-Identifier: GPL-2.0-or-later
//
// Side effects that a postmaster should know before Postfix is attached.  Pure.

#pragma once

#include <string>
#include <vector>

#include "postfix-conf/postfix/attach/plan.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

// The changes for other mail, one line each.
std::vector<std::string> also_affects(const PostfixSettings& site,
                                      const PostfixNeeds& needs, const Plan& plan);

// The site's checks and rewriting that also apply to mail for our domains.
std::vector<std::string> strikes(const PostfixSettings& site, const PostfixNeeds& needs);

// Settings of the configuration that have no effect in this Postfix.
std::vector<std::string> not_in_force(const PostfixSettings& site,
                                      const PostfixNeeds& needs);

}  // namespace mxfeed
