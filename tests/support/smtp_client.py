# SPDX-License-Identifier: GPL-2.0-or-later
"""A sending mail server, in plain steps, from any local address.

    with Session("192.0.2.10", 25, source="198.51.100.7") as session:
        outcome = session.send("a@sender.example", ["b@acme.example"], message)
        outcome.accepted, outcome.replies["b@acme.example"], outcome.final

Standard library only.
"""

import base64
import dataclasses
import re
import socket
import ssl
import time


@dataclasses.dataclass(frozen=True)
class Reply:
    code: int
    text: str  # all lines, without the code

    @property
    def enhanced(self):
        found = re.match(r"[245]\.\d+\.\d+", self.text)
        return found.group(0) if found else ""

    @property
    def positive(self):
        return self.code < 400

    @property
    def temporary(self):
        return 400 <= self.code < 500

    def __str__(self):
        return f"{self.code} {self.text}"


@dataclasses.dataclass
class Outcome:
    """How a transaction went; what was not reached is None."""

    mail: Reply
    replies: dict = dataclasses.field(default_factory=dict)  # recipient -> Reply
    data: Reply = None
    final: Reply = None

    @property
    def accepted(self):
        """The recipients for whom the server has taken the message."""
        if self.final is None or not self.final.positive:
            return []
        return [recipient for recipient, reply in self.replies.items() if reply.positive]

    @property
    def last(self):
        """The reply that ended it."""
        return self.final or self.data or next(reversed(self.replies.values()), self.mail)


class Gone(ConnectionError):
    """The server ended the connection."""


def crlf(message):
    """The message with CRLF line ends throughout, as SMTP wants it."""
    if isinstance(message, str):
        message = message.encode()
    return re.sub(rb"\r*\n", b"\r\n", message)


class Session:
    """`source` is the address to connect from; `xclient` one to be taken for, if the server
    lets us."""

    in_doubt = False  # a message was sent whole, and whether it was taken is not known

    def __init__(self, server, port=25, source=None, helo="mail.sender.example", timeout=60.0,
                 xclient=None):
        self._socket = socket.create_connection(
            (server, port), timeout, source_address=(source, 0) if source else None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")
        try:
            self._greet(helo, xclient)
        except (OSError, ValueError):
            self.abort()
            raise

    def _greet(self, helo, xclient):
        self.greeting = self.read_reply()
        if self.greeting.positive:
            self.hello = self.command(f"EHLO {helo}")
            if xclient:
                self.greeting = self.command(f"XCLIENT ADDR={xclient}")
                self.hello = self.command(f"EHLO {helo}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """QUIT, if the server still listens."""
        try:
            self.command("QUIT")
        except OSError:
            pass  # it went first
        self.abort()

    def abort(self):
        """Ends the connection without a word."""
        self._lines.close()
        self._socket.close()

    def read_reply(self):
        texts = []
        while True:
            line = self._lines.readline()
            if not line:
                raise Gone("the server ended the connection")
            texts.append(line[4:].decode("utf-8", "replace").rstrip("\r\n"))
            if line[3:4] != b"-":
                return Reply(int(line[:3]), "\n".join(texts))

    def command(self, line):
        self._socket.sendall((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.read_reply()

    def starttls(self, helo="mail.sender.example"):
        """Goes on with TLS; whose certificate it is does not matter."""
        reply = self.command("STARTTLS")
        if reply.positive:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._lines.close()
            self._socket = context.wrap_socket(self._socket)
            self._lines = self._socket.makefile("rb")
            self.hello = self.command(f"EHLO {helo}")
        return reply

    def login(self, user, password):
        """AUTH PLAIN."""
        given = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.command(f"AUTH PLAIN {given}")

    def chunk(self, data, last=False):
        """BDAT (RFC 3030)."""
        self._socket.sendall(f"BDAT {len(data)}{' LAST' if last else ''}\r\n".encode() + data)
        return self.read_reply()

    def send_raw(self, sender, recipient, lines):
        """One transaction whose lines are sent as they are; the last reply."""
        reply = self.command(f"MAIL FROM:<{sender}>")
        for command in (f"RCPT TO:<{recipient}>", "DATA"):
            if not reply.positive:
                return reply
            reply = self.command(command)
        if not reply.positive:
            return reply
        self._socket.sendall(lines)
        return self.command(".")

    def send(self, sender, recipients, message, options=""):
        """One transaction, to its end or until nothing is left to do."""
        outcome = Outcome(self.command(f"MAIL FROM:<{sender}>{options}"))
        if not outcome.mail.positive:
            return outcome
        for recipient in recipients:
            outcome.replies[recipient] = self.command(f"RCPT TO:<{recipient}>")
        if not any(reply.positive for reply in outcome.replies.values()):
            self.command("RSET")
            return outcome
        outcome.data = self.command("DATA")
        if outcome.data.positive:
            self._socket.sendall(re.sub(rb"(?m)^\.", b"..", crlf(message)))
            if not message.endswith(b"\n" if isinstance(message, bytes) else "\n"):
                self._socket.sendall(b"\r\n")
            self.in_doubt = True
            outcome.final = self.command(".")
            self.in_doubt = False
        return outcome

    def send_all(self, sender, recipients, message, seconds=60.0):
        """Brings recipients that got a 4xx again, on this connection, until each has got
        another answer.  Returns [Outcome]; AssertionError if it does not end."""
        outcomes, waiting = [], list(recipients)
        deadline = time.monotonic() + seconds
        while waiting:
            if time.monotonic() > deadline:
                raise AssertionError(f"still put off: {waiting[:5]}: {outcomes[-1].last}")
            outcome = self.send(sender, waiting, message)
            outcomes.append(outcome)
            if outcome.final is None and not outcome.replies:
                continue
            if outcome.final is not None and outcome.final.temporary:
                continue
            waiting = [r for r in waiting if outcome.replies[r].temporary]
        return outcomes


def send(server, sender, recipients, message, source=None, port=25):
    """One message over one connection."""
    with Session(server, port, source) as session:
        return session.send(sender, recipients, message)
