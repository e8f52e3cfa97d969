// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes main.cf and master.cf of a Postfix as planned.

#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

#include "common/base/file.h"
#include "postfix-conf/postfix/attach/plan.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {

// The lock that is held while the files are edited; nothing if another process holds it.
// Throws Fault.
std::optional<Fd> lock_files(const Postfix& postfix);

// Writes both steps of the plan and reloads Postfix after each.  After a crash in between
// no mail bypasses the filters, and the same command, run again, does the rest.
//
// The end of master.cf gets a temporary service in the first step.  When its socket
// exists, master(8) has read the whole file.  smtpd(8) processes from before, which have
// no filters, may have a session open: the second step waits half a minute for their end.
// If some are left their number is returned, and the second step is not written unless
// mail for our domains was accepted before, as when filters are put back.  `queue` is
// queue_directory.  Throws Fault, also if Postfix does not read its files within half a
// minute.
std::size_t write_plan(const Postfix& postfix, const Plan& plan,
                       const std::filesystem::path& queue, bool is_running);

}  // namespace mxfeed
