// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sub-commands of mxfeed-virus: what `mxfeed virus ...` runs.

#pragma once

namespace mxfeed::virus {

// mxfeed-virus scan FILE [--state DIR] [--json]: has the mail in the file ("-": standard
// input) scanned by the running service, with the settings in force.  Returns the exit
// status: 0 clean, 1 anything else found, 2 usage, 75 no answer.
int scan_command(int argc, char** argv);

// mxfeed-virus status [--state DIR] [--json]: what the milter and the scan service say of
// themselves.  0: both serve; 1: one does not.
int status_command(int argc, char** argv);

}  // namespace mxfeed::virus
