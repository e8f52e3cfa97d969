// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a line of Postfix's log tells of a message that came from the network.  Peers
// choose most of its text.  Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/mail/envelope.h"

namespace mxfeed::greylist {

struct LogEvent {
  enum class Kind : std::uint8_t {
    connection,  // of a client, begins or ends
    client,      // "QUEUEID: client=...": a recipient was accepted
    sender,      // "QUEUEID: from=<...>", from the queue manager
    recipient,   // "QUEUEID: to=<...>", from a delivery agent
    removed,     // "QUEUEID: removed"
    deferred,    // a recipient was greylisted
  };
  Kind kind = Kind::connection;
  Time time;
  std::string process;   // "smtpd[123]"
  std::string queue_id;  // empty of a connection and of what was deferred
  Client client;         // of client and deferred
  bool authenticated = false;
  std::string sender;
  std::string recipient;
  std::string helo;  // of deferred
};

// Takes the formats of syslog and of journalctl -o short and short-iso: "Nov 27 02:51:00"
// or a date and time of RFC 3339, also with a zone without a colon.  A time without a
// year is the last such one before `now`, and is taken for UTC.  Nothing for any other
// line.
std::optional<LogEvent> parse_log_event(std::string_view line, Time now);

}  // namespace mxfeed::greylist
