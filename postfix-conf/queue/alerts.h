// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tells the operator what needs attention: in the log, and by a program or a webhook.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "postfix-conf/config/config.h"

namespace mxfeed {

struct Alert {
  std::string kind;    // "brake"
  std::string domain;  // or empty
  std::string text;    // a sentence
};

// {"time": "2026-11-02T10:00:00Z", "host": ..., "kind": ..., "domain": ..., "text": ...}
std::string alert_json(const Alert& alert, std::string_view host, Time now);

// Gives the text to the program on standard input and to the webhook by POST.  Returns
// what did not work, a line each.  Never throws, never takes more than a minute.
std::vector<std::string> send_alert(const AlertChannels& channels,
                                    const std::string& json);

}  // namespace mxfeed
