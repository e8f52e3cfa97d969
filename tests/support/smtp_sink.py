# SPDX-License-Identifier: GPL-2.0-or-later
"""A customer's mail server: takes mail by SMTP and keeps every byte of it.

    sink = Sink("203.0.113.7", 25)
    sink.up()
    ...
    sink.wait_for(lambda: len(sink.deliveries) == 3, "three mails")
    sink.down()                                # connection refused from now on

Recipients may be refused (`sink.answers["no@acme.example"] = "550 5.1.1 Unknown"`), so may a
whole stage (`sink.answers["connect"] = "451 4.3.2 Not now"`; stages: connect, mail, data, end).
Thread-safe.  Standard library only.
"""

import dataclasses
import socket
import threading
import time


def split_path(argument):
    """<"a b"@sender.example> SIZE=9 -> the address with its brackets, and the words behind it."""
    end, quoted = 0, False
    for end, character in enumerate(argument):
        quoted ^= character == '"'
        if character == ">" and not quoted:
            break
    return argument[:end + 1].strip(), argument[end + 1:].split()


@dataclasses.dataclass(frozen=True)
class Delivery:
    """A message as received: `data` has CRLF line ends and no dot stuffing."""

    server: str
    peer: str
    helo: str
    sender: str
    recipients: tuple
    data: bytes
    options: tuple = ()  # of MAIL FROM
    encrypted: bool = False

    @property
    def headers(self):
        """[(name, value)] in order, folding kept, without the final line end."""
        return split_headers(self.data)[0]

    @property
    def body(self):
        return split_headers(self.data)[1]

    def header(self, name):
        """All values of the field."""
        return [value for field, value in self.headers if field.lower() == name.lower().encode()]


def split_headers(data):
    """([(name, value)], body): bytes, values as they stand after the colon."""
    fields = []
    while data and not data.startswith(b"\r\n"):
        line, separator, rest = data.partition(b"\r\n")
        if line[:1] in b" \t" and fields:
            fields[-1][1] += b"\r\n" + line
        else:
            name, colon, value = line.partition(b":")
            if not colon:
                break  # no header: the body begins here
            fields.append([name, value])
        data = rest if separator else b""
    return [tuple(field) for field in fields], data.removeprefix(b"\r\n")


class Mailboxes(dict):
    """Answers of a sink that knows these recipients only; `asked` are the questions."""

    def __init__(self, *known):
        super().__init__()
        self.known = set(known)
        self.asked = []

    def get(self, key, default=None):
        if "@" not in key:
            return super().get(key, default)
        self.asked.append(key)
        if key in self:
            return self[key]
        return default if key in self.known else "550 5.1.1 Unknown here on mail.acme.example"


class Sink:
    def __init__(self, address, port, name=None, extensions=("PIPELINING", "8BITMIME", "SMTPUTF8"),
                 tls=None):
        """`tls`: an ssl.SSLContext; STARTTLS is offered with it."""
        self.tls = tls
        self.address = address
        self.port = port
        self.name = name or f"{address}:{port}"
        self.extensions = extensions
        self.answers = {}
        self.deliveries = []
        self._changed = threading.Condition()
        self._listener = None
        self._connections = set()

    def up(self):
        """Listens; a port of 0 becomes a free one."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, self.port))
        listener.listen(256)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def down(self):
        """Refuses connections and ends those there are."""
        if self._listener is not None:
            # Wakes accept(), which close() alone would not.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._changed:
            connections, self._connections = self._connections, set()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it ended by itself

    def received(self, recipient=None):
        """The deliveries, or those to one recipient."""
        with self._changed:
            return [d for d in self.deliveries if recipient is None or recipient in d.recipients]

    def clear(self):
        with self._changed:
            self.deliveries.clear()

    def wait_for(self, condition, what, seconds=30.0):
        """Waits until `condition()` holds, asked after each delivery; AssertionError if not."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(
                        f"{self.name}: not within {seconds} s: {what} "
                        f"({len(self.deliveries)} mails received)")
                self._changed.wait(min(left, 0.5))

    def wait_for_count(self, count, seconds=30.0):
        self.wait_for(lambda: len(self.deliveries) >= count, f"{count} mails", seconds)
        return self.received()

    def _accept(self, listener):
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return  # down()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._connections.add(connection)
            threading.Thread(
                target=self._serve, args=(connection, peer[0]), daemon=True).start()

    def _serve(self, connection, peer):
        try:
            with connection, connection.makefile("rb") as lines:
                _Conversation(self, connection, peer, lines).run()
        except OSError:
            pass  # the peer or down() ended it
        finally:
            with self._changed:
                self._connections.discard(connection)

    def _keep(self, delivery):
        with self._changed:
            self.deliveries.append(delivery)
            self._changed.notify_all()


