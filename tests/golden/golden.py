# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the command `mxfeed` on configurations of a test's own.

    class MyTest(golden.TestCase):
        def test_something(self):
            self.write("domains.d/acme.toml", golden.feed("acme.example"))
            done = self.mxfeed("apply", "--no-postfix")
            self.assertEqual(self.source("transport"), {"acme.example": "..."})

With MXFEED_GOLDEN_UPDATE=1 the expected files are written instead of compared: look at
what git diff says then.
"""

import hashlib
import os
import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = pathlib.Path(os.environ.get("MXFEED_SOURCE", HERE.parents[1]))
BUILD = pathlib.Path(os.environ.get("MXFEED_BUILD", SOURCE / "build"))
UPDATE = os.environ.get("MXFEED_GOLDEN_UPDATE") == "1"


# The names of the gateways: without them there is a warning.
MX = 'mx = ["mx1.isp.example"]\nbackup_mx = ["mx2.isp.example"]\n'

# The line that a map has whatever the configuration says.
QUARANTINE = "quarantine.mxfeed.invalid"
EVER = {"transport": (QUARANTINE, "mxfeed-quarantine:unix:mxfeed/quarantine.sock"),
        "recipient_access": (QUARANTINE, "550 5.1.1 no such recipient")}


def feed(name, *lines):
    """The text of a [[domain]] that is relayed."""
    return "\n".join(["[[domain]]", f'name = "{name}"', 'deliver_to = ["203.0.113.7"]',
                      *lines]) + "\n"


def write_sums(generation):
    """Makes the sums of a generation fit its files, after a test has changed them."""
    names = [line.split("  ")[1] for line in (generation / "sums").read_text().splitlines()]
    (generation / "sums").write_text("".join(
        hashlib.blake2b((generation / name).read_bytes(), digest_size=32).hexdigest() +
        f"  {name}\n" for name in names))


class TestCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="mxfeed-golden-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.config = self.directory / "config"
        self.state = self.directory / "state"
        self.write("mxfeed.toml", MX)

    def write(self, name, text):
        """Writes a file of the configuration."""
        path = self.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_mxfeed(self, *arguments, env=None):
        return subprocess.run(
            [BUILD / "bin" / "mxfeed", *arguments], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, **(env or {})})

    def mxfeed(self, *arguments, status=0, env=None):
        """Runs it on this configuration and state; its exit status must be `status`."""
        done = self.run_mxfeed(*arguments, "--config", self.config, "--state", self.state,
                               env=env)
        self.assertEqual(done.returncode, status,
                         f"mxfeed {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done

    def apply(self, *arguments, **options):
        return self.mxfeed("apply", "--no-postfix", *arguments, **options)

    def link(self, name="current"):
        """The number of the generation that the link leads to."""
        return int(os.readlink(self.state / name).removeprefix("generations/"))

    def source(self, name, link="current-postfix", has_ever=True):
        """The lines of a map's source but the one of EVER, as {key: value}."""
        lines = (self.state / link / name).read_text().splitlines()
        rows = dict(line.split("\t") for line in lines if not line.startswith("#"))
        if has_ever and name in EVER:
            domain, row = EVER[name]
            self.assertEqual(rows.pop(domain, None), row, name)
        return rows

    def compare(self, path, got):
        """`got` must be what the file has."""
        if UPDATE:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(got)
        self.assertEqual(got, path.read_text(), path.name)
