// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <functional>

#include "common/command/command.h"
#include "milters/spam/model/trainer.h"

namespace mxfeed::spam {

// The trainer, as the daemon's user.  Waits a minute while another command learns, then
// throws JournalInUse.  Warns if the journal is damaged.
Trainer open_trainer(const Arguments& arguments);

// The same for whoever is the daemon's user already.
Trainer wait_for_trainer(const std::filesystem::path& state);

// Runs the work; while another command learns, the exit status says so.
ExitCode retriable(const std::function<ExitCode(const Arguments&)>& work,
                   const Arguments& arguments);

}  // namespace mxfeed::spam
