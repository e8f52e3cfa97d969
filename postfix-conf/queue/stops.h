// SPDX-License-Identifier: GPL-2.0-or-later
//
// For what domains new mail is not taken for a while, as the keeper has found.  Pure.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "postfix-conf/generate/overlay.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

enum class Stop {
  full,          // 452: its queue has reached queue_quota
  main_answers,  // 450: a backup, and the customer's server answers
};

using Stops = std::map<std::string, Stop, std::less<>>;  // by name of the domain

// What is known of a domain in this run.
struct DomainLoad {
  std::uint64_t queued = 0;     // bytes
  std::optional<bool> answers;  // its server; nothing if it was not asked
};

// Whether it is a backup that takes mail; it may defer it while the main server answers.
bool is_active_backup(const Hosted& hosted);

// Whether mail for it could go to its main server instead, and is taken all the same; as
// in the run before if the server was not asked.
bool takes_mail_of_main(const Hosted& hosted, std::optional<bool> answers, bool before);

// `before` is what was found in the run before.  A queue that was full takes mail again
// below nine tenths of its quota.
std::optional<Stop> stop_of(const Hosted& hosted, const DomainLoad& load,
                            std::optional<Stop> before);

// The lines of a table as access(5) describes.  A domain of ours below one that is
// stopped has a line too: access(5) looks for the parents of a name.
OverlayLines lines_of(const Generated& generated, const Stops& stops);
// What the text of such a table says; what is malformed is skipped.
Stops parse_stops(const Generated& generated, std::string_view text);

}  // namespace mxfeed
