// SPDX-License-Identifier: GPL-2.0-or-later
//
// What Postfix's delivery agents log.  Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

// A line "QUEUEID: to=<...>, relay=..., ..., status=... (...)"; its texts come from
// peers.
struct DeliveryLine {
  std::string recipient;
  std::string relay;          // "203.0.113.7[203.0.113.7]:25", or "none"
  std::string status;         // sent, deferred, bounced, SOFTBOUNCE, ...
  std::string reason;         // what the server said
  std::string original = {};  // the recipient that the client named, if it is another one
  bool operator==(const DeliveryLine&) const = default;
};

// Nothing if the line is not one about this message.
std::optional<DeliveryLine> parse_delivery(std::string_view line,
                                           std::string_view queue_id);

}  // namespace mxfeed
