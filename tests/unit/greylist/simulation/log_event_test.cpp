// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/simulation/log_event.h"

#include <fmt/format.h>

#include "common/base/time_text.h"
#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

const Time kNow = *parse_time("2026-11-27T12:00:00Z");

std::string text_of(const std::optional<LogEvent>& event) {
  if (!event) return "-";
  constexpr const char* kKinds[] = {"connection", "client",  "sender",
                                    "recipient",  "removed", "deferred"};
  std::string text = fmt::format("{} {} {}", kKinds[static_cast<int>(event->kind)],
                                 event->process, event->queue_id);
  if (event->client.address) {
    text += fmt::format(" {}[{}]{}", event->client.name, event->client.address->str(),
                        event->authenticated ? " authenticated" : "");
  }
  return text +
         fmt::format(" <{}> <{}> {}", event->sender, event->recipient, event->helo);
}

struct Row {
  const char* name;
  std::string line;
  const char* want;
};

TEST_CASE("a line tells of a message from the network", "[greylist]") {
  for (const Row& row :
       {Row{"a connection begins", "postfix/smtpd[7]: connect from x.example[192.0.2.1]",
            "connection smtpd[7]  <> <> "},
        Row{"and ends",
            "postfix/smtpd[7]: disconnect from x.example[192.0.2.1] ehlo=1 quit=1",
            "connection smtpd[7]  <> <> "},
        Row{"a client", "postfix/smtpd[7]: 4XyZ1b: client=mx.s.example[198.51.100.7]",
            "client smtpd[7] 4XyZ1b mx.s.example[198.51.100.7] <> <> "},
        Row{"without a name", "postfix/smtpd[7]: 0A1B: client=unknown[2001:db8::7]:25",
            "client smtpd[7] 0A1B [2001:db8::7] <> <> "},
        Row{"a user",
            "postfix/submission/smtpd[7]: 0A1B: client=x.example[192.0.2.1], "
            "sasl_method=PLAIN, sasl_username=ann",
            "client smtpd[7] 0A1B x.example[192.0.2.1] authenticated <> <> "},
        Row{"a sender",
            "postfix/qmgr[8]: 0A1B: from=<a@s.example>, size=700, nrcpt=1 "
            "(queue active)",
            "sender qmgr[8] 0A1B <a@s.example> <> "},
        Row{"the null sender", "postfix-in/qmgr[8]: 0A1B: from=<>, size=7, nrcpt=1",
            "sender qmgr[8] 0A1B <> <> "},
        Row{"a recipient",
            "postfix/smtp[9]: 0A1B: to=<i@acme.example>, relay=192.0.2.9[192.0.2.9]:25, "
            "delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)",
            "recipient smtp[9] 0A1B <> <i@acme.example> "},
        Row{"an alias",
            "postfix/lmtp[9]: 0A1B: to=<x@in.example>, orig_to=<i@acme.example>, "
            "relay=x[private/lmtp], delay=1, delays=0/0/0/1, dsn=4.0.0, "
            "status=deferred (not now)",
            "recipient lmtp[9] 0A1B <> <i@acme.example> "},
        Row{"the end", "postfix/qmgr[8]: 0A1B: removed", "removed qmgr[8] 0A1B <> <> "},
        Row{"greylisted by postgrey",
            "postfix/smtpd[7]: NOQUEUE: reject: RCPT from mx.s.example[198.51.100.7]: "
            "450 4.2.0 <i@acme.example>: Recipient address rejected: Greylisted, see "
            "http://postgrey.schweikert.ch/help/acme.example.html; from=<a@s.example> "
            "to=<i@acme.example> proto=ESMTP helo=<mx.s.example>",
            "deferred smtpd[7]  mx.s.example[198.51.100.7] <a@s.example> "
            "<i@acme.example> mx.s.example"},
        Row{"by a milter, the null sender",
            "postfix/smtpd[7]: 0A1B: milter-reject: DATA from unknown[198.51.100.7]: 450 "
            "4.7.1 Greylisted, please try again in a few minutes; from=<> "
            "to=<i@acme.example> proto=SMTP helo=<x>",
            "deferred smtpd[7]  [198.51.100.7] <> <i@acme.example> x"},
        Row{"by rspamd",
            "postfix/cleanup[7]: 0A1B: milter-reject: END-OF-MESSAGE from "
            "unknown[198.51.100.7]: 4.7.1 Try again later; from=<a@s.example> "
            "to=<i@acme.example> proto=ESMTP helo=<x>",
            "deferred cleanup[7]  [198.51.100.7] <a@s.example> <i@acme.example> x"}}) {
    INFO(row.name);
    CHECK(text_of(parse_log_event("Nov 27 02:51:00 mx1 " + row.line, kNow)) == row.want);
  }
}

