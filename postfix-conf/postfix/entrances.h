// SPDX-License-Identifier: GPL-2.0-or-later
//
// The services of a Postfix by which mail comes in.  Pure.

#pragma once

#include "postfix-conf/generate/site.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

// Whether the service gets the filters.  These are the services that the configuration
// names; by default the smtpd(8) services of port 25 that other hosts can reach, and
// those behind postscreen(8).
bool gets_filters(const PostfixService& service, const PostfixUse& use);

// Whether it is another smtpd(8), not of port 25, that also takes mail from clients who
// neither log in nor are in mynetworks: none of its lists of restrictions refuses them.
// Services of the loopback address count if a proxy passes clients on to them.  Tables of
// restrictions are not read.
bool takes_strangers_mail(const PostfixSettings& settings, const PostfixService& service);

}  // namespace mxfeed
