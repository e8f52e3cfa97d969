# SPDX-License-Identifier: GPL-2.0-or-later
"""Scanning goes wrong while mail flows, other than by a death (crash_test.py): nothing is
lost, nothing passes unscanned, and mail flows again."""

import os
import pathlib
import resource
import signal
import subprocess

import mail_load
import rig

# Room for scans of small mails, and not for much more.
SCRATCH = "size=40m,nr_inodes=2000"
# What the signatures say when somebody spoils them.
GARBAGE = os.urandom(4096)


class ScanFaultsTest(mail_load.TestCase):
    # A worker that hangs is killed after this time.
    gateway_settings = '[virus]\nmax_scan_time = "2s"\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scan = cls.gateway.daemons["scan"]
        cls.scratch = pathlib.Path(scan.status()["tmpdir"])
        scan.stop()
        cls.scratch.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", SCRATCH, "tmpfs", cls.scratch], check=True)
        cls.gateway.start_daemon("scan")
        if scan.status()["tmpdir"] != str(cls.scratch):
            raise AssertionError("the scan service does not use the small scratch")

    def setUp(self):
        super().setUp()
        self.scan = self.gateway.daemons["scan"]
        self.signatures = self.gateway.database / "test.hdb"

    def ended_workers(self):
        """That died, and that gave up."""
        return (self.scan.metric("mxfeed_scan_worker_deaths_total") +
                self.scan.metric("mxfeed_scan_workers_renewed_total"))

    def put_off_meanwhile(self, load):
        """Waits until a mail is put off, or none is left to be."""
        before = load.times_put_off
        rig.eventually(lambda: load.times_put_off > before or
                       load.progress() >= 2 * mail_load.MAILS, "a mail is put off")

    def test_a_worker_that_is_stopped(self):
        before = self.ended_workers()
        self.run_load_and_break(
            lambda: self.signal_scan(lambda _, workers: workers[0], signal.SIGSTOP))
        rig.eventually(lambda: self.ended_workers() > before, "one has ended")

    def test_workers_without_memory(self):
        def starve():
            for worker in self.scan_processes()[1]:
                try:
                    resource.prlimit(worker, resource.RLIMIT_AS, (1 << 20, 1 << 20))
                except ProcessLookupError:
                    pass  # it has ended meanwhile

        before = self.ended_workers()
        self.run_load_and_break(starve)
        rig.eventually(lambda: self.ended_workers() > before, "one has ended")

    def test_scratch_without_space(self):
        load = mail_load.Load("acme.example")

        def fill():
            with load.held(), open(self.scratch / "in the way", "wb", buffering=0) as file:
                try:
                    while file.write(bytes(1 << 16)):
                        pass
                except OSError:
                    pass
            self.put_off_meanwhile(load)
            (self.scratch / "in the way").unlink()

        fill()  # before a fast host has taken all of it
        self.run_load_and_break(fill, load)
        self.assertTrue(load.put_off)

    def test_scratch_without_inodes(self):
        load = mail_load.Load("acme.example")
        ways = self.scratch / "in the way"

        def fill():
            ways.mkdir()
            count = 0
            with load.held():
                try:
                    while True:
                        (ways / str(count)).touch()
                        count += 1
                except OSError:
                    pass
            self.put_off_meanwhile(load)
            for number in range(count):
                (ways / str(number)).unlink()
            ways.rmdir()

        fill()  # before a fast host has taken all of it
        self.run_load_and_break(fill, load)
        self.assertTrue(load.put_off)

    def spoil(self, break_it):
        """Breaks the signatures; each time the service must notice, and keep the old ones."""
        good = self.signatures.read_bytes()
        self.addCleanup(self.signatures.write_bytes, good)

        def spoil_once():
            before = int(self.scan.status()["failed_loads"])
            break_it(good)
            self.scan.ask("reload")
            rig.eventually(lambda: int(self.scan.status()["failed_loads"]) > before,
                           "the service tells that the signatures are bad")

        load = self.run_load_and_break(spoil_once)
        self.assertEqual(load.put_off, {})

    def test_signatures_that_are_deleted(self):
        self.spoil(lambda good: self.signatures.unlink(missing_ok=True))

    def test_signatures_that_are_cut_off(self):
        self.spoil(lambda good: self.signatures.write_bytes(good[:20]))

    def test_signatures_that_are_garbage(self):
        self.spoil(lambda good: self.signatures.write_bytes(GARBAGE))

    def test_reloads_all_the_time(self):
        extra = self.gateway.database / "extra.hdb"
        self.addCleanup(extra.unlink, missing_ok=True)
        count = 0

        def add_a_signature():
            nonlocal count
            count += 1
            before = int(self.scan.status()["loads"])
            extra.write_text(f"{count:032x}:{count + 100}:Nothing-{count}\n")
            self.scan.ask("reload")
            rig.eventually(lambda: int(self.scan.status()["loads"]) > before, "a reload",
                           seconds=60)

        load = self.run_load_and_break(add_a_signature)
        self.assertEqual(load.put_off, {})


if __name__ == "__main__":
    rig.main()
