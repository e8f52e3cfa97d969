# SPDX-License-Identifier: GPL-2.0-or-later
"""Only the daemon's user may use the files of the greylist, whatever the umask, and whoever
made them."""

import os
import stat
import subprocess
import unittest

import daemons

USER = GROUP = 54321
TO = "info@acme.example"
MESSAGE = b"From: news@sender.example\r\nSubject: x\r\n\r\nbody\r\n"
OPEN = ("greylist.db", "greylist.db-wal", "greylist.db-shm")
# As it stands in postgrey's database: a pair that has passed.
POSTGREY = f"198.51.100.0/ann@s.example/{TO}\t2000000000,2000000400\n"


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class FilesTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(os.umask, os.umask(0))
        self.apply(daemons.feed("acme.example", greylist='{ when = "always", delay = "1h" }'))
        self.data = self.state / "greylist"
        self.data.mkdir()
        for directory in (self.directory, self.data):
            os.chown(directory, USER, GROUP)
        self.milter = self.daemon(
            "greylist", wrapper=("setpriv", f"--reuid={USER}", f"--regid={GROUP}",
                                 "--clear-groups"))

    def command(self, *arguments, text=""):
        subprocess.run(
            [daemons.program("mxfeed"), "greylist", *arguments, "--state", str(self.state)],
            input=text, text=True, capture_output=True, timeout=60, check=True)

    def defer(self, sender):
        with self.mta(self.milter) as mta:
            self.assertEqual(mta.send(sender, [TO], MESSAGE).recipients[0].code, 450)

    def assert_private(self, *names):
        """Those files are there, and all are private."""
        found = {}
        for path in self.data.glob("greylist.db*"):
            status = path.stat()
            found[path.name] = (oct(stat.S_IMODE(status.st_mode)), status.st_uid, status.st_gid)
        self.assertEqual(found, {**dict.fromkeys(found, ("0o600", USER, GROUP)),
                                 **dict.fromkeys(names, ("0o600", USER, GROUP))})

    def test_files_of_the_daemon(self):
        self.milter.start()
        self.defer("ann@s.example")
        self.assert_private(*OPEN)

    def test_files_that_were_open_to_all(self):
        file = self.data / "greylist.db"
        file.touch(0o666)
        os.chown(file, USER, GROUP)
        self.milter.start()
        self.defer("ann@s.example")
        self.assert_private(*OPEN)

    def test_a_damaged_file_and_the_new_one(self):
        file = self.data / "greylist.db"
        file.write_bytes(b"rubbish" * 1000)
        file.chmod(0o644)
        os.chown(file, USER, GROUP)
        self.milter.start()
        self.defer("ann@s.example")
        self.assertTrue(self.milter.log_lines("event=greylist-store-damaged"))
        self.assert_private("greylist.db.damaged", *OPEN)

    def test_files_that_commands_of_root_make(self):
        for name, arguments, text in (
                ("forget", ("forget", "198.51.100.7", "ann@s.example", TO), ""),
                ("release", ("release", "198.51.100.7", "ann@s.example", TO), ""),
                ("import", ("import", "--from", "postgrey", "-"), POSTGREY)):
            with self.subTest(name):
                for path in self.data.glob("greylist.db*"):
                    path.unlink()
                self.command(*arguments, text=text)
                self.assert_private("greylist.db")

    def test_commands_of_root_beside_the_daemon(self):
        self.milter.start()
        self.defer("ann@s.example")
        self.command("list")
        self.command("stats")
        self.command("release", "198.51.100.7", "ann@s.example", TO)
        self.command("allow", "--config", str(self.directory / "config"), "192.0.2.7")
        self.assert_private(*OPEN)
        self.milter.stop()
        self.command("list")
        self.assert_private("greylist.db")
        # And the daemon can still use them.
        self.milter.start()
        self.defer("bob@t.example")
        self.assert_private(*OPEN)


if __name__ == "__main__":
    daemons.main()
