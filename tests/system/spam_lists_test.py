# SPDX-License-Identifier: GPL-2.0-or-later
"""What DNS lists say of a message counts as evidence, and no list holds up mail."""

import os
import signal
import time

import rig

LISTED, ALLOWED = "198.51.100.7", "198.51.100.8"
TIMEOUT = 2  # lists_timeout
MARGIN = 1.5

rig.RECORDS += [
    "7.100.51.198.bl.example. 60 A 127.0.0.2",
    "8.100.51.198.wl.example. 60 A 127.0.5.3",
    # Not about the client: the operator refuses.
    "7.100.51.198.refusing.example. 60 A 127.255.255.254",
    # A list that has everything, as one does whose domain was sold.
    "7.100.51.198.all.example. 60 A 127.0.0.2",
    "1.0.0.127.all.example. 60 A 127.0.0.2",
    "bad.example.uri.example. 60 A 127.0.1.2",
    "sender.example.uri.example. 60 A 127.0.1.9",
]

LISTS = ["client bl.example=127.0.0.[2..3] 2", "client wl.example=127.0.[0..255].3 -2.5",
         "client refusing.example=127.[0..255].[0..255].[0..255] 3",
         "client all.example=127.0.0.2 3", "url uri.example=127.0.1.2 4",
         "sender uri.example=127.0.1.9 1"]


class SpamListsTest(rig.TestCase):
    domains = rig.feed("acme.example", "greylist = false",
                       tables="  [domain.spam]\n  enabled = true\n") + \
        rig.feed("without.example", "greylist = false", 'blocklist = "off"',
                 tables="  [domain.spam]\n  enabled = true\n")
    gateway_settings = f"[spam]\nlists = {LISTS}\nlists_timeout = \"{TIMEOUT}s\"\n" \
                       'spf_timeout = "0s"\n'.replace("'", '"')
    _number = 0

    def line(self, message=b"", recipient="info@acme.example", **options):
        """The line of the log for such a message."""
        SpamListsTest._number += 1
        sender = f"n{self._number}@news.sender.example"
        self.accept(recipient, rig.mail("lists") + message, sender=sender, **options)
        [line] = self.gateway.daemons["spam"].log_lines(f"from={sender}", "level=")
        return line

    def explained(self, *options, **sending):
        """What explain says of such a mail as it was delivered."""
        self.line(b"see http://www.bad.example/offer\r\n", **sending)
        (delivery,) = self.customer.wait_for_count(1)
        mail = self.gateway.directory / "mail"
        mail.write_bytes(delivery.data)
        return self.gateway.mxfeed("spam", "explain", mail, *options).stdout

    def test_explain_asks_the_lists_that_the_milter_asks(self):
        said = self.explained(source=LISTED)
        for line in ("7.100.51.198.bl.example (client, 2.00): listed",
                     "7.100.51.198.wl.example (client, -2.50): clear",
                     "7.100.51.198.refusing.example (client, 3.00): refused",
                     "7.100.51.198.all.example (client, 3.00): has-all",
                     "bad.example.uri.example (url, 4.00): listed",
                     "sender.example.uri.example (sender, 1.00): listed"):
            self.assertIn(f"\nDNS list: {line}\n", said)
        for evidence in ("client-listed", "url-listed", "sender-listed"):
            self.assertRegex(said, f"(?m)^{evidence} ")
        self.assertNotIn("no client known", said)

    def test_explain_can_leave_the_lists_out(self):
        said = self.explained("--no-dns", source=LISTED)
        self.assertIn("\nDNS lists: not asked: --no-dns\n", said)
        self.assertNotIn("listed", said)

    def test_explain_waits_for_dead_name_servers_as_long_as_the_milter(self):
        self.explained()
        os.kill(self.world.resolver.pid, signal.SIGSTOP)
        try:
            begin = time.monotonic()
            said = self.gateway.mxfeed("spam", "explain", self.gateway.directory / "mail").stdout
            took = time.monotonic() - begin
        finally:
            os.kill(self.world.resolver.pid, signal.SIGCONT)
        self.assertIn("bad.example.uri.example (url, 4.00): unknown", said)
        self.assertNotIn("url-listed", said)
        print(f"explain with dead name servers: {took:.2f} s of {TIMEOUT} s")
        self.assertLess(took, TIMEOUT + MARGIN)

    def test_a_client_on_a_list_is_evidence_of_spam(self):
        line = self.line(source=LISTED)
        self.assertIn("client-listed", line)
        self.assertIn("7.100.51.198.bl.example", line)

    def test_a_client_on_a_list_of_good_senders_is_evidence_of_ham(self):
        line = self.line(source=ALLOWED)
        self.assertIn("client-allowed", line)
        self.assertNotIn("client-listed", line)

    def test_links_and_senders_are_asked_for_by_domain(self):
        line = self.line(b"see http://www.bad.example/offer and http://fine.example/\r\n")
        self.assertIn("url-listed", line)
        self.assertIn("bad.example.uri.example", line)
        self.assertIn("sender-listed", line)
        self.assertIn("sender.example.uri.example", line)

    def test_refusals_and_lists_that_have_everything_are_no_evidence(self):
        line = self.line(source=LISTED)
        self.assertNotIn("refusing.example", line)
        self.assertNotIn("all.example", line)
        self.assertIn("lists_unknown=2", line)
        log = self.gateway.daemons["spam"].log()
        self.assertEqual(log.count("its operator refuses"), 1)
        self.assertEqual(log.count("it has everything"), 1)

    def test_a_domain_can_do_without(self):
        line = self.line(source=LISTED, recipient="info@without.example")
        self.assertNotIn("listed", line)

    def test_dead_name_servers_cost_the_budget_and_no_more(self):
        os.kill(self.world.resolver.pid, signal.SIGSTOP)
        try:
            with self.session(source="198.51.100.9") as session:
                session.command("MAIL FROM:<dead@dead.example>")
                session.command("RCPT TO:<info@acme.example>")
                session.command("DATA")
                begin = time.monotonic()
                reply = session.command(rig.mail("dead") + b"http://dead.example/\r\n.")
                took = time.monotonic() - begin
        finally:
            os.kill(self.world.resolver.pid, signal.SIGCONT)
        self.assertEqual(reply.code, 250)
        print(f"dead name servers: {took:.2f} s of {TIMEOUT} s")
        self.assertLess(took, TIMEOUT + MARGIN)


if __name__ == "__main__":
    rig.main()
