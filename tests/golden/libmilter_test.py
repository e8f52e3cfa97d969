# SPDX-License-Identifier: GPL-2.0-or-later
"""The copy of libmilter.a that the milters link: a libmilter that calls anything else than
what was reviewed fails the build, with the names."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("MXFEED_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
LISTED = SOURCE / "common/milter/libmilter.symbols"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


class LibmilterTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.archive = pathlib.Path(run("g++", "-print-file-name=libmilter.a").strip())
        self.listed = LISTED.read_text()
        self.copy = self.directory / "copy.a"

    def make(self, archive=None, listed=None):
        """Returns the message, empty if the copy was made."""
        symbols = self.directory / "symbols"
        symbols.write_text(listed or self.listed)
        done = subprocess.run(
            ["cmake", f"-DARCHIVE={archive or self.archive}", f"-DCOPY={self.copy}",
             f"-DSYMBOLS={symbols}", "-DAR=ar", "-DNM=nm", "-DOBJCOPY=objcopy", "-P",
             SOURCE / "common/milter/copy_libmilter.cmake"],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode == 0, self.copy.exists())
        return "" if done.returncode == 0 else " ".join(done.stderr.split())

    def archive_of(self, source, *members):
        """An archive of a C program as the member named first, and empty others."""
        archive = self.directory / "libmilter.a"
        for member in members:
            (self.directory / "member.c").write_text(source if member == members[0] else "")
            run("gcc", "-c", "-o", self.directory / member, self.directory / "member.c")
            run("ar", "q", archive, self.directory / member)
        return archive

    def test_debians_libmilter_calls_what_is_listed(self):
        self.assertEqual("", self.make())
        symbols = run("nm", "-P", self.copy).splitlines()
        for name in ("read", "writev", "poll", "accept", "close", "listen", "sigwait"):
            self.assertIn(f"mxfeed_milter_{name} U", " ".join(line.strip() for line in symbols))
            self.assertFalse([line for line in symbols if line.startswith(f"{name} ")])
        self.assertNotIn("worker.o", run("ar", "t", self.copy))

    def test_a_call_that_is_not_listed_fails(self):
        message = self.make(listed=self.listed.replace("\nmemcpy\n", "\n"))
        self.assertIn("calls besides: memcpy no longer calls: Read", message)

    def test_a_call_that_is_gone_fails(self):
        message = self.make(listed=self.listed + "__read_chk\n")
        self.assertIn("calls besides: no longer calls: __read_chk Read", message)

    def test_another_way_to_read_fails(self):
        archive = self.archive_of(
            "#include <sys/socket.h>\nlong mi_rd_cmd(int fd, char* to)"
            "{ return recv(fd, to, 1, 0); }\n", "comm.o", "worker.o")
        self.assertIn("calls besides: recv no longer calls:", self.make(archive))

    def test_a_libmilter_without_the_pool_fails(self):
        self.assertIn("has no worker.o", self.make(self.archive_of("int x;\n", "main.o")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
