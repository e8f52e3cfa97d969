# SPDX-License-Identifier: GPL-2.0-or-later
"""rspamd and SpamAssassin's spamd, as Debian has them, and servers that are none."""

import os
import pathlib
import signal
import socket
import subprocess
import threading

from service import eventually

# What goes to /etc/rspamd/local.d, and what needs the Internet is off.
RSPAMD = {
    "worker-normal.inc": 'bind_socket = "127.0.0.1:{port}"; count = 1;',
    "worker-proxy.inc": "enabled = false;",
    "worker-controller.inc": 'bind_socket = "{root}/controller.sock";',
    "options.inc": 'dns {{ nameserver = ["{resolver}"]; timeout = 200ms; retransmits = 1; }}',
    "logging.inc": 'type = "file"; filename = "{root}/rspamd.log"; level = "info";',
    **{f"{module}.conf": "enabled = false;"
       for module in ("greylist", "fuzzy_check", "rspamd_update", "asn", "rbl", "phishing",
                      "neural", "ratelimit", "replies", "history_redis")},
}


class _Engine:
    """`address` is what mxfeed.toml has as engine_server."""

    def __init__(self, directory, port):
        self.directory = pathlib.Path(directory)
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.process = None

    def _spawn(self, *command):
        with open(self.directory / "output.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        eventually(self._listens, f"{command[0]} listens", 60)
        return self

    def _listens(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def send(self, number):
        """A signal to all of its processes."""
        os.killpg(self.process.pid, number)

    def stop(self):
        if self.process is not None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            self.process.wait(30)
            self.process = None


class Rspamd(_Engine):
    def __init__(self, directory, port, resolver):
        super().__init__(directory, port)
        (self.directory / "local.d").mkdir(parents=True)
        for name, text in RSPAMD.items():
            (self.directory / "local.d" / name).write_text(
                text.format(root=self.directory, port=port, resolver=resolver) + "\n")

    def start(self):
        return self._spawn("rspamd", "-f", "-i", f"--var=LOCAL_CONFDIR={self.directory}",
                           f"--var=DBDIR={self.directory}", f"--var=RUNDIR={self.directory}")


class Spamd(_Engine):
    def start(self):
        self.directory.mkdir(exist_ok=True)
        return self._spawn("/usr/sbin/spamd", "-L", "-x", "-m", "1", "--listen",
                           f"127.0.0.1:{self.port}", "--helper-home-dir", str(self.directory),
                           "-u", "nobody")


class Liar:
    """A server that answers each connection with the same bytes and ends it."""

    def __init__(self, answer):
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                try:
                    client.settimeout(10)
                    client.recv(65536)
                    client.sendall(self._answer)
                except OSError:
                    pass

    def stop(self):
        self._listener.close()
