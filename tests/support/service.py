# SPDX-License-Identifier: GPL-2.0-or-later
"""Our daemons as processes of a test or of the demonstration: start, status, stop.

Programs are taken from $MXFEED_BUILD/bin.  Nothing sleeps: readiness is told by
NOTIFY_SOCKET, the rest is polled with a deadline.  Standard library only.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

SOURCE = pathlib.Path(os.environ.get("MXFEED_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("MXFEED_BUILD", SOURCE / "build"))
START_SECONDS = 60.0  # a sanitizer build on a busy machine
STOP_SECONDS = 60.0

REPORTS = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:"
                     r"|terminate called|Assertion `")


def program(name):
    return str(BUILD / "bin" / name)


def eventually(condition, what, seconds=30.0):
    """Polls until `condition()` is true and returns its value; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Server:
    """A server of the distribution, running in the foreground as a child of the test."""

    def __init__(self, command, log):
        self._command = command
        self._log = log
        self._process = None

    def start(self, ready):
        """Returns when `ready()` is true."""
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log)
        eventually(ready, f"{self._command[0]} is ready")

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            self._process = None


class Daemon:
    """A daemon of ours, running in the foreground as a child of the test.

    `name` is that of its directory below `state`: "greylist" is mxfeed-greylist.  With
    `milter=False` it gets no --socket; otherwise `listen` or one in `directory`.  `wrapper`
    is put before the command.  `handed_over` is a listening socket that it gets as its
    descriptor 3, as a service manager does it.
    """

    def __init__(self, name, state, directory, arguments=(), milter=True, environment=None,
                 wrapper=(), listen=None, handed_over=None):
        self.name = name
        self.state = pathlib.Path(state)
        self.directory = pathlib.Path(directory)
        self.socket = listen or f"unix:{self.directory}/{name}.milter"
        self.log_file = self.directory / f"{name}.log"
        self.process = None
        self._command = [*wrapper, program(f"mxfeed-{name}")]
        if milter:
            self._command += ["--socket", self.socket]
        self._command += ["--state", str(self.state), "--foreground", *arguments]
        self._handed_over = handed_over
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
                env={**self._environment, "NOTIFY_SOCKET": str(path)}, **self._descriptors())
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

    def _descriptors(self):
        if self._handed_over is None:
            return {}
        number = self._handed_over.fileno()
        return {"pass_fds": (3,), "preexec_fn": lambda: os.dup2(number, 3)}

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
