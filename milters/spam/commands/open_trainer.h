// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "common/command/command.h"
#include "milters/spam/model/trainer.h"

namespace mxfeed::spam {

// The trainer, as the daemon's user.  Waits a minute while another command learns, then
// throws JournalInUse.  Warns if the journal is damaged.
Trainer open_trainer(const Arguments& arguments);

// Runs the work; while another command learns, the exit status says so.
ExitCode retriable(ExitCode (*work)(const Arguments&), const Arguments& arguments);

}  // namespace mxfeed::spam
