# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed greylist simulate`: what it says of a log of two days."""

import json
import subprocess
import unittest

import golden

HERE = golden.HERE / "simulate"


class Log:
    """Lines as Postfix writes them."""

    def __init__(self):
        self.lines = []
        self.queued = 0

    def line(self, day, clock, rest):
        self.lines.append(f"2026-11-{day:02}T{clock}.123456+00:00 mx1 postfix/{rest}")

    def accept(self, day, clock, client, sender, *recipients, more=""):
        self.queued += 1
        queue_id = f"4X{self.queued:05X}"
        self.line(day, clock, f"smtpd[71]: connect from {client}")
        self.line(day, clock, f"smtpd[71]: {queue_id}: client={client}{more}")
        self.line(day, clock, f"cleanup[72]: {queue_id}: message-id=<{queue_id}@s.example>")
        self.line(day, clock, f"qmgr[73]: {queue_id}: from=<{sender}>, size=900, "
                              f"nrcpt={len(recipients)} (queue active)")
        self.line(day, clock, f"smtpd[71]: disconnect from {client} ehlo=1 mail=1 rcpt=1 quit=1")
        for recipient in recipients:
            self.line(day, clock, f"smtp[74]: {queue_id}: to=<{recipient}>, "
                                  "relay=192.0.2.25[192.0.2.25]:25, delay=0.4, "
                                  "delays=0.1/0/0.1/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok)")
        self.line(day, clock, f"qmgr[73]: {queue_id}: removed")

    def defer(self, day, clock, client, sender, *recipients):
        for recipient in recipients:
            self.line(day, clock, f"smtpd[75]: NOQUEUE: reject: RCPT from {client}: 450 4.2.0 "
                                  f"<{recipient}>: Recipient address rejected: Greylisted, see "
                                  "http://postgrey.schweikert.ch/help/acme.example.html; "
                                  f"from=<{sender}> to=<{recipient}> proto=ESMTP helo=<x>")
        self.line(day, clock, f"smtpd[75]: disconnect from {client} ehlo=1 mail=1 rcpt=0/1")


def two_days():
    log = Log()
    good, named = "mx.s.example[198.51.100.7]", "out.isp.example[203.0.113.9]"
    plain, bot = "unknown[192.0.2.44]", "host-192-0-2-99.dyn.isp.example[192.0.2.99]"
    # A sender that retried the site's own greylisting, and is known then.
    log.defer(24, "08:00:00", good, "ann@s.example", "info@acme.example", "sales@acme.example")
    log.accept(24, "08:06:40", good, "ann@s.example", "sales@acme.example", "info@acme.example")
    log.accept(24, "09:00:00", good, "bob@s.example", "info@acme.example")
    # One that the site knew.
    log.accept(24, "10:00:00", named, "news@t.example", "info@acme.example")
    log.accept(25, "10:00:00", named, "news@t.example", "info@acme.example")
    # Without a name in DNS, accepted too early for the longer delay.
    log.defer(24, "11:00:00", plain, "shop@u.example", "info@acme.example")
    log.accept(24, "11:05:00", plain, "shop@u.example", "info@acme.example")
    # Never comes back.
    log.defer(24, "12:00:00", bot, "x@spam.example", "info@acme.example")
    # The log ends.
    log.defer(25, "23:00:00", bot, "y@spam.example", "info@acme.example")
    # Exempt, of users, and to others.
    log.accept(24, "13:00:00", plain, "x@v.example", "postmaster@acme.example")
    log.accept(24, "13:01:00", "pc.isp.example[192.0.2.8]", "jane@acme.example",
               "friend@w.example", more=", sasl_method=PLAIN, sasl_username=jane")
    log.accept(25, "13:02:00", plain, "", "info@acme.example")
    log.line(25, "23:30:00", "smtpd[71]: warning: hostname x does not resolve to address 192.0.2.1")
    log.line(25, "23:30:00", "smtpd[71]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 "
                             "<x@y.example>: Relay access denied; from=<> to=<x@y.example> "
                             "proto=ESMTP helo=<x>")
    return "\n".join(sorted(log.lines, key=lambda line: line[:19])) + "\n"


class SimulateTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        self.write("domains.d/acme.toml", golden.feed("acme.example", 'greylist = true'))
        self.apply()
        (self.state / "greylist").mkdir()
        self.log = self.directory / "mail.log"
        self.log.write_text(two_days())

    def simulate(self, *arguments, status=0):
        return self.mxfeed("greylist", "simulate", *arguments, status=status)

    def test_a_log_of_two_days(self):
        self.compare(HERE / "two-days.txt", self.simulate(str(self.log)).stdout)
        told = json.loads(self.simulate("--json", str(self.log)).stdout)
        self.compare(HERE / "two-days.json", json.dumps(told, indent=1) + "\n")

    def test_other_domains_are_taken_on_request(self):
        without = json.loads(self.simulate("--json", str(self.log)).stdout)
        with_all = json.loads(self.simulate("--json", "--all-domains", str(self.log)).stdout)
        # The user is exempt, the rest of the log is to the configured domain.
        self.assertEqual(with_all["messages"], without["messages"])
        self.assertEqual(with_all["exempt"], without["exempt"] + 1)

    def test_parts_of_a_log_in_the_wrong_order_are_reported(self):
        whole = self.simulate("--json", str(self.log))
        self.assertEqual((json.loads(whole.stdout)["steps_back"], whole.stderr), (0, ""))
        lines = self.log.read_text().splitlines(keepends=True)
        self.log.write_text("".join(sorted(lines, key=lambda line: line[:10], reverse=True)))
        self.assertNotEqual(self.log.read_text(), "".join(lines))
        done = self.simulate("--json", str(self.log))
        told = json.loads(done.stdout)
        self.assertEqual(told["steps_back"], 1)
        self.assertIn("goes back in time 1 time,", done.stderr)
        for name in ("used_lines", "messages", "exempt", "first", "last"):
            self.assertEqual(told[name], json.loads(whole.stdout)[name], name)

    def test_a_log_may_come_from_standard_input(self):
        done = subprocess.run(
            [golden.BUILD / "bin" / "mxfeed", "greylist", "simulate", "--json", "-",
             "--state", self.state], input=two_days(), text=True, capture_output=True,
            timeout=60, check=True)
        self.assertEqual(json.loads(done.stdout)["messages"],
                         json.loads(self.simulate("--json", str(self.log)).stdout)["messages"])

    def test_a_log_without_mail_is_status_1(self):
        self.log.write_text("\x1b[1mnonsense\n" * 5 + "x" * 100_000 + "\n")
        done = self.simulate(str(self.log), status=1)
        self.assertIn("no message to a configured domain", done.stderr)
        self.assertIn("0 of 6 lines used", done.stdout)
        self.simulate(str(self.directory / "none.log"), status=1)


if __name__ == "__main__":
    unittest.main()
