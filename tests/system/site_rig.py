# SPDX-License-Identifier: GPL-2.0-or-later
"""A mail host in use (tests/support/mailhost) in the small Internet of rig, for tests of mxfeed
attached to it."""

import functools
import sys
import tempfile
import unittest

import rig
import smtp_client
from mailhost import BOXES, DOMAIN, NAME, PARTNER, MailHost
from mailhost.dkim import Key
from mailhost.mails import site_mails
from mailhost.probe import Probe
from smtp_sink import Sink

PARTNERS_SERVER = "203.0.113.20"
GREYLIST_OFF = "greylist = false"
SPAM = '  [domain.spam]\n  enabled = true\n  immature = "act"\n' \
       '  high = { action = "subject", text = "[SPAM] " }\n'

# Hosted domains: of two classes of content, one greylisted, one with its subdomains.
HOSTED = "".join([
    rig.feed("acme.example", GREYLIST_OFF, tables=SPAM),
    rig.feed("other.example", GREYLIST_OFF),
    rig.feed("grey.example", 'greylist = { when = "always", delay = "1s" }'),
    rig.feed("family.example", GREYLIST_OFF, "subdomains = true"),
    rig.feed("rejects.example", GREYLIST_OFF, tables='  [domain.virus]\n  infected = "reject"\n'),
])
# The domains whose MX record names the mail host.
HERE = (DOMAIN, BOXES, PARTNER, "acme.example", "other.example", "grey.example", "family.example",
        "rejects.example", "below.acme.example", "below.other.example", "below.family.example")


@functools.cache
def keys():
    """Of the sender and of the site; the DNS of the world that is made next knows them, and
    that the domains are here."""
    made = Key("sender.example"), Key(DOMAIN)
    rig.NAMES["mail.partner.example"] = PARTNERS_SERVER
    rig.RECORDS += [key.record for key in made]
    rig.RECORDS += [f"{domain}. MX 10 {NAME}." for domain in HERE]
    return made


class SiteCase(unittest.TestCase):
    """Tests that share a mail host in use, mxfeed running beside it and not yet attached."""

    domains = HOSTED
    mxfeed_runs = True

    @classmethod
    def setUpClass(cls):
        cls.sender_key, site_key = keys()
        world = rig.World.get()
        cls.host = MailHost(tempfile.mkdtemp(prefix="site-", dir=world.directory), rig.GATEWAY,
                            rig.RESOLVER, site_key)
        cls.addClassCleanup(cls.host.stop)
        cls.host.start()
        cls.sinks = {name: Sink(address, 25, name).up() for name, address in (
            ("customer", rig.CUSTOMER), ("partner", PARTNERS_SERVER),
            ("stranger", rig.STRANGER), ("sender", rig.SENDER))}
        for sink in cls.sinks.values():
            cls.addClassCleanup(sink.down)
        cls.customer = cls.sinks["customer"]
        cls.sinks["partner"].answers["sales@partner.example"] = "550 5.7.1 Not you"
        cls.sinks["stranger"].answers["refused@stranger.example"] = "550 5.1.1 No such user"
        cls.probe = Probe(cls.host, cls.sinks, site_mails(cls.sender_key))
        if cls.mxfeed_runs:
            cls.host.configure(cls.domains)
            cls.host.start_mxfeed()

    def setUp(self):
        self.addCleanup(self._tell_if_failed)
        self.host.wait_delivered()
        for sink in self.sinks.values():
            sink.clear()

    def session(self, source=rig.SENDER, port=25):
        session = smtp_client.Session(rig.GATEWAY, port, source=source)
        self.addCleanup(session.abort)
        return session

    def submission(self):
        """A session on the submission port, logged in."""
        session = self.session(port=587, source="198.51.100.77")
        session.starttls()
        self.assertTrue(session.login("carla@boxes.example", "secret").positive)
        return session

    def send(self, recipients, message, sender="anna@sender.example", **options):
        if isinstance(recipients, str):
            recipients = [recipients]
        with self.session(**options) as session:
            return session.send(sender, recipients, message)

    def accept(self, recipients, message, **options):
        outcome = self.send(recipients, message, **options)
        wanted = [recipients] if isinstance(recipients, str) else list(recipients)
        self.assertEqual(outcome.accepted, wanted, str(outcome.last))
        return outcome

    def bounces(self):
        return self.host.postfix.log_lines("status=bounced")

    def _tell_if_failed(self):
        failed = self._outcome.result.failures + self._outcome.result.errors
        if any(test is self for test, _ in failed):
            print(self.host.tail(), file=sys.stderr)
