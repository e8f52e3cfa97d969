# SPDX-License-Identifier: GPL-2.0-or-later
"""Real daemons for the dialog tests: state directory, start, status, stop.

    class MyTest(daemons.TestCase):
        def test_something(self):
            self.apply('[[domain]]\nname = "acme.example"\n...')
            daemon = self.start("greylist")
            with self.mta(daemon) as mta: ...

    if __name__ == "__main__":
        daemons.main()

Every daemon that a test started is stopped after it and must then have ended with status 0
and without a report of a sanitizer in its log.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))

# pylint: disable=wrong-import-position,unused-import
import fake_mta
from service import BUILD, SOURCE, Daemon, eventually, program

# A gateway on which only what a test cares about need be said.
GATEWAY = """
mx = ["mx1.gateway.example"]
backup_mx = ["mx1.gateway.example"]
[spam]
spf_timeout = "0s"  # no test asks the DNS of the host
[[host]]
name = "mx1.gateway.example"
addresses = ["192.0.2.1"]
"""
PLAIN_GREYLIST = """
[greylist]
spf_timeout = "0s"
unverified_delay = "0s"
"""


def feed(name, **settings):
    """The text of a [[domain]] in TOML; values are written as they stand.

    feed("acme.example", greylist='{ when = "always", delay = "1s" }')
    """
    lines = ["[[domain]]", f'name = "{name}"', 'service = "feed"']
    if "deliver_to" not in settings:
        lines.append('deliver_to = ["203.0.113.25"]')
    lines += [f"{key} = {value}" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def apply(state, domains, gateway="", keys="", config=None):
    """Makes (a new generation of) the state directory from TOML with `mxfeed apply`.

    Of mxfeed.toml, `keys` stands before GATEWAY and `gateway`, which is tables, after it.
    """
    state = pathlib.Path(state)
    config = pathlib.Path(config or state.parent / "config")
    (config / "domains.d").mkdir(parents=True, exist_ok=True)
    if "[greylist]" not in gateway:
        gateway += PLAIN_GREYLIST
    (config / "mxfeed.toml").write_text(keys + GATEWAY + gateway)
    (config / "domains.d" / "test.toml").write_text(domains)
    state.mkdir(exist_ok=True)
    done = subprocess.run(
        [program("mxfeed"), "apply", "--no-postfix", "--config", str(config), "--state",
         str(state), "--allow-removals", "1000000"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"mxfeed apply: {done.returncode}\n{done.stdout}{done.stderr}")


class TestCase(unittest.TestCase):
    """A test with its own directory and the daemons it starts."""

    maxDiff = None

    def setUp(self):
        # Short: the path of a unix socket has room for 107 bytes only.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mxf"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.state = self.directory / "state"
        self.state.mkdir()

    def apply(self, domains, gateway="", keys=""):
        apply(self.state, domains, gateway, keys, self.directory / "config")

    def daemon(self, name, **options):
        """A daemon that is not started yet; stopped and checked after the test."""
        daemon = Daemon(name, self.state, self.directory, **options)
        self.addCleanup(self._end, daemon)
        return daemon

    def start(self, name, **options):
        return self.daemon(name, **options).start()

    def mta(self, daemon, address="198.51.100.7", name="", **options):
        """An SMTP connection from that client; close it, or use it in a `with`."""
        mta = fake_mta.Mta(daemon.socket, fake_mta.Client(address, name), **options)
        self.addCleanup(mta.close)
        return mta

    def eventually(self, condition, what, seconds=15.0):
        return eventually(condition, what, seconds)

    @staticmethod
    def _end(daemon):
        try:
            daemon.stop()
        finally:
            daemon.kill()


def main():
    """unittest.main(), but a skip is a failure where MXFEED_NO_SKIP is set."""
    outcome = unittest.main(exit=False, verbosity=2).result
    skipped = outcome.skipped and os.environ.get("MXFEED_NO_SKIP") == "1"
    sys.exit(0 if outcome.wasSuccessful() and not skipped else 1)
