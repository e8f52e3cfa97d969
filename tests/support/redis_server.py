# SPDX-License-Identifier: GPL-2.0-or-later
"""A real redis-server of a test's own, on a unix socket.  Standard library only."""

import pathlib
import signal
import socket
import subprocess

from service import eventually

PROGRAM = pathlib.Path("/usr/bin/redis-server")


class RedisServer:
    """`directory` is made for it; `lines` are added to its configuration."""

    def __init__(self, directory, lines=()):
        directory = pathlib.Path(directory)
        directory.mkdir()
        self.socket = directory / "socket"
        self._conf = directory / "conf"
        self._conf.write_text("\n".join([
            "port 0", f"unixsocket {self.socket}", f"dir {directory}", f"logfile {directory}/log",
            'save ""', "appendonly no", *lines, ""]))
        self._process = None

    def start(self):
        # pylint: disable=consider-using-with
        self._process = subprocess.Popen([str(PROGRAM), str(self._conf)],
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        eventually(self._is_up, "redis-server answers")
        return self

    def _is_up(self):
        try:
            return self.ask("PING").startswith(("+PONG", "-NOAUTH"))
        except OSError:
            return False

    def ask(self, command):
        """The first part of the reply, as Redis sends it."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.socket))
            client.sendall(command.encode() + b"\r\n")
            return client.recv(65536).decode()

    def hang(self):
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
