// SPDX-License-Identifier: GPL-2.0-or-later
//
// The services that write notices to senders: bounce(8).  Pure.

#pragma once

#include <string>
#include <vector>

#include "postfix-conf/postfix/attach/plan.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

inline constexpr const char* kNoticeProgram = "bounce";

// Where attach makes notices hide the customers' servers, and where it does not.
struct NoticeServices {
  std::vector<std::string> ours;  // "bounce/unix"
  // Those that the site has set itself, each with the cause.
  std::vector<std::string> kept;
};

// Both are empty if the generation does not need it, as on a Postfix that is not
// dedicated.
NoticeServices notice_services(const PostfixSettings& site, const PostfixNeeds& needs);

}  // namespace mxfeed
