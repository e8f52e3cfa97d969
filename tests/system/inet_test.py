# SPDX-License-Identifier: GPL-2.0-or-later
"""Milters on TCP sockets, as on a host of their own."""

import statistics
import time

import rig


class InetTest(rig.TestCase):
    domains = (rig.feed("acme.example", 'greylist = { when = "always", delay = "1s" }') +
               rig.feed("deletes.example", "greylist = false"))
    transport = "inet"

    def test_all_three_milters_work(self):
        outcome = self.send("info@acme.example", rig.mail("first"))
        self.assertEqual(outcome.last.code, 450)
        rig.eventually(lambda: self.send("info@acme.example", rig.mail("again")).accepted,
                       "the retry is taken")
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(len(delivery.header("X-Mxfeed-Virus")), 1)
        self.send("info@deletes.example", rig.infected())
        self.accept("after@deletes.example", rig.mail("after"))
        self.customer.wait_for_count(2)
        rig.eventually(lambda: not self.gateway.postfix.queue(), "the queue is empty")
        self.assertEqual(len(self.customer.received()), 2)

    def test_an_edit_does_not_wait_for_a_delayed_acknowledgement(self):
        # Without TCP_NODELAY each message takes 40 ms more, once for each milter that edits.
        def median_ms():
            took = []
            with self.session() as session:
                for i in range(30):
                    session.command("MAIL FROM:<anna@sender.example>")
                    session.command("RCPT TO:<info@deletes.example>")
                    session.command("DATA")
                    start = time.perf_counter()
                    reply = session.command(rig.mail(f"mail {i}") + b".")
                    took.append(1000 * (time.perf_counter() - start))
                    self.assertEqual(reply.code, 250)
            return statistics.median(took)

        with_milters = median_ms()
        self.gateway.postfix.edit(mxfeed_smtpd_milters="")
        self.gateway.postfix.reload()
        self.addCleanup(self.filter_again)
        rig.eventually(self.unfiltered, "Postfix goes without milters")
        self.assertLess(with_milters - median_ms(), 10 * self.slowdown())

    def filter_again(self):
        self.gateway.postfix.edit(mxfeed_smtpd_milters=self.gateway.milters())
        self.gateway.postfix.reload()

    def unfiltered(self):
        self.customer.clear()
        self.accept("info@deletes.example", rig.mail("plain"))
        self.customer.wait_for(lambda: self.customer.deliveries, "the mail")
        return not self.customer.received()[0].header("X-Mxfeed-Virus")

    @staticmethod
    def slowdown():
        """A sanitizer build is slower, but not by a delayed acknowledgement (40 ms)."""
        return 3 if "asan" in str(rig.gateways.service.BUILD) else 1


if __name__ == "__main__":
    rig.main()
