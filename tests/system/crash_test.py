# SPDX-License-Identifier: GPL-2.0-or-later
"""A part is killed while mail flows: nothing is lost, nothing passes unscanned, and mail
flows again."""

import collections
import re
import signal
import time

import mail_load
import rig
import smtp_client


class CrashTest(mail_load.TestCase):
    domains = mail_load.DOMAIN + rig.feed(
        "grey.example", 'greylist = { when = "always", delay = "1s" }')

    def kill_daemon(self, name):
        self.gateway.daemons[name].kill()
        self.gateway.start_daemon(name)

    def logged(self, words):
        """The ids of the mails of which mxfeed-greylist said so, and how often."""
        return collections.Counter(
            int(found[1]) for line in self.gateway.log_lines(words)
            if (found := re.search(r" rcpt=mail(\d+)@grey\.example ", line)))

    def test_greylist_milter(self):
        dead = []  # (from, until)

        def kill():
            # Held, or in the time of a slow start all the rest would pass.
            with load.held():
                begin = time.monotonic()
                self.kill_daemon("greylist")
                dead.append((begin, time.monotonic()))

        load = mail_load.Load("grey.example", keeps_connections=False)
        self.run_load_and_break(kill, load)
        # Mail passes unseen where the milter is gone, or its store is too slow.
        unseen = {number for number, (connected, taken) in load.taken.items()
                  if any(connected <= until and taken >= begin for begin, until in dead)}
        self.assertLessEqual(len(unseen), mail_load.BREAKS * mail_load.SESSIONS)
        unseen |= self.logged("reason=greylist-store-fault").keys()
        seen = sorted(load.taken.keys() - unseen)
        self.assertNotEqual(seen, [])
        self.assertEqual([n for n in seen if 450 not in load.put_off[n]], [], "not greylisted")
        # What was answered is remembered, however often it was killed since.
        self.assertEqual(self.gateway.log_lines("greylist-store-damaged"), [])
        self.assertEqual({n: count for n, count in
                          self.logged("reason=greylist-first-seen").items() if count > 1}, {},
                         "forgotten while it waited")
        kill()
        with smtp_client.Session(rig.GATEWAY, source=rig.SENDER) as session:
            outcomes = {n: session.send("load@sender.example", [load.recipient(n)],
                                        load.message(n)) for n in seen}
        self.assertEqual({n: str(outcome.last) for n, outcome in outcomes.items()
                          if not outcome.accepted}, {}, "forgotten after it had passed")

    def test_virus_milter(self):
        self.run_load_and_break(lambda: self.kill_daemon("virus"))

    def test_spam_milter(self):
        self.run_load_and_break(lambda: self.kill_daemon("spam"))

    def test_scan_supervisor(self):
        self.run_load_and_break(lambda: self.kill_daemon("scan"))

    def test_scan_worker(self):
        self.run_load_and_break(
            lambda: self.signal_scan(lambda _, workers: workers[0], signal.SIGKILL))

    def test_scan_zygote(self):
        self.run_load_and_break(
            lambda: self.signal_scan(lambda zygote, _: zygote, signal.SIGKILL))

    def test_without_the_scan_service_nothing_passes_until_it_is_back(self):
        self.gateway.daemons["scan"].kill()
        outcome = self.send("info@acme.example", rig.mail("unscanned"))
        self.assertEqual(outcome.last.code, 451)
        self.gateway.start_daemon("scan")
        self.accept("info@acme.example", rig.mail("scanned"))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.header("Subject"), [b" scanned"])

    def test_without_the_virus_milter_nothing_passes_until_it_is_back(self):
        self.gateway.daemons["virus"].kill()
        outcome = self.send("info@acme.example", rig.mail("unscanned"))
        self.assertEqual(outcome.last.code, 451)
        self.gateway.start_daemon("virus")
        self.accept("info@acme.example", rig.mail("scanned"))

    def test_without_greylist_and_spam_milters_mail_passes_scanned(self):
        self.gateway.daemons["greylist"].kill()
        self.gateway.daemons["spam"].kill()
        try:
            self.assertEqual(self.send("info@acme.example", rig.infected()).final.code, 250)
            self.accept("info@acme.example", rig.mail("scanned"))
            (delivery,) = self.customer.wait_for_count(1)
            self.assertEqual(delivery.header("Subject"), [b" scanned"])
            self.assertEqual(len(delivery.header("X-Mxfeed-Virus")), 1)
        finally:
            self.gateway.start_daemon("greylist")
            self.gateway.start_daemon("spam")


if __name__ == "__main__":
    rig.main()
