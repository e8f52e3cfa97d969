# SPDX-License-Identifier: GPL-2.0-or-later
"""A customer's server goes away and comes back, or somebody else does."""

import subprocess
import time

import rig
import smtp_sink
from keeper_test import KeeperCase


class RecoveryTest(KeeperCase):
    """A server goes away and comes back, or somebody else does."""

    COUNT = 30

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        overlay = cls.gateway.state / "keeper" / "transport"
        if not overlay.with_suffix(".cdb").exists():
            overlay.parent.mkdir(exist_ok=True)
            overlay.write_text("")
            subprocess.run(["postmap", "-c", cls.gateway.postfix.config, f"cdb:{overlay}"],
                           check=True)
        maps = cls.gateway.postfix.parameter("transport_maps")
        if f"cdb:{overlay}" not in maps:
            cls.gateway.postfix.edit(transport_maps=f"cdb:{overlay}, {maps}")
        cls.gateway.postfix.reload()

    def setUp(self):
        super().setUp()
        self.overlay = self.gateway.state / "keeper" / "transport"
        self.overlay.write_text("")
        self.addCleanup(self.customer.answers.clear)
        self.postfix.reload()  # else the route of the test before may hold for ten seconds

    def go_away(self):
        """The server was known, is away, and mail waits for it."""
        self.customer.up()
        self.keep()
        self.customer.down()
        with self.session() as session:
            for i in range(self.COUNT):
                self.assertTrue(session.send("anna@sender.example", [f"u{i}@acme.example"],
                                             rig.mail(f"mail {i}")).accepted)
        self.wait_for_deferral(self.COUNT)
        for _ in range(3):
            self.assertEqual(self.overlay.read_text(), "")
            self.keep()
        self.assertIn("acme.example lmtp:unix:", self.overlay.read_text())
        self.assertEqual(self.alerts(), ["down"])
        self.postfix.reload()  # else it may take ten seconds to notice

    def keep_until(self, condition):
        """A run that waited too long for its trial leaves it to the next."""
        def holds():
            if not condition():
                self.keep()
            return condition()
        rig.eventually(holds, "the keeper is done", 90)

    def assert_recovered(self):
        self.keep_until(lambda: not self.overlay.read_text())
        self.assertEqual(self.alerts(), ["down", "returned", "recovered"])
        self.assertEqual(self.bounced(), [])

    def test_mail_is_delivered_at_once_when_the_server_is_back(self):
        self.go_away()
        self.customer.up()
        start = time.monotonic()
        self.keep()
        self.customer.wait_for_count(self.COUNT, 60)
        self.assertLess(time.monotonic() - start, 60)
        self.assertEqual(sorted(d.recipients[0] for d in self.customer.received()),
                         sorted(f"u{i}@acme.example" for i in range(self.COUNT)))
        self.assert_recovered()

    def test_a_domain_that_moves_to_another_server_gets_its_mail_there(self):
        self.go_away()
        file = self.gateway.config / "domains.d" / "domains.toml"
        before = file.read_text()
        other = self.sink("203.0.113.44")
        self.addCleanup(self.gateway.apply_at_once)
        self.addCleanup(file.write_text, before)
        file.write_text(before.replace(rig.CUSTOMER, "203.0.113.44", 1))
        self.gateway.apply_at_once()
        self.keep()
        other.wait_for_count(self.COUNT, 60)
        self.assertEqual(len(other.received()), self.COUNT)
        self.assert_recovered()

    def test_a_stranger_at_the_old_address_gets_nothing(self):
        self.go_away()
        stranger = smtp_sink.Sink(rig.CUSTOMER, 25, name="mail.stranger.example").up()
        self.addCleanup(stranger.down)
        self.keep()
        self.postfix.flush()
        self.keep()
        self.at_rest()
        self.assertEqual(stranger.received(), [])
        self.assertEqual(self.alerts(), ["down", "stranger"])
        self.assertEqual(len(self.postfix.queue()), self.COUNT)
        self.assertEqual(self.bounced(), [])
        stranger.down()

    def test_a_server_that_refuses_everything_causes_no_bounce(self):
        self.go_away()
        for i in range(self.COUNT):
            self.customer.answers[f"u{i}@acme.example"] = "550 5.1.1 No such user"
        self.customer.up()
        self.keep()
        self.postfix.flush()
        self.keep_until(lambda: "refuses" in self.alerts())
        self.at_rest()
        self.assertEqual(self.alerts(), ["down", "refuses"])
        self.assertEqual(len(self.postfix.queue()), self.COUNT)
        self.assertEqual(self.bounced(), [])

    def test_a_server_that_refuses_many_gets_the_rest_later(self):
        self.go_away()
        for i in range(0, self.COUNT, 2):
            self.customer.answers[f"u{i}@acme.example"] = "550 5.1.1 No such user"
        self.customer.up()
        self.keep_until(lambda: "refuses" in self.alerts())
        self.at_rest()
        self.assertEqual(self.alerts(), ["down", "returned", "refuses"])
        self.assertIn("acme.example mxfeed-soft:", self.overlay.read_text())
        self.assertEqual(self.bounced(), [])
        self.customer.answers.clear()
        self.keep()
        self.customer.wait_for_count(self.COUNT)
        self.keep_until(lambda: not self.overlay.read_text())
        self.assertEqual(len(self.customer.received()), self.COUNT)
        self.assertEqual(self.bounced(), [])


if __name__ == "__main__":
    rig.main()
