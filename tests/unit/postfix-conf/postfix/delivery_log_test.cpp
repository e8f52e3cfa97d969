// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/delivery_log.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

const std::string kBegin = "Nov 26 09:00:00 mx1 postfix/mxfeed-relay/smtp[12]: ";
const std::string kMiddle =
    ", relay=192.0.2.7[192.0.2.7]:25, delay=0.1, delays=0.1/0/0/0, dsn=2.0.0, status=";

TEST_CASE("a line of a delivery agent is read") {
  const auto want = [](const char* recipient, const char* relay, const char* status,
                       const char* reason, const char* original = "") {
    return DeliveryLine{recipient, relay, status, reason, original};
  };
  CHECK(parse_delivery(kBegin + "4XyZ: to=<a@b.example>" + kMiddle +
                           "sent (250 2.0.0 Ok: queued (really))",
                       "4XyZ") == want("a@b.example", "192.0.2.7[192.0.2.7]:25", "sent",
                                       "250 2.0.0 Ok: queued (really)"));
  CHECK(parse_delivery(
            kBegin + "4XyZ: to=<a@b.example>, orig_to=<c@b.example>, relay=none, "
                     "delay=30, delays=0/0/30/0, dsn=4.4.1, status=deferred (connect "
                     "to 192.0.2.7[192.0.2.7]:25: Connection timed out)",
            "4XyZ") == want("a@b.example", "none", "deferred",
                            "connect to 192.0.2.7[192.0.2.7]:25: Connection timed out",
                            "c@b.example"));
}

TEST_CASE("other lines are not") {
  for (const std::string& line :
       {std::string(), kBegin + "4XyZ: removed", kBegin + "4XyZ: to=<a@b.example>",
        kBegin + "4XyZa: to=<a@b.example>" + kMiddle + "sent (250 Ok)",
        kBegin + "4XyZ: to=<a@b.example>" + kMiddle + "sent (250 Ok",
        // A peer's text does not pass for a line of ours.
        kBegin + "9999: to=<x]: 4XyZ: to=<a@b.example>" + kMiddle + "sent (250 Ok)"}) {
    INFO(line);
    CHECK_FALSE(parse_delivery(line, "4XyZ").has_value());
  }
  CHECK_FALSE(
      parse_delivery(kBegin + ": to=<a@b>" + kMiddle + "sent (1)", "").has_value());
}

TEST_CASE("recipients whose mail was taken are those of our transports") {
  const std::string taken = "4XyZ: to=<a@b.example>" + kMiddle + "sent (250 Ok)";
  CHECK(parse_sent(kBegin + taken) == "a@b.example");
  CHECK(parse_sent("2026-11-26T09:00:00+01:00 mx1 postfix/mxfeed-soft/smtp[1]: " +
                   taken) == "a@b.example");
  for (const std::string& line :
       {std::string(), kBegin, kBegin + "4XyZ: removed",
        // The site's own transports deliver elsewhere.
        "Nov 26 09:00:00 mx1 postfix/smtp[12]: " + taken,
        "Nov 26 09:00:00 mx1 postfix/lmtp[12]: " + taken,
        "Nov 26 09:00:00 mx1 not-postfix/mxfeed-relay/smtp[12]: " + taken,
        kBegin + "4XyZ: to=<a@b.example>" + kMiddle + "SOFTBOUNCE (550 No)",
        kBegin + "4XyZ: to=<a@b.example>" + kMiddle + "deferred (450 Wait)",
        kBegin + "4XyZ: to=<a@b.example>, relay=none, delay=1, delays=0/0/0/0, "
                 "dsn=2.0.0, status=sent (discarded)",
        kBegin + "4XyZ: to=<\"a b\"@b.example>" + kMiddle + "sent (250 Ok)",
        kBegin + "4XyZ: to=<root>" + kMiddle + "sent (250 Ok)",
        kBegin + "4XyZ: to=<a b@b.example>" + kMiddle + "sent (250 Ok)",
        kBegin + "4XyZ: to=<" + std::string(513, 'a') + "@b.example>" + kMiddle +
            "sent (250 Ok)",
        // A recipient that looks like the rest of a line, not quoted.
        kBegin + "4XyZ: to=<a@b.example>" + kMiddle + "sent (x)@b.example>" + kMiddle +
            "deferred (450 Wait)",
        kBegin + "4XyZ: to=<a@b.example>, relay=x[192.0.2.7]:25, x@b.example>" + kMiddle +
            "sent (250 Ok)",
        // A peer's text.
        kBegin + "4XyZ: host 192.0.2.7 said: 450 x" + kBegin + taken}) {
    INFO(line);
    CHECK_FALSE(parse_sent(line).has_value());
  }
}

}  // namespace
}  // namespace mxfeed
