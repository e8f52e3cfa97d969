# SPDX-License-Identifier: GPL-2.0-or-later
"""The measurement of tests/bench/queue."""

import concurrent.futures
import os
import resource
import statistics
import subprocess
import time

import rig
import service

WAITING = int(os.environ["MXFEED_WAITING"])
ROUNDS = 5
SESSIONS = 4


class QueueBench(rig.TestCase):
    # Mail waits without an attempt to deliver it.
    domains = "".join(rig.feed(f"d{i}.example", "greylist = false", 'state = "paused"')
                      for i in range(20))

    def inject(self, first, count):
        with self.session() as session:
            for i in range(first, first + count):
                outcome = session.send("anna@sender.example", [f"u{i}@d{i % 20}.example"],
                                       rig.mail(f"mail {i}"))
                self.assertTrue(outcome.accepted, outcome.last)

    def measure(self, name, *command):
        cpu, wall = [], []
        for _ in range(ROUNDS):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.monotonic()
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            wall.append(time.monotonic() - start)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.assertEqual(done.returncode, 0, done.stderr)
            cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        print(f"{name:24} CPU {statistics.median(cpu):6.3f} s   "
              f"time {statistics.median(wall):6.3f} s")
        return done.stdout

    def test_it(self):
        each = WAITING // SESSIONS
        with concurrent.futures.ThreadPoolExecutor(SESSIONS) as pool:
            for job in [pool.submit(self.inject, i * each, each) for i in range(SESSIONS)]:
                job.result()
        rig.eventually(lambda: sum(message["queue_name"] == "deferred" for message in
                                   self.gateway.postfix.queue()) == each * SESSIONS,
                       "all are deferred", 600)
        places = ("--config", self.gateway.config, "--state", self.gateway.state,
                  "--postfix-config", self.gateway.postfix.config)
        print(f"{each * SESSIONS} deferred messages, medians of {ROUNDS}; CPU is that of the "
              "command and its children, not of showq(8)")
        self.measure("postqueue -j", "postqueue", "-c", self.gateway.postfix.config, "-j")
        self.measure("mxfeed queue", service.program("mxfeed"), "queue", *places)
        said = self.measure("mxfeed keeper run", service.program("mxfeed"), "keeper", "run",
                            "--dry-run", *places)
        self.assertIn(f"{each * SESSIONS} messages", said)


if __name__ == "__main__":
    rig.main()
