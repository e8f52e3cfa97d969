# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's postgrey as a process of a test or a bench, asked as Postfix asks it."""

import contextlib
import grp
import os
import pathlib
import pwd
import socket
import subprocess
import time

from service import eventually

SOURCE = pathlib.Path(os.environ.get("MXFEED_SOURCE", pathlib.Path(__file__).resolve().parents[2]))


def find(package, path):
    """A program of a package that is unpacked aside or installed; None if it is neither."""
    for candidate in (SOURCE / "build" / "aside" / package / path, pathlib.Path("/") / path):
        if candidate.exists():
            return candidate
    return None


class Postgrey:
    """Keeps its databases in `directory`, and runs as the user of the test."""

    def __init__(self, program, directory, *options):
        self.directory = pathlib.Path(directory)
        path = self.directory / "socket"
        self.process = subprocess.Popen(
            ["perl", "-T", program, f"--unix={path}", f"--dbdir={self.directory}", "--quiet",
             f"--user={pwd.getpwuid(os.getuid()).pw_name}",
             f"--group={grp.getgrgid(os.getgid()).gr_name}", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_UNIX)
        eventually(self._connects, "postgrey starts", 60)
        self.answers = self.socket.makefile("rb")
        self.instance = 0

    def _connects(self):
        if self.process.poll() is not None:
            raise AssertionError("postgrey does not start")
        try:
            self.socket.connect(str(self.directory / "socket"))
        except OSError:
            return False
        return True

    def ask(self, now, address, name, sender, recipient, instance):
        """Whether the recipient is taken at that time."""
        self.socket.sendall(
            (f"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
             f"client_address={address}\nclient_name={name or 'unknown'}\n"
             f"sender={sender}\nrecipient={recipient}\ninstance={instance:x}\n"
             f"etrn_domain=\npolicy_test_time={now}\n\n").encode())
        action = self.answers.readline()
        if not action.startswith(b"action=") or self.answers.readline() != b"\n":
            raise AssertionError(f"postgrey answers {action!r}")
        return not action.startswith(b"action=DEFER_IF_PERMIT")

    def stop(self):
        """Ends it as its service manager does, so that it writes its databases."""
        self.answers.close()
        self.socket.close()
        # Once: a second signal would end it before it has written them.
        self.process.terminate()
        while self.process.poll() is None:
            try:
                self.process.wait(1)
            except subprocess.TimeoutExpired:
                # It sees a signal only when something else happens, too.
                with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as other:
                    other.connect(str(self.directory / "socket"))
