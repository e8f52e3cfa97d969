# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration changes while mail flows."""

import threading
import time

import rig
import smtp_client

GTUBE = f"{rig.GTUBE}\n"


def acme(tag):
    return rig.feed("acme.example", "greylist = false",
                    tables="  [domain.spam]\n  enabled = true\n"
                           f'  high = {{ action = "subject", text = "[{tag}] " }}\n')


class ReloadTest(rig.TestCase):
    domains = acme("ONE")

    def test_no_mail_is_put_off_and_each_sees_one_policy(self):
        self.gateway.configure(acme("ONE"))
        self.gateway.apply()
        stop = threading.Event()
        outcomes = []

        def flow(index):
            with smtp_client.Session(rig.GATEWAY, source=f"198.51.100.{100 + index}") as session:
                number = 0
                while not stop.is_set():
                    outcomes.append(session.send(
                        "load@sender.example", [f"m{index}.{number}@acme.example"],
                        rig.mail("offer", GTUBE)))
                    number += 1

        threads = [threading.Thread(target=flow, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        try:
            for tag in ("TWO", "THREE", "FOUR"):
                before = len(outcomes)
                rig.eventually(lambda seen=before: len(outcomes) > seen + 20, "mail flows")
                self.gateway.configure(acme(tag))
                self.gateway.apply()
                # From when apply returns, every new mail is treated the new way.
                subject = f" [{tag}] offer".encode()
                self.accept("after@acme.example", rig.mail("offer", GTUBE))
                self.customer.wait_for(
                    lambda s=subject: any(d.header("Subject") == [s] and
                                          d.recipients == ("after@acme.example",)
                                          for d in self.customer.deliveries), tag)
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        self.assertEqual([str(o.last) for o in outcomes if not o.accepted], [])
        rig.eventually(lambda: not self.gateway.postfix.queue(), "the queue is empty")
        deliveries = self.customer.received()
        self.assertEqual(len(deliveries), len(outcomes) + 3)
        tags = {b" [%s] offer" % t for t in (b"ONE", b"TWO", b"THREE", b"FOUR")}
        for delivery in deliveries:
            self.assertEqual(len(delivery.header("Subject")), 1)
            self.assertIn(delivery.header("Subject")[0], tags)

    def test_a_wrong_configuration_changes_nothing(self):
        self.gateway.configure(acme("BEFORE"))
        self.gateway.apply()
        self.gateway.configure(acme("AFTER") + "nonsense = 1\n")
        done = self.gateway.mxfeed("apply", *self.gateway.for_postfix(), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nonsense", done.stdout + done.stderr)
        self.accept("info@acme.example", rig.mail("offer", GTUBE))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.header("Subject"), [b" [BEFORE] offer"])

    def test_rollback_brings_the_former_policy_back(self):
        for tag in ("FORMER", "LATTER"):
            self.gateway.configure(acme(tag))
            self.gateway.apply()
        self.gateway.mxfeed("rollback", *self.gateway.for_postfix())
        self.accept("info@acme.example", rig.mail("offer", GTUBE))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.header("Subject"), [b" [FORMER] offer"])


class SteadyFlowTest(rig.TestCase):
    """Fifty messages a second, while domains come, go, and change in all ways."""

    RATE = 50
    SESSIONS = 10
    STABLE = rig.feed("acme.example", "greylist = false")
    CHANGES = (
        rig.feed("other.example", "greylist = false", deliver_to=("203.0.113.20",)),
        rig.feed("other.example", 'state = "suspended"', "subdomains = true"),
        rig.feed("other.example", 'recipients = ["info"]', 'max_size = "1M"',
                 deliver_to=("203.0.113.21",)),
        "",  # it vanishes
        rig.feed("other.example", 'state = "protect"', 'tls = "encrypt"',
                 deliver_to=("203.0.113.22",)),
        rig.feed("other.example", 'state = "removed"'),
    )
    domains = STABLE

    def flow(self, index, stop, outcomes):
        """Its share of the rate, a message each time that it is due."""
        period = self.SESSIONS / self.RATE
        due = time.monotonic() + period * index / self.SESSIONS
        with smtp_client.Session(rig.GATEWAY, source=f"198.51.100.{100 + index}") as session:
            while not stop.wait(max(0.0, due - time.monotonic())):
                outcomes.append(session.send("load@sender.example", ["info@acme.example"],
                                             rig.mail("steady")))
                due += period

    def test_no_message_is_refused_or_put_off_because_of_an_apply(self):
        stop = threading.Event()
        outcomes = []
        threads = [threading.Thread(target=self.flow, args=(i, stop, outcomes))
                   for i in range(self.SESSIONS)]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            for change in self.CHANGES:
                before = len(outcomes)
                rig.eventually(lambda seen=before: len(outcomes) > seen + 50, "mail flows")
                before = len(outcomes)
                self.gateway.configure(self.STABLE + change)
                self.gateway.apply("--allow-removals", "1")
                self.assertGreater(len(outcomes), before, "mail flows meanwhile")
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        rate = len(outcomes) / (time.monotonic() - begin)
        print(f"{len(outcomes)} messages, {rate:.0f} a second")
        self.assertEqual([str(o.last) for o in outcomes if not o.accepted], [])
        rig.eventually(lambda: not self.gateway.postfix.queue(), "the queue is empty")
        self.assertEqual(len(self.customer.received()), len(outcomes))


if __name__ == "__main__":
    rig.main()
