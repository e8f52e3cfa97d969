// SPDX-License-Identifier: GPL-2.0-or-later
//
// Keeps lists of recipients up to date that programs print.

#pragma once

#include "common/base/clock.h"
#include "postfix-conf/commands/keeper.h"
#include "postfix-conf/commands/keeper_news.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/queue/keeper_book.h"

namespace mxfeed {

// At most once an hour: runs the commands of the domains in force whose last good list is
// older than an hour, and puts the lists in force that have changed.  Nothing else of the
// configuration takes effect by that.  Alerts if a list stays as it was because of a
// problem.  Throws Fault.
void refresh_recipients(const KeeperOptions& options, const Generated& in_force,
                        KeeperBook& book, KeeperNews& news, Time now);

}  // namespace mxfeed
