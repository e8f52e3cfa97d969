// SPDX-License-Identifier: GPL-2.0-or-later
//
// A call-out: asks a customer's server about a recipient, from the null sender, and gives
// it no message.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/smtp_client.h"
#include "common/net/smtp_reply.h"
#include "postfix-conf/recipients/knowledge.h"
#include "postfix-conf/recipients/policy_request.h"

namespace mxfeed::recipients {

// Whom to ask about.
struct Query {
  Recipient recipient;
  std::optional<Recipient> random;   // asked too
  std::optional<Recipient> control;  // asked if the recipient is refused
};

// What was heard, and for the log the last reply or why there is none, escaped.
struct Report {
  CallOut heard;
  std::string server;  // "[192.0.2.7]:25", or empty
  std::string text;
};

// What a reply to RCPT TO says of the recipient.  A mailbox that is full exists.
Reply classify(const smtp::Reply& reply);

// Sends a command and returns the reply; throws Fault if there is none.
using Command = std::function<smtp::Reply(std::string_view line)>;
// The part of a call-out after EHLO.  Never throws Fault: replies until then count.
Report ask_recipients(const Query& query, const smtp::Hello& hello,
                      const Command& command);

// Asks the servers in order until one answers other than by 4xx, in equal parts of the
// time up to the deadline.  TLS is used if it is offered and works.  Never throws Fault.
Report call_out(const Query& query, const std::vector<smtp::Target>& servers,
                const std::string& helo, smtp::Session::Instant deadline);

}  // namespace mxfeed::recipients
