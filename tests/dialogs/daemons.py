# SPDX-License-Identifier: GPL-2.0-or-later
"""Real daemons for the dialog tests: state directory, start, status, stop.

    class MyTest(daemons.TestCase):
        def test_something(self):
            self.apply('[[domain]]\nname = "acme.example"\n...')
            daemon = self.start("greylist")
            with self.mta(daemon) as mta: ...

    if __name__ == "__main__":
        daemons.main()

Programs are taken from $MXFEED_BUILD/bin.  Every daemon that a test started is stopped
after it and must then have ended with status 0 and without a report of a sanitizer in its
log.  Nothing sleeps: readiness is told by NOTIFY_SOCKET, the rest is polled with a deadline.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import fake_mta

SOURCE = pathlib.Path(os.environ.get("MXFEED_SOURCE", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("MXFEED_BUILD", SOURCE / "build"))
START_SECONDS = 60.0  # a sanitizer build on a busy machine
STOP_SECONDS = 60.0

# A gateway on which only what a test cares about need be said.
GATEWAY = """
mx = ["mx1.gateway.example"]
backup_mx = ["mx1.gateway.example"]
[[host]]
name = "mx1.gateway.example"
addresses = ["192.0.2.1"]
"""

REPORTS = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:"
                     r"|terminate called|Assertion `")


def program(name):
    return str(BUILD / "bin" / name)


def eventually(condition, what, seconds=15.0):
    """Polls until `condition()` is true and returns its value; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def feed(name, **settings):
    """The text of a [[domain]] in TOML; values are written as they stand.

    feed("acme.example", greylist='{ when = "always", delay = "1s" }')
    """
    lines = ["[[domain]]", f'name = "{name}"', 'service = "feed"']
    if "deliver_to" not in settings:
        lines.append('deliver_to = ["203.0.113.25"]')
    lines += [f"{key} = {value}" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def apply(state, domains, gateway="", config=None):
    """Makes (a new generation of) the state directory from TOML with `mxfeed apply`.

    `gateway` is added to GATEWAY; begin it with a table header, or with keys only if
    `domains` needs none of GATEWAY's tables.
    """
    state = pathlib.Path(state)
    config = pathlib.Path(config or state.parent / "config")
    (config / "domains.d").mkdir(parents=True, exist_ok=True)
    (config / "mxfeed.toml").write_text(GATEWAY + gateway)
    (config / "domains.d" / "test.toml").write_text(domains)
    state.mkdir(exist_ok=True)
    done = subprocess.run(
        [program("mxfeed"), "apply", "--no-postfix", "--config", str(config), "--state",
         str(state), "--allow-removals", "1000000"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"mxfeed apply: {done.returncode}\n{done.stdout}{done.stderr}")


class Daemon:
    """A daemon of ours, running in the foreground as a child of the test.

    `name` is that of its directory below `state`: "greylist" is mxfeed-greylist.  With
    `milter=False` it gets no --socket.  `wrapper` is put before the command.
    """

    def __init__(self, name, state, directory, arguments=(), milter=True, environment=None,
                 wrapper=()):
        self.name = name
        self.state = pathlib.Path(state)
        self.directory = pathlib.Path(directory)
        self.socket = f"unix:{self.directory}/{name}.milter"
        self.log_file = self.directory / f"{name}.log"
        self.process = None
        self._command = [*wrapper, program(f"mxfeed-{name}")]
        if milter:
            self._command += ["--socket", self.socket]
        self._command += ["--state", str(self.state), "--foreground", *arguments]
        self._environment = {
            **os.environ, "UBSAN_OPTIONS": "print_stacktrace=1", **(environment or {})}

    def start(self, wait=True):
        """Starts and waits for READY=1; AssertionError with the log if it does not come."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.directory / f"{self.name}.notify"
        path.unlink(missing_ok=True)
        notify.bind(str(path))
        with notify, open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**self._environment, "NOTIFY_SOCKET": str(path)})
            if not wait:
                return self
            notify.settimeout(0.1)
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    if b"READY=1" in notify.recv(4096).split(b"\n"):
                        return self
                except TimeoutError:
                    pass
        status = self.process.poll()
        self.kill()
        raise AssertionError(f"mxfeed-{self.name} is not ready (status {status}):\n{self.log()}")

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_lines(self, *words):
        """The lines of the log that have all the words."""
        return [line for line in self.log().splitlines() if all(word in line for word in words)]

    def ask(self, command, timeout=10.0):
        """Sends a command to the status socket and returns the answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout)
            client.connect(str(self.state / self.name / "status.sock"))
            client.sendall(command.encode() + b"\n")
            answer = b""
            while got := client.recv(65536):
                answer += got
        return answer.decode()

    def status(self):
        """The answer to "status" as a dictionary of texts."""
        return dict(line.split(": ", 1) for line in self.ask("status").splitlines()
                    if ": " in line)

    def metrics(self):
        """{'mxfeed_x_total{action="defer"}': 3, ...}"""
        found = {}
        for line in self.ask("metrics").splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found

    def metric(self, name, default=0):
        return self.metrics().get(name, default)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def reload(self):
        """SIGUSR1; returns at once."""
        self.signal(signal.SIGUSR1)

    def stop(self, status=0):
        """SIGTERM; the daemon must end with `status` and have a log without reports."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        self.wait(status)

    def wait(self, status=0):
        try:
            found = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"mxfeed-{self.name} does not stop:\n{self.log()}") from None
        self.process = None
        if found != status:
            raise AssertionError(
                f"mxfeed-{self.name} ended with {found}, not {status}:\n{self.log()}")
        self.check_log()

    def kill(self):
        """SIGKILL, for tests of just that."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def check_log(self):
        if REPORTS.search(self.log()):
            raise AssertionError(f"mxfeed-{self.name} reports:\n{self.log()}")


class TestCase(unittest.TestCase):
    """A test with its own directory and the daemons it starts."""

    maxDiff = None

    def setUp(self):
        # Short: the path of a unix socket has room for 107 bytes only.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mxf"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.state = self.directory / "state"
        self.state.mkdir()

    def apply(self, domains, gateway=""):
        apply(self.state, domains, gateway, self.directory / "config")

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
