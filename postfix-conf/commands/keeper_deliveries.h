// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tells mxfeed-recipients which recipients the customers' servers have taken mail for: it
// knows them while such a server is down, and need not ask about them.

#pragma once

#include <filesystem>

#include "common/base/clock.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/generate/rows.h"
#include "postfix-conf/queue/keeper_book.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {

// The deliveries that Postfix has logged since the last run, of domains with
// recipients = "callout"; does nothing if there is no such domain.  While
// mxfeed-recipients does not serve, the log waits for a later run.  Says once a day what
// does not work, on standard error; never throws Fault for it: mail does not depend on
// it.
void tell_of_deliveries(const std::filesystem::path& state, const KeeperPostfix& postfix,
                        const Generated& generated, Terms& terms, KeeperBook& book,
                        Time now);

}  // namespace mxfeed
