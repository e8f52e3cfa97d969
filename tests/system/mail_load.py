# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail that flows while something goes wrong, and what must be true of it in the end.

    class MyTest(mail_load.TestCase):
        def test_something_breaks(self):
            self.run_load_and_break(something)
"""

import collections
import contextlib
import os
import pathlib
import threading
import time

import rig
import smtp_client

MAILS = int(os.environ.get("MXFEED_MAILS", "100"))
SESSIONS = 8
BREAKS = max(4, MAILS // 250)
SECONDS = max(120.0, MAILS * 0.2)
DOMAIN = rig.feed("acme.example", "greylist = false")


def children(pid):
    """The process ids of the children of `pid` that still run."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [child for child in map(int, task.read_text().split()) if runs(child)]
        except OSError:
            pass  # it ended meanwhile
    return found


def runs(pid):
    """Also if it is stopped; not if it waits to be reaped."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


class Load:
    """Sends MAILS mails to a domain over SESSIONS connections, or over one for each try; each
    is brought until it is taken, after the others if it was put off.  Every tenth is
    infected."""

    def __init__(self, domain, keeps_connections=True):
        self.taken = {}  # id -> (when the client connected, when the gateway said 250)
        self.in_doubt = collections.Counter()  # id -> times that the final reply was lost
        self.put_off = collections.defaultdict(set)  # id -> codes
        self.times_put_off = 0
        self.refused = []
        self._domain = domain
        self._keeps_connections = keeps_connections
        self._held = False
        self._changed = threading.Condition()
        self._waiting = collections.deque(range(MAILS))
        self._deadline = time.monotonic() + SECONDS
        self._threads = [threading.Thread(target=self._session, args=(i,), daemon=True)
                         for i in range(SESSIONS)]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def infected(number):
        return number % 10 == 9

    def message(self, number):
        return (rig.infected if self.infected(number) else rig.mail)(f"mail {number}")

    def recipient(self, number):
        return f"mail{number}@{self._domain}"

    def progress(self):
        """Of 2 * MAILS steps: each mail is answered, and each is taken."""
        with self._changed:
            return len(self.put_off.keys() | self.taken.keys()) + len(self.taken)

    def join(self):
        for thread in self._threads:
            thread.join(max(0.0, self._deadline + 5 - time.monotonic()))

    @contextlib.contextmanager
    def held(self):
        """No mail is begun meanwhile; those under way go on."""
        with self._changed:
            self._held = True
        try:
            yield
        finally:
            with self._changed:
                self._held = False
                self._changed.notify_all()

    def _next(self):
        """The next mail to bring; None when there is none left, or no time."""
        with self._changed:
            while self._held or (not self._waiting
                                 and len(self.taken) + len(self.refused) < MAILS):
                if not self._changed.wait(max(0.0, self._deadline - time.monotonic())):
                    return None
            if not self._waiting or time.monotonic() > self._deadline:
                return None
            return self._waiting.popleft()

    def _session(self, index):
        connection = None
        while (number := self._next()) is not None:
            try:
                if connection is None:
                    connected = time.monotonic()
                    connection = smtp_client.Session(
                        rig.GATEWAY, source=f"198.51.100.{100 + index}")
                outcome = connection.send(
                    "load@sender.example", [self.recipient(number)], self.message(number))
            except OSError:
                outcome = None
            with self._changed:
                if outcome is None:
                    self.in_doubt[number] += connection is not None and connection.in_doubt
                elif outcome.accepted:
                    self.taken[number] = connected, time.monotonic()
                elif outcome.last.temporary:
                    self.put_off[number].add(outcome.last.code)
                    self.times_put_off += 1
                else:
                    self.refused.append((number, str(outcome.last)))
                if outcome is None or (not outcome.accepted and outcome.last.temporary):
                    self._waiting.append(number)
                self._changed.notify_all()
            if outcome is None and connection is not None:
                connection.abort()
                connection = None
            # As any server does that was told 4xx; a dead milter stays dead for this
            # connection.
            elif outcome is not None and not (outcome.accepted and self._keeps_connections):
                connection.close()
                connection = None
        if connection is not None:
            connection.close()


class TestCase(rig.TestCase):
    """Has a gateway with DOMAIN."""

    domains = DOMAIN

    def run_load_and_break(self, break_it, load=None):
        """Breaks something BREAKS times while the load runs, each time after progress was
        made; returns the load when all of it has ended well."""
        load = load or Load("acme.example")
        for i in range(1, BREAKS + 1):
            rig.eventually(lambda part=i: load.progress() >= 2 * MAILS * part / (BREAKS + 2),
                           "mail flows", seconds=SECONDS)
            break_it()
        load.join()
        self.assertEqual(load.refused, [])
        self.assertEqual(sorted(load.taken), list(range(MAILS)), "not all were taken in the end")
        clean = [n for n in range(MAILS) if not load.infected(n)]
        rig.eventually(lambda: not self.gateway.postfix.queue(), "the queue is empty",
                       seconds=SECONDS)
        arrived = collections.Counter(
            int(d.recipients[0].partition("@")[0].removeprefix("mail"))
            for d in self.customer.received())
        self.assertEqual([n for n in arrived if load.infected(n)], [], "arrived though infected")
        self.assertEqual([n for n in clean if n not in arrived], [], "lost")
        # A client that lost the connection before the 250 has to send the mail again
        # (RFC 5321, 4.5.4.1); nobody else has.
        self.assertEqual({n: count for n, count in arrived.items()
                          if count > 1 + load.in_doubt[n]}, {}, "arrived twice")
        for delivery in self.customer.received():
            self.assertEqual(len(delivery.header("X-Mxfeed-Virus")), 1, "not scanned")
        self.customer.clear()
        return load

    def scan_processes(self):
        """(zygote, [workers]): a child of the supervisor and its children.  The workers of a
        zygote that was killed are children of the supervisor until they end."""
        supervisor = self.gateway.daemons["scan"].pid
        return rig.eventually(
            lambda: next(((child, workers) for child in children(supervisor)
                          if (workers := children(child))), None),
            "zygote and workers run")

    def signal_scan(self, choose, number):
        """Sends a signal to the process that `choose` takes from scan_processes()."""
        def sent():
            try:
                os.kill(choose(*self.scan_processes()), number)
            except ProcessLookupError:
                return False  # it has ended meanwhile
            return True

        rig.eventually(sent, "a process of the scan service is there to get a signal")
