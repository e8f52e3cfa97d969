# SPDX-License-Identifier: GPL-2.0-or-later
"""A part is killed while mail flows: nothing is lost, nothing passes unscanned, and mail
flows again."""

import collections
import os
import pathlib
import signal
import threading
import time

import rig
import smtp_client

MAILS = 200
SESSIONS = 8
KILLS = 4
SECONDS = 120.0


def children(pid):
    """The process ids below `pid`, nearest first."""
    found, level = [], [pid]
    while level:
        below = []
        for parent in level:
            for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
                try:
                    below += [int(child) for child in task.read_text().split()]
                except OSError:
                    pass  # it ended meanwhile
        found += below
        level = below
    return found


class Load:
    """Sends MAILS mails over SESSIONS connections; each is brought until it is taken.  Every
    tenth is infected."""

    def __init__(self):
        self.taken = collections.Counter()  # id -> times that the gateway said 250
        self.put_off = 0
        self.refused = []
        self._lock = threading.Lock()
        self._next = iter(range(MAILS))
        self._deadline = time.monotonic() + SECONDS
        self._threads = [threading.Thread(target=self._session, args=(i,), daemon=True)
                         for i in range(SESSIONS)]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def infected(number):
        return number % 10 == 9

    def progress(self):
        with self._lock:
            return len(self.taken)

    def join(self):
        for thread in self._threads:
            thread.join(max(0.0, self._deadline + 5 - time.monotonic()))

    def _session(self, index):
        connection = None
        while True:
            with self._lock:
                number = next(self._next, None)
            if number is None:
                break
            make = rig.infected if self.infected(number) else rig.mail
            message = make(f"mail {number}")
            while time.monotonic() < self._deadline:
                try:
                    if connection is None:
                        connection = smtp_client.Session(
                            rig.GATEWAY, source=f"198.51.100.{100 + index}")
                    outcome = connection.send("load@sender.example",
                                              [f"mail{number}@acme.example"], message)
                except (OSError, ConnectionError):
                    connection = None  # and once more
                    continue
                if outcome.accepted:
                    with self._lock:
                        self.taken[number] += 1
                    break
                if not outcome.last.temporary:
                    with self._lock:
                        self.refused.append((number, str(outcome.last)))
                    break
                with self._lock:
                    self.put_off += 1
                # As any server does that was told 4xx; a dead milter stays dead for this
                # connection.
                connection.close()
                connection = None
        if connection is not None:
            connection.close()


class CrashTest(rig.TestCase):
    domains = rig.feed("acme.example", "greylist = false")

    def run_load_and_kill(self, kill):
        """Kills KILLS times while the load runs, each time after progress was made."""
        load = Load()
        for i in range(1, KILLS + 1):
            rig.eventually(lambda part=i: load.progress() >= MAILS * part / (KILLS + 2),
                           "mail flows", seconds=SECONDS)
            kill()
        load.join()
        self.assertEqual(load.refused, [])
        self.assertEqual(sorted(load.taken), list(range(MAILS)), "not all were taken in the end")
        clean = [n for n in range(MAILS) if not load.infected(n)]
        rig.eventually(lambda: not self.gateway.postfix.queue(), "the queue is empty")
        arrived = collections.Counter(
            int(d.recipients[0].partition("@")[0].removeprefix("mail"))
            for d in self.customer.received())
        self.assertEqual([n for n in arrived if load.infected(n)], [], "arrived though infected")
        self.assertEqual([n for n in clean if n not in arrived], [], "lost")
        # A 250 that was lost with the connection may be repeated by the client; nothing else.
        twice = {n: count for n, count in arrived.items() if count > load.taken[n]}
        self.assertLessEqual(len(twice), KILLS * SESSIONS)
        for delivery in self.customer.received():
            self.assertEqual(len(delivery.header("X-Mxfeed-Virus")), 1, "not scanned")
        self.customer.clear()
        return load

    def kill_daemon(self, name):
        self.gateway.daemons[name].kill()
        self.gateway.start_daemon(name)

    def test_greylist_milter(self):
        self.run_load_and_kill(lambda: self.kill_daemon("greylist"))

    def test_virus_milter(self):
        self.run_load_and_kill(lambda: self.kill_daemon("virus"))

    def test_spam_milter(self):
        self.run_load_and_kill(lambda: self.kill_daemon("spam"))

    def test_scan_supervisor(self):
        self.run_load_and_kill(lambda: self.kill_daemon("scan"))

    def scan_processes(self):
        """(zygote, [workers]): the supervisor's child and its children."""
        supervisor = self.gateway.daemons["scan"].pid
        below = rig.eventually(
            lambda: (found := children(supervisor)) and len(found) > 1 and found,
            "zygote and workers run")
        return below[0], below[1:]

    def test_scan_worker(self):
        def kill():
            os.kill(self.scan_processes()[1][0], signal.SIGKILL)

        self.run_load_and_kill(kill)

    def test_scan_zygote(self):
        def kill():
            os.kill(self.scan_processes()[0], signal.SIGKILL)

        self.run_load_and_kill(kill)

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
