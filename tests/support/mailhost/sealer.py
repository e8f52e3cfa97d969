# SPDX-License-Identifier: GPL-2.0-or-later
"""A milter that comes last, as one that seals does: keeps the header that it sees and puts a
field that names the subject it saw above it.  Speaks the milter protocol, version 6."""

import dataclasses
import socket
import struct
import threading

# Commands of the mail server (libmilter/mfdef.h).
OPTNEG, MACRO, HEADER, END, ABORT, QUIT, QUIT_NC = b"O", b"D", b"L", b"E", b"A", b"Q", b"K"
CONTINUE, INSERT_HEADER = b"c", b"i"
MAY_ADD_HEADERS = 1
# Not sent: connect, HELO, MAIL, RCPT, body, end of header, unknown commands, DATA.
NOT_SENT = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x40 | 0x100 | 0x200
NO_REPLY_TO_HEADER = 0x80


@dataclasses.dataclass(frozen=True)
class Seen:
    """A message as it was before the seal."""

    queue_id: str
    headers: tuple  # (name, value)

    def header(self, name):
        return [value for field, value in self.headers if field.lower() == name.lower()]


class Sealer:
    FIELD = "X-Site-Seal"
    ADDRESS = ("127.0.0.1", 8899)
    milter = "inet:127.0.0.1:8899"  # as smtpd_milters names it

    def __init__(self):
        self.seen = []
        self._changed = threading.Condition()
        self._listener = None

    def up(self):
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(self.ADDRESS)
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def down(self):
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def received(self):
        with self._changed:
            return list(self.seen)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # down()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        queue_id, headers = "", []
        with connection, connection.makefile("rb") as stream:
            while packet := _read(stream):
                command, payload = packet
                if command in (QUIT, QUIT_NC):
                    return
                if command == OPTNEG:
                    _, actions, protocol = struct.unpack("!III", payload[:12])
                    _write(connection, OPTNEG, struct.pack(
                        "!III", 6, actions & MAY_ADD_HEADERS,
                        protocol & (NOT_SENT | NO_REPLY_TO_HEADER)))
                elif command == MACRO:
                    words = payload[1:].split(b"\0")
                    macros = dict(zip(words[::2], words[1::2]))
                    queue_id = macros.get(b"i", queue_id.encode()).decode()
                elif command == HEADER:
                    name, value = payload.split(b"\0")[:2]
                    headers.append((name.decode("latin-1"), value.decode("latin-1")))
                elif command == ABORT:
                    queue_id, headers = "", []
                elif command == END:
                    seen = Seen(queue_id, tuple(headers))
                    with self._changed:
                        self.seen.append(seen)
                        self._changed.notify_all()
                    value = f"subject={','.join(seen.header('Subject'))}"
                    _write(connection, INSERT_HEADER, struct.pack("!I", 0) +
                           f"{self.FIELD}\0{value}\0".encode("latin-1"))
                    _write(connection, CONTINUE)
                    queue_id, headers = "", []
                else:
                    _write(connection, CONTINUE)


def _read(stream):
    """The next (command, payload); None at the end."""
    head = stream.read(5)
    if len(head) < 5:
        return None
    return head[4:], stream.read(struct.unpack("!I", head[:4])[0] - 1)


def _write(connection, command, payload=b""):
    connection.sendall(struct.pack("!I", len(payload) + 1) + command + payload)
