// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the virus milter counts of each message; mxfeed-virus(8) lists the metrics.

#pragma once

#include "milters/virus/decision.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {

void count_other_mail();
void count_result(const ScanResult& result);
// Of a message with an attachment that a recipient does not take.
void count_attachment(const Decision& decision);

}  // namespace mxfeed::virus
