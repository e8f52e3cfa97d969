# SPDX-License-Identifier: GPL-2.0-or-later
"""The quarantine loses nothing and releases nothing twice, wherever it is killed.

MXFEED_QUARANTINE_MESSAGES and MXFEED_QUARANTINE_KILLS make it larger.
"""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import rig
import service

MESSAGES = int(os.environ.get("MXFEED_QUARANTINE_MESSAGES", "60"))
KILLS = int(os.environ.get("MXFEED_QUARANTINE_KILLS", "12"))
KINDS = ("virus", "attachment", "spam")
RELEASED, KEPT, EXPIRED = "released.example", "kept.example", "expired.example"
HOLDS = '  [domain.virus]\n  infected = "quarantine"\n'
DAY = 24 * 3600


def held_address(kind, number, domain):
    parts = (kind, f"{number:032x}", domain.encode().hex(), b"why".hex(),
             f"box{number}@{domain}".encode().hex())
    return ".".join(parts) + "@quarantine.mxfeed.invalid"


class CrashTest(rig.TestCase):
    daemons = (*rig.TestCase.daemons, "quarantine")
    domains = "".join(rig.feed(name, "greylist = false", tables=HOLDS)
                      for name in (RELEASED, KEPT, EXPIRED))

    def setUp(self):
        super().setUp()
        self.random = random.Random(int(os.environ.get("MXFEED_SEED", "7")))
        self.daemon = self.gateway.daemons["quarantine"]
        self.killed = 0

    def command(self, verb, *arguments):
        more = ["--postfix-config", self.gateway.postfix.config] if verb == "release" else []
        return [service.program("mxfeed"), "quarantine", verb, *arguments, *more,
                "--config", self.gateway.config, "--state", self.gateway.state]

    def items(self, domain):
        """(what became of it, its recipient)"""
        done = subprocess.run(self.command("list", domain, "--json", "--ended"), check=True,
                              capture_output=True, text=True)
        return [(item["state"], item["to"]) for item in json.loads(done.stdout)]

    def killing(self, until):
        """Kills the daemon at random points and starts it again, in a thread, until the event."""
        def run():
            while not until.is_set() and self.killed < KILLS:
                time.sleep(self.random.uniform(0.0, 0.3))
                self.daemon.process.send_signal(signal.SIGKILL)
                self.daemon.process.wait()
                self.killed += 1
                self.daemon.start()
        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def submit_all(self):
        for number in range(MESSAGES):
            domain = (RELEASED, KEPT, EXPIRED)[number % 3]
            self.gateway.postfix.submit(
                "anna@sender.example", [held_address(KINDS[number // 3 % 3], number, domain)],
                rig.mail(f"number {number}"))

    def drain(self):
        def is_empty():
            if not self.gateway.postfix.queue():
                return True
            self.gateway.postfix.flush()
            time.sleep(0.2)  # of Postfix, between two attempts
            return False
        rig.eventually(is_empty, "the queue is empty", seconds=60 + MESSAGES)

    def release_all(self):
        """Again and again, killed at random points, until nothing is left."""
        kills = 0
        while True:
            release = subprocess.Popen(self.command("release", RELEASED, "all", "--force"),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                if kills < KILLS:
                    release.wait(self.random.uniform(0.0, 0.3))
                else:
                    release.wait()
            except subprocess.TimeoutExpired:
                release.kill()
                kills += 1
            errors = release.communicate()[1]
            self.assertNotIn(b"Sanitizer", errors)
            if release.returncode == 0:
                return kills

    def test_what_is_released_arrives_once_and_nothing_is_lost(self):
        over = threading.Event()
        killer = self.killing(over)
        self.submit_all()
        self.drain()
        wanted = {domain: {f"box{n}@{domain}" for n in range(MESSAGES) if n % 3 == i}
                  for i, domain in enumerate((RELEASED, KEPT, EXPIRED))}
        for domain, recipients in wanted.items():
            items = self.items(domain)
            self.assertEqual(sorted(to for _, to in items), sorted(recipients))
            self.assertEqual({state for state, _ in items}, {"held"})
        kills = self.release_all()
        over.set()
        killer.join()
        if not self.daemon.running:
            self.daemon.start()
        self.drain()
        self.assertEqual({state for state, _ in self.items(RELEASED)}, {"released"})
        got = [to for delivery in self.customer.received() for to in delivery.recipients]
        self.assertEqual(sorted(got), sorted(wanted[RELEASED]))
        self.assertEqual({state for state, _ in self.items(KEPT)}, {"held"})
        self.assertEqual({state for state, _ in self.items(EXPIRED)}, {"held"})
        print(f"{MESSAGES} messages, {self.killed} kills of the daemon, {kills} of the command")
        self.expire(wanted)

    def expire(self, wanted):
        """What is old enough, and only that, also if it is killed meanwhile."""
        database = self.gateway.state / "quarantine" / "quarantine.db"
        subprocess.run(["python3", "-c", (
            "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=30); "
            "db.execute('UPDATE items SET arrived = arrived - ? WHERE domain = ?', "
            f"({31 * DAY}, '{EXPIRED}')); db.commit()"), database], check=True)
        killer = self.killing(threading.Event()) if self.killed < KILLS else None
        rig.eventually(lambda: {state for state, _ in self.items(EXPIRED)} == {"expired"},
                       "they have expired", seconds=60)
        if killer is not None:
            killer.join()
        self.assertEqual({state for state, _ in self.items(KEPT)}, {"held"})
        contents = [name for name in os.listdir(self.gateway.state / "quarantine" / "messages")
                    if re.fullmatch("[0-9a-f]{32}", name)]
        self.assertGreaterEqual(len(contents), len(wanted[KEPT]))


if __name__ == "__main__":
    rig.main()