class _Conversation:
    def __init__(self, sink, connection, peer, lines):
        self._sink = sink
        self._connection = connection
        self._peer = peer
        self._lines = lines
        self._helo = ""
        self._encrypted = False
        self._reset()

    def _reset(self):
        self._sender = None
        self._options = ()
        self._recipients = []

    def _say(self, reply):
        self._connection.sendall(reply.encode() + b"\r\n")

    def _answer(self, stage, default):
        """Says the reply; true if it is a positive one."""
        reply = self._sink.answers.get(stage, default)
        self._say(reply)
        return reply[0] in "23"

    def run(self):
        if not self._answer("connect", f"220 {self._sink.name} ESMTP"):
            return
        while line := self._lines.readline():
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            verb = command[:4].upper()
            if verb in ("EHLO", "HELO"):
                self._helo = command[5:]
                extensions = self._sink.extensions if verb == "EHLO" else ()
                if extensions and self._sink.tls and not self._encrypted:
                    extensions = (*extensions, "STARTTLS")
                *more, last = (self._sink.name, *extensions)
                self._say("".join(f"250-{line}\r\n" for line in more) + f"250 {last}")
            elif verb == "MAIL":
                self._reset()
                address, options = split_path(command[command.index(":") + 1:])
                if self._answer("mail", "250 2.1.0 Ok"):
                    self._sender = address.strip("<>")
                    self._options = tuple(options)
            elif verb == "RCPT":
                recipient = command[command.index(":") + 1:].split()[0].strip("<>")
                if self._sender is None:
                    self._say("503 5.5.1 MAIL first")  # a refused MAIL was pipelined
                elif self._answer(recipient, "250 2.1.5 Ok"):
                    self._recipients.append(recipient)
            elif verb == "DATA":
                if not self._recipients:
                    self._say("554 5.5.1 No valid recipients")
                elif self._answer("data", "354 Go ahead"):
                    if not self._data():
                        return
            elif verb == "STAR" and self._sink.tls:
                self._say("220 2.0.0 Go ahead")
                self._connection = self._sink.tls.wrap_socket(self._connection, server_side=True)
                self._lines = self._connection.makefile("rb")
                self._encrypted = True
            elif verb == "RSET":
                self._reset()
                self._say("250 2.0.0 Ok")
            elif verb == "NOOP":
                self._say("250 2.0.0 Ok")
            elif verb == "QUIT":
                self._say("221 2.0.0 Bye")
                return
            else:
                self._say("502 5.5.2 Unknown command")

    def _data(self):
        data = bytearray()
        while (line := self._lines.readline()) != b".\r\n":
            if not line:
                return False  # cut off: not received
            data += line[1:] if line.startswith(b".") else line
        delivery = Delivery(
            self._sink.name, self._peer, self._helo, self._sender, tuple(self._recipients),
            bytes(data), self._options, self._encrypted)
        # Kept before it is confirmed: whoever saw the reply may look for it.
        if not self._sink.answers.get("end", "250")[0] in "45":
            self._sink._keep(delivery)
        self._answer("end", "250 2.0.0 Taken")
        self._reset()
        return True
