// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the customer's server refused for good, as the defer log tells it.  Pure.
//
// The transport mxfeed-soft has soft_bounce=yes, so a recipient that got 5xx waits in the
// queue, with the server's reply as its reason.

#pragma once

#include <string_view>

namespace mxfeed {

// Whether the reason is smtp(8)'s text for a 5xx of the server, or for a limit of the
// server that the message exceeds.  The text of a reply does not matter.
bool is_refusal(std::string_view delay_reason);

}  // namespace mxfeed
