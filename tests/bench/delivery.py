# SPDX-License-Identifier: GPL-2.0-or-later
"""The measurement of tests/bench/delivery."""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

import rig
import smtp_client

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import signatures  # noqa: E402

QUEUED = int(os.environ["MXFEED_QUEUED"])
RATE = 20      # messages a second
SECONDS = 60   # of each measurement
OTHERS = 19    # domains that are measured
RETURNED = "203.0.113.30"
UNFILTERED = 2525
DELAY = re.compile(r"to=<[^>]*@o\d+\.example>.* delay=([0-9.]+),.* status=sent")


class DeliveryBench(rig.TestCase):
    domains = "".join(rig.feed(f"o{i}.example", "greylist = false") for i in range(OTHERS)) + \
        rig.feed("large.example", "greylist = false", deliver_to=(RETURNED,))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.environ["MXFEED_SIGNATURES"] == "1":
            for file in signatures.directory().iterdir():
                shutil.copy(file, cls.gateway.database)
            cls.gateway.daemons["scan"].stop()
            cls.gateway.start_daemon("scan")

    def delays(self):
        return [float(found[1]) for found in map(DELAY.search, self.gateway.postfix.log_lines("o"))
                if found]

    def measure(self, name):
        """Sends for a minute; what the log says of those messages."""
        before = len(self.delays())
        start = time.monotonic()

        def send(worker):
            with smtp_client.Session(rig.GATEWAY, 25, source=rig.SENDER) as session:
                for i in range(worker, RATE * SECONDS, 4):
                    time.sleep(max(0.0, start + i / RATE - time.monotonic()))
                    outcome = session.send("anna@sender.example", [f"u{i}@o{i % OTHERS}.example"],
                                           rig.mail(f"mail {i}", "All is well.\n" * 200))
                    assert outcome.accepted, outcome.last

        threads = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        count = RATE * SECONDS
        rig.eventually(lambda: len(self.delays()) - before >= count, "all are delivered", 120)
        found = sorted(self.delays()[before:])
        print(f"{name:32} {len(found)} messages   median {statistics.median(found):6.2f} s   "
              f"p99 {found[len(found) * 99 // 100]:6.2f} s   longest {found[-1]:6.2f} s",
              flush=True)

    def keep(self):
        done = self.gateway.mxfeed("keeper", "run", *self.gateway.for_postfix(), check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def waiting(self):
        spool = self.gateway.postfix.spool
        return sum(len(files) for queue in ("incoming", "active", "deferred")
                   for _, _, files in os.walk(spool / queue))

    def queue_up(self):
        """For the server that is away, past the filters: the queue is the subject."""
        master = self.gateway.postfix.config / "master.cf"
        master.write_text(master.read_text() +
                          f"{rig.GATEWAY}:{UNFILTERED} inet n - y - - smtpd -o smtpd_milters=\n")
        self.gateway.postfix.edit(in_flow_delay="0")
        self.gateway.postfix.reload()
        start = time.monotonic()
        for _ in range(max(1, QUEUED // 10_000)):
            subprocess.run(["smtp-source", "-s", "10", "-l", "2000", "-m",
                            str(min(QUEUED, 10_000)), "-f", "anna@sender.example", "-t",
                            "info@large.example", f"{rig.GATEWAY}:{UNFILTERED}"], check=True)
        rig.eventually(lambda: not any((self.gateway.postfix.spool / "incoming").iterdir()),
                       "nothing is incoming", 600)
        print(f"{self.waiting()} messages wait, after {time.monotonic() - start:.0f} s", flush=True)

    def test_it(self):
        self.gateway.apply_at_once()
        self.measure("nothing waits" if QUEUED else "all")
        if not QUEUED:
            return
        self.queue_up()
        for _ in range(3):
            self.keep()
        self.measure("the other customer's mail waits")
        sink = subprocess.Popen(["smtp-sink", "-u", "nobody", f"{RETURNED}:25", "1000"])
        try:
            self.keep()
            before = self.waiting()
            start = time.monotonic()
            stop = threading.Event()

            def keep_on():
                while not stop.is_set():
                    self.keep()

            keeper = threading.Thread(target=keep_on)
            keeper.start()
            self.measure("he gets it")
            stop.set()
            keeper.join()
            rate = (before - self.waiting()) / (time.monotonic() - start)
            print(f"of his mail {before - self.waiting()} were delivered meanwhile, {rate:.0f} a "
                  "second")
            self.assertGreater(rate, 1)
        finally:
            sink.terminate()
            sink.wait()


if __name__ == "__main__":
    rig.main()