TEST_CASE("other lines tell nothing", "[greylist]") {
  const std::string reject =
      "postfix/smtpd[7]: NOQUEUE: reject: RCPT from mx.s.example[198.51.100.7]: ";
  const std::string envelope =
      "; from=<a@s.example> to=<i@acme.example> proto=ESMTP helo=<x>";
  for (const std::string& line :
       {std::string(), std::string("]: "), std::string("postfix/smtpd[7]: "),
        // Deferred or refused for other reasons: greylisting was not asked.
        reject + "450 4.1.1 <i@acme.example>: Recipient address rejected: unverified" +
            envelope,
        reject + "554 5.7.1 Greylisted for ever" + envelope,
        reject + "450 4.3.2 Try again later" + envelope,
        // Two ways to read it.
        reject + "450 4.7.1 Greylisted; from=<x@y> to=<z@acme.example> proto=X" +
            envelope,
        reject + "450 4.7.1 Greylisted; from=<a@s.example>",
        std::string("postfix/smtpd[7]: NOQUEUE: reject: VRFY from x[192.0.2.1]: 450 "
                    "4.7.1 Greylisted") +
            envelope,
        std::string("postfix/smtpd[7]: NOQUEUE: reject: RCPT from x[nowhere]: 450 4.7.1 "
                    "Greylisted") +
            envelope,
        // Other programs.
        std::string("dovecot/smtpd[7]: 0A1B: client=x[192.0.2.1]"),
        std::string("postfix/smtp[7]: 0A1B: client=x[192.0.2.1]"),
        std::string("postfix/smtpd[7]: warning: hostname x does not resolve"),
        std::string("postfix/cleanup[7]: 0A1B: message-id=<x@y>"),
        std::string("postfix/smtp[7]: 0A1B: removed")}) {
    INFO(line);
    CHECK_FALSE(parse_log_event("Nov 27 02:51:00 mx1 " + line, kNow).has_value());
  }
}

TEST_CASE("the time of a line has several formats", "[greylist]") {
  struct TimeRow {
    const char* begin;
    const char* want;
  };
  for (const auto& [begin, want] :
       {TimeRow{"Nov 27 02:51:00", "2026-11-27T02:51:00Z"},
        {"Nov  7 02:51:00", "2026-11-07T02:51:00Z"},
        // A little ahead, and of the year before.
        {"Nov 28 11:59:59", "2026-11-28T11:59:59Z"},
        {"Nov 28 12:00:01", "2025-11-28T12:00:01Z"},
        {"Dec 31 23:59:59", "2025-12-31T23:59:59Z"},
        {"2026-11-27T02:51:00.123456+01:00", "2026-11-27T01:51:00Z"},
        {"2026-11-27T02:51:00+0100", "2026-11-27T01:51:00Z"},
        {"2026-11-27T02:51:00Z", "2026-11-27T02:51:00Z"},
        {"Nov 27 24:51:00", ""},
        {"Nov 31 02:51:00", ""},
        {"Foo 27 02:51:00", ""},
        {"Nov 27 02-51-00", ""},
        {"Feb 29 02:51:00", ""},
        {"2026-11-27T02:51:00", ""},
        {"2026-13-27T02:51:00Z", ""},
        {"x", ""},
        {"", ""}}) {
    INFO(begin);
    const auto event = parse_log_event(
        fmt::format("{} mx1 postfix/qmgr[8]: 0A1B: removed", begin), kNow);
    CHECK((event ? format_time(event->time) : "") == want);
  }
}

}  // namespace
}  // namespace mxfeed::greylist
