// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed queue extend`.

#pragma once

#include <string>

#include "postfix-conf/commands/queue.h"

namespace mxfeed {

// Writes into the domain's file that its mail does not expire before `until`, a time with
// a zone.  Every other byte of the file stays.  Refuses a time that Postfix does not
// allow. Throws Fault.
ExitCode extend_queue(const QueueOptions& options, const std::string& domain,
                      const std::string& until);

}  // namespace mxfeed
