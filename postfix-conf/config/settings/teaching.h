// SPDX-License-Identifier: GPL-2.0-or-later
//
// The recipients whose mail mxfeed-spam learns from: traps, report_spam and report_ham in
// [domain.spam].

#pragma once

#include "postfix-conf/config/setting.h"

namespace mxfeed {

void read_spam_traps(const Entry& entry, const Setting<DomainSettings>& row,
                     DomainSettings& settings);
void read_report_spam(const Entry& entry, const Setting<DomainSettings>& row,
                      DomainSettings& settings);
void read_report_ham(const Entry& entry, const Setting<DomainSettings>& row,
                     DomainSettings& settings);

// After all of them were read: none of the addresses has two purposes.
void check_teaching(const Entry& spam, const TeachingPolicy& teaching);

}  // namespace mxfeed
