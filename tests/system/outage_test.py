# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of an outage: each recipient that was taken is delivered once or bounced once.

MXFEED_MESSAGES says with how many messages.
"""

import collections
import os
import time

import queue_files
import rig
from keeper_test import BOUNCE, DAY, OFF, KeeperCase

MESSAGES = int(os.environ.get("MXFEED_MESSAGES", "200"))
FIRST, SECOND, SLOW = "203.0.113.7", "203.0.113.8", "203.0.113.30"
DELETES = """\
  [domain.spam]
  enabled = true
  immature = "act"
  high = { action = "delete" }
"""


class OutageTest(KeeperCase):
    """acme.example has two servers, slow.example has one; all three are down at first."""

    domains = (
        rig.feed("acme.example", OFF, BOUNCE, 'queue_lifetime = "2d"', deliver_to=(FIRST, SECOND),
                 tables=DELETES) +
        rig.feed("slow.example", OFF, BOUNCE, 'queue_lifetime = "5d"', deliver_to=(SLOW,),
                 tables=DELETES))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second, cls.slow = cls.sink(SECOND), cls.sink(SLOW)
        cls.servers = (cls.customer, cls.second, cls.slow)

    def setUp(self):
        super().setUp()
        for server in self.servers:
            server.down()
            server.clear()

    def fill(self):
        """Sends the messages; {sender: recipients} of what was taken."""
        taken = {}
        with self.session() as session:
            for i in range(MESSAGES):
                recipients = ([f"u{i}@acme.example"], [f"u{i}@slow.example"],
                              [f"u{i}@acme.example", f"u{i}@slow.example"],
                              [f"u{i}@acme.example", f"v{i}@acme.example"])[i % 4]
                outcome = session.send(f"s{i}@sender.example", recipients, rig.mail(f"mail {i}"))
                self.assertTrue(outcome.accepted, outcome.last)
                taken[f"s{i}@sender.example"] = recipients
        return taken

    def senders(self):
        """Of the messages that wait: {queue id: sender}."""
        return {message["queue_id"]: message["sender"] for message in self.postfix.queue()}

    def extend(self, domain, days):
        until = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + days * DAY))
        self.gateway.mxfeed("queue", "extend", domain, "--until", until,
                            "--postfix-config", self.postfix.config)
        self.gateway.apply_at_once()

    def outcomes(self):
        """What the log says of each recipient: {address: {status: count}}, without deferrals."""
        ends = collections.defaultdict(collections.Counter)
        for line in self.postfix.log_lines(" to=<", " status="):
            address = line.split(" to=<", 1)[1].split(">", 1)[0]
            status = line.split(" status=", 1)[1].split(" ", 1)[0]
            if status != "deferred" and not address.endswith("@sender.example"):
                ends[address][status] += 1
        return ends

    def test_mail_goes_to_the_second_server_while_the_first_is_away(self):
        self.second.up()
        self.accept("u@acme.example", rig.mail("first try"))
        for _ in range(4):
            self.keep()
        self.accept("v@acme.example", rig.mail("still goes there"))
        self.second.wait_for_count(2, 120)
        self.assertEqual(self.alerts(), [])

    def test_each_recipient_is_delivered_once_or_bounced_once(self):
        for server in self.servers:
            server.up()
        self.keep()  # knows the servers
        for server in self.servers:
            server.down()
        taken = self.fill()
        deleted = 0
        for _ in range(3):
            self.accept("spam@acme.example", rig.mail("cheap", f"{rig.GTUBE}\n"))
            self.accept("virus@acme.example", rig.infected())
            deleted += 2
        self.wait_for_deferral(MESSAGES)
        for _ in range(3):
            self.keep()
        self.assertEqual(self.alerts(), ["down", "down"])

        # A third of it is six days old.  One domain has got a longer time, the other not.
        due = []
        for number, (queue_id, sender) in enumerate(sorted(self.senders().items())):
            old = number % 3 == 0
            queue_files.set_age(self.postfix, queue_id, (6 if old else 1) * DAY)
            if old and all(one.endswith("@slow.example") for one in taken[sender]):
                due += taken[sender]
        self.assertGreater(len(due), MESSAGES // 16)
        self.extend("acme.example", 5)
        self.wait_for_deferral(MESSAGES)

        # Nothing expires before it was tried once more.
        def expired():
            self.keep(allow=str(len(due)))
            return self.bounced() == sorted(due)
        rig.eventually(expired, f"bounces {due}", 120)
        kept = {one for recipients in taken.values() for one in recipients} - set(due)
        # The bounces are taken before they leave the queue.
        rig.eventually(lambda: {address for _, address in self.postfix.waiting()} == kept,
                       "what is not due waits")

        # One of the two servers of acme.example stays away.
        self.second.up()
        self.slow.up()
        start = time.monotonic()

        def delivered():
            return sorted(one for sink in self.servers
                          for delivery in sink.received() for one in delivery.recipients)

        while len(delivered()) < len(kept) and time.monotonic() - start < 60:
            self.keep()
        took = time.monotonic() - start
        self.at_rest()
        self.assertEqual(delivered(), sorted(kept))
        self.assertLess(took, 60)

        # The log tells the same.
        self.assertEqual(self.postfix.queue(), [])
        ends = self.outcomes()
        self.assertEqual({one: dict(count) for one, count in ends.items()},
                         {one: {"sent": 1} for one in kept})
        self.assertEqual(self.bounced(), sorted(due))
        self.assertEqual(len(kept) + len(due),
                         sum(len(recipients) for recipients in taken.values()))
        print(f"{MESSAGES} messages, {deleted} deleted, {len(due)} recipients bounced, "
              f"{len(kept)} delivered {took:.1f} s after the servers came back")


if __name__ == "__main__":
    rig.main()
