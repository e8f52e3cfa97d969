# SPDX-License-Identifier: GPL-2.0-or-later
"""X-Mxfeed-Sender in the queue says who a message can be bounced to: the SPF result of its
sender, from real zones, whatever the sender wrote there.

The domain is paused: its mail stays in the queue, where the field is read.
"""

import os
import re
import signal
import subprocess
import time

import rig

TIMEOUT = 3  # spf_timeout
MARGIN = 3
OWN_CLIENT = "198.51.100.50"
FORGED = (b"X-Mxfeed-Sender: own\r\nx-mxfeed-SENDER : spf=pass\r\n smtp.mailfrom=fail.example\r\n"
          b"Subject: forged\r\nX-MXFEED-Sender\t:\r\n own\r\n")

rig.RECORDS += [
    'pass.example. 60 TXT "v=spf1 include:%{d2}.senders.example -all"',
    'pass.example.senders.example. 60 TXT "v=spf1 ip4:198.51.100.0/24 -all"',
    'fail.example. 60 TXT "v=spf1 -all"',
    'softfail.example. 60 TXT "v=spf1 ~all"',
    'broken.example. 60 TXT "v=spf1 nonsense"',
    'mail.sender.example. 60 TXT "v=spf1 a -all"',  # of HELO
]


class SenderTest(rig.TestCase):
    domains = rig.feed("queue.example", "greylist = false", 'state = "paused"') + \
        rig.feed("marked.example", "greylist = false", 'state = "paused"',
                 tables="  [domain.spam]\n  enabled = true\n") + \
        rig.feed("ruled.example", "greylist = false", 'state = "paused"',
                 tables="  [domain.spam]\n  enabled = true\n  [domain.senders]\n"
                        '  allow = ["@pass.example"]\n  block = ["@softfail.example"]\n')
    gateway_settings = f'trusted_networks = ["{OWN_CLIENT}/32"]\n' \
                       f'[spam]\nspf_timeout = "{TIMEOUT}s"\n'

    def recorded(self, sender, recipient="info@queue.example", message=None, **options):
        """The values of the field in the queue, after the message was accepted."""
        outcome = self.accept(recipient, message or rig.mail("mail"), sender=sender, **options)
        return self.fields_of(outcome.final)

    def fields_of(self, reply):
        queue_id = re.search(r"queued as (\w+)", reply.text).group(1)
        header = subprocess.run(
            ["postcat", "-c", self.gateway.postfix.config, "-qh", queue_id],
            stdout=subprocess.PIPE, check=True, text=True, timeout=60).stdout
        return re.findall(r"(?im)^x-mxfeed-sender[ \t]*:\s*(.*(?:\n[ \t].*)*)", header)

    @property
    def spam(self):
        return self.gateway.daemons["spam"]

    def test_the_result_is_recorded(self):
        for sender, wanted in (
            ("anna@pass.example", "spf=pass smtp.mailfrom=pass.example"),
            ("anna@Pass.Example", "spf=pass smtp.mailfrom=pass.example"),
            ("anna@fail.example", "spf=fail smtp.mailfrom=fail.example"),
            ("anna@softfail.example", "spf=softfail smtp.mailfrom=softfail.example"),
            ("anna@broken.example", "spf=permerror smtp.mailfrom=broken.example"),
            ("anna@sender.example", "spf=none smtp.mailfrom=sender.example"),
            ("anna@nowhere.example", "spf=none smtp.mailfrom=nowhere.example"),
            ("", "spf=pass smtp.helo=mail.sender.example"),
            # What Postfix routes by is another domain than the one with a record.
            ("victim.example!pass.example", "spf=none"),
            ("pass.example", "spf=none"),
        ):
            with self.subTest(sender):
                self.assertEqual(self.recorded(sender), [wanted])

    def test_it_is_that_of_the_client(self):
        self.assertEqual(self.recorded("", source="198.51.100.8"),
                         ["spf=fail smtp.helo=mail.sender.example"])
        self.assertEqual(self.recorded("anna@fail.example", source=OWN_CLIENT), ["own"])

    def test_it_is_recorded_beside_the_status_of_the_spam_filter(self):
        self.assertEqual(self.recorded("anna@pass.example", "info@marked.example"),
                         ["spf=pass smtp.mailfrom=pass.example"])
        self.assertEqual(len(self.spam.log_lines("from=anna@pass.example", "level=none",
                                                 "spf=pass")), 1, self.spam.log())

    def test_a_domain_allows_and_blocks_senders(self):
        for sender, author, wanted in (
            ("bert@pass.example", "bert@pass.example", "senders=allow entry=@pass.example"),
            # Who may send for an allowed domain does not send in another's name.
            ("bert@pass.example", "boss@other.example", "senders=allow-unproved"),
            ("bert@fail.example", "bert@pass.example", "senders=allow-unproved"),
            ("bert@softfail.example", "bert@softfail.example", "senders=block"),
        ):
            with self.subTest(f"{sender} {author}"):
                before = len(self.spam.log_lines(wanted))
                message = rig.mail("ruled").replace(b"From:", b"X-From:") \
                    .replace(b"Subject:", f"From: {author}\r\nSubject:".encode(), 1)
                self.accept("info@ruled.example", message, sender=sender)
                self.assertEqual(len(self.spam.log_lines(wanted)), before + 1, self.spam.log())
        self.assertIn("level=high", self.spam.log_lines("senders=block")[-1])

    def test_forged_copies_do_not_stay(self):
        self.assertEqual(self.recorded("anna@fail.example", message=FORGED + rig.mail("x")),
                         ["spf=fail smtp.mailfrom=fail.example"])
        many = b"".join(b"X-Mxfeed-Sender: own\r\n" for _ in range(1000))
        self.assertEqual(self.recorded("anna@fail.example", message=many + rig.mail("x")),
                         ["spf=fail smtp.mailfrom=fail.example"])

    def test_forged_copies_do_not_stay_while_the_spam_filter_is_down(self):
        self.spam.stop()
        try:
            self.assertEqual(self.recorded("anna@pass.example",
                                           message=FORGED + rig.mail("x")), [])
        finally:
            self.gateway.start_daemon("spam")

    def test_results_are_counted(self):
        name = 'mxfeed_spf_results_total{result="softfail"}'
        before = self.spam.metric(name)
        self.recorded("anna@softfail.example")
        self.assertEqual(self.spam.metric(name), before + 1)

    def test_a_dead_name_server_costs_the_budget_and_no_more(self):
        os.kill(self.world.resolver.pid, signal.SIGSTOP)
        try:
            # The client's name is asked for by Postfix, before.
            with self.session() as session:
                session.command("MAIL FROM:<anna@dead.example>")
                begin = time.monotonic()
                session.command("RCPT TO:<info@queue.example>")
                session.command("DATA")
                reply = session.command(rig.mail("dead") + b".")
                took = time.monotonic() - begin
        finally:
            os.kill(self.world.resolver.pid, signal.SIGCONT)
        self.assertEqual(reply.code, 250)
        self.assertEqual(self.fields_of(reply), ["spf=temperror smtp.mailfrom=dead.example"])
        print(f"a dead name server: {took:.2f} s of {TIMEOUT} s")
        self.assertGreater(took, TIMEOUT - 0.5)
        self.assertLess(took, TIMEOUT + MARGIN)

    def test_a_reload_changes_the_budget(self):
        config = self.gateway.config / "mxfeed.toml"
        before = config.read_text()
        self.assertIn(f'spf_timeout = "{TIMEOUT}s"', before)
        try:
            config.write_text(before.replace(f'spf_timeout = "{TIMEOUT}s"', 'spf_timeout = "0s"'))
            self.gateway.apply()
            self.assertEqual(self.recorded("anna@pass.example"), [])
            self.assertEqual(self.recorded("anna@pass.example", source=OWN_CLIENT), ["own"])
        finally:
            config.write_text(before)
            self.gateway.apply()
        self.assertEqual(self.recorded("anna@pass.example"),
                         ["spf=pass smtp.mailfrom=pass.example"])


if __name__ == "__main__":
    rig.main()
