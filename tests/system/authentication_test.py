# SPDX-License-Identifier: GPL-2.0-or-later
"""What opendkim finds out before our filters counts; what a sender claims in its name does not."""

import re
import shutil
import subprocess

import rig

from mailhost.dkim import Key
from mailhost.opendkim import OpenDkim

HOST = "mx.gateway.example"
KEY = Key("bank.example")
CLAIM = f"Authentication-Results: {HOST}; dkim=pass header.d=bank.example\r\n".encode()

DMARC = CLAIM.replace(b"dkim=pass header.d", b"dmarc=pass header.from")

rig.RECORDS += [KEY.record, 'bank.example. 60 TXT "v=spf1 -all"']


def message(name, author="anna@bank.example"):
    return rig.mail(name).replace(b"From:", b"X-From:") \
        .replace(b"Subject:", f"From: {author}\r\nSubject:".encode(), 1)


class AuthenticationTest(rig.TestCase):
    domains = rig.feed("queue.example", "greylist = false", 'state = "paused"', tables="""\
  [domain.spam]
  enabled = true
  [domain.senders]
  allow = ["@bank.example"]
""")
    gateway_settings = f"""\
[spam]
authserv_id = "{HOST}"
[postfix]
verifiers = ["{OpenDkim.milter}"]
"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.opendkim = OpenDkim(cls.gateway.directory / "opendkim", cls.gateway.postfix.spool,
                                HOST, KEY, ("127.0.0.0/8",), rig.RESOLVER, removes="no")
        cls.addClassCleanup(shutil.rmtree, cls.opendkim.socket.parent, ignore_errors=True)
        cls.opendkim.start()
        cls.addClassCleanup(cls.opendkim.stop)

    @property
    def spam(self):
        return self.gateway.daemons["spam"]

    def queued(self, mail, sender="anna@bank.example"):
        """The log line of the spam filter, and the header in the queue."""
        outcome = self.accept("info@queue.example", mail, sender=sender)
        queue_id = re.search(r"queued as (\w+)", outcome.final.text).group(1)
        header = subprocess.run(
            ["postcat", "-c", self.gateway.postfix.config, "-qh", queue_id],
            stdout=subprocess.PIPE, check=True, text=True, timeout=60).stdout
        return self.spam.log_lines("level=")[-1], header

    def test_a_signature_proves_the_sender(self):
        line, header = self.queued(KEY.sign(message("signed")))
        self.assertIn("auth=dkim=bank.example ", line)
        self.assertIn("senders=allow entry=@bank.example", line)
        self.assertEqual(len(re.findall("(?i)^authentication-results:", header, re.M)), 1)

    def test_a_claim_of_the_sender_proves_nothing_and_is_removed(self):
        for name, mail in (("on top", CLAIM + message("claim")),
                           ("below", b"Received: from x\r\n" + CLAIM + message("claim")),
                           ("many", CLAIM * 20 + message("claim")),
                           ("what opendkim does not report", DMARC + message("claim")),
                           ("other letters", CLAIM.upper() + message("claim"))):
            with self.subTest(name):
                line, header = self.queued(mail)
                self.assertIn("auth=dkim=none ", line)
                self.assertIn("senders=allow-unproved", line)
                self.assertIn("unauthenticated", line)
                self.assertNotRegex(header.lower(), "(dkim|dmarc)=pass")

    def test_a_changed_message_proves_nothing(self):
        line, _ = self.queued(KEY.sign(message("changed")) + b"more\r\n")
        self.assertIn("auth=dkim=fail ", line)
        self.assertIn("dkim-fail", line)

    def test_results_of_other_servers_stay(self):
        _, header = self.queued(b"Authentication-Results: mx.other.example; dkim=pass\r\n" +
                                message("other"))
        self.assertIn("mx.other.example", header)


if __name__ == "__main__":
    rig.main()
