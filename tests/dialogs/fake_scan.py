# SPDX-License-Identifier: GPL-2.0-or-later
"""A scan service that calls every message clean, when it is told to.

    with FakeScan(state / "scan" / "scan.sock") as scan:
        scan.hold()             # from now on nobody is answered
        scan.waiting            # how many have asked
        scan.release()          # all are, and those to come
"""

import os
import pathlib
import socket
import threading

from scan_service import RESULT_MARK, VERDICTS, field

CLEAN = RESULT_MARK + field(1, bytes([VERDICTS.index("clean")])) + field(2, b"")


class FakeScan:
    def __init__(self, path):
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(path))
        self.listener.listen(1024)
        self.lock = threading.Lock()
        self.held = []
        self.holds = False
        threading.Thread(target=self._serve, daemon=True).start()

    def hold(self):
        with self.lock:
            self.holds = True

    def release(self):
        with self.lock:
            self.holds = False
            held, self.held = self.held, []
        for client in held:
            self._answer(client)

    @property
    def waiting(self):
        with self.lock:
            return len(self.held)

    def close(self):
        self.release()
        self.listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
                _, fds, _, _ = socket.recv_fds(client, 4096, 1)
            except OSError:
                return
            for fd in fds:
                os.close(fd)
            with self.lock:
                if self.holds:
                    self.held.append(client)
                    continue
            self._answer(client)

    @staticmethod
    def _answer(client):
        with client:
            try:
                client.send(CLEAN)
            except OSError:
                pass  # who asked has gone

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
