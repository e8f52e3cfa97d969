# SPDX-License-Identifier: GPL-2.0-or-later
"""The mail server's side of the milter protocol, version 6, behaving as Postfix 3.7 does.

    with Mta("unix:/path", client=Client("198.51.100.7", "mail.sender.example")) as mta:
        result = mta.send("a@sender.example", ["b@acme.example"], b"Subject: x\r\n\r\nbody\r\n")
        result.recipients      # [Reply("250 2.1.5 Ok")]
        result.reply           # Reply: the final answer of the transaction
        result.message         # the message after the milter's edits

One Mta is one SMTP connection, hence one milter connection; several mails may be sent on
it.  What the milter negotiated away (SMFIP_NO*) is not sent, and where it said that it
does not answer (SMFIP_NR_*) nothing is awaited; an answer that comes all the same is a
ProtocolError, at close() at the latest.  A milter that goes away or breaks the protocol is
answered for with `default_action`, for this and all later mails of the connection.

Wire is the raw access: packets and bytes without any sense, for tests of violations.
Standard library only.
"""

import dataclasses
import select
import socket
import struct
import time

# Commands of the mail server.
ABORT, BODY, CONNECT, MACRO, BODYEOB, HELO, QUIT_NC = b"A", b"B", b"C", b"D", b"E", b"H", b"K"
HEADER, MAIL, EOH, OPTNEG, QUIT, RCPT, DATA, UNKNOWN = (
    b"L", b"M", b"N", b"O", b"Q", b"R", b"T", b"U")

# Replies and modification actions of the milter.
ADDRCPT, DELRCPT, ADDRCPT_PAR, SHUTDOWN, ACCEPT, REPLBODY = b"+", b"-", b"2", b"4", b"a", b"b"
CONTINUE, DISCARD, CHGFROM, CONN_FAIL, ADDHEADER, INSHEADER = (
    b"c", b"d", b"e", b"f", b"h", b"i")
CHGHEADER, PROGRESS, QUARANTINE, REJECT, SKIP, TEMPFAIL, REPLYCODE = (
    b"m", b"p", b"q", b"r", b"s", b"t", b"y")
FINAL = {ACCEPT, CONTINUE, DISCARD, REJECT, TEMPFAIL, REPLYCODE, SHUTDOWN, CONN_FAIL, SKIP}

# What the milter may do (SMFIF_*).
F_ADDHDRS, F_CHGBODY, F_ADDRCPT, F_DELRCPT, F_CHGHDRS, F_QUARANTINE = 1, 2, 4, 8, 16, 32
F_CHGFROM, F_ADDRCPT_PAR, F_SETSYMLIST = 64, 128, 256
ALL_ACTIONS = 0x1FF

# What is not sent, and not answered (SMFIP_*).
P_NOCONNECT, P_NOHELO, P_NOMAIL, P_NORCPT, P_NOBODY, P_NOHDRS, P_NOEOH, P_NR_HDR = (
    1 << bit for bit in range(8))
P_NOUNKNOWN, P_NODATA, P_SKIP, P_RCPT_REJ, P_NR_CONN, P_NR_HELO, P_NR_MAIL, P_NR_RCPT = (
    1 << bit for bit in range(8, 16))
P_NR_DATA, P_NR_UNKN, P_NR_EOH, P_NR_BODY, P_HDR_LEADSPC = (1 << bit for bit in range(16, 21))
ALL_PROTOCOL = 0x1FFFFF

# Indexes of the macro lists in the milter's answer to the negotiation.
MACRO_STAGES = {0: CONNECT, 1: HELO, 2: MAIL, 3: RCPT, 4: DATA, 5: BODYEOB, 6: EOH}

# What Postfix 3.7 sends at each stage unless the milter asks for a list of its own.
DEFAULT_MACROS = {
    CONNECT: ["j", "{daemon_name}", "{daemon_addr}", "v", "_"],
    HELO: ["{tls_version}", "{cipher}", "{cipher_bits}", "{cert_subject}", "{cert_issuer}"],
    MAIL: ["i", "{auth_type}", "{auth_authen}", "{auth_author}", "{mail_addr}",
           "{mail_host}", "{mail_mailer}"],
    RCPT: ["i", "{rcpt_addr}", "{rcpt_host}", "{rcpt_mailer}"],
    DATA: ["i"],
    EOH: ["i"],
    BODYEOB: ["i"],
    UNKNOWN: [],
}

MAX_PACKET = 65535  # of body data; MILTER_CHUNK_SIZE
DEFAULT_TIMEOUT = 20.0


class MilterGone(Exception):
    """The milter closed the connection."""


class ProtocolError(Exception):
    """The milter said something that it may not say here."""


class Wire:
    """A connection to a milter on which anything can be said.

    `address` is as Postfix writes it: "unix:PATH" or "inet:HOST:PORT" ("inet6:" too).
    """

    def __init__(self, address, timeout=DEFAULT_TIMEOUT):
        kind, _, rest = address.partition(":")
        if kind == "unix":
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(timeout)
            try:
                self.socket.connect(rest)
            except OSError:
                self.socket.close()
                raise
        elif kind in ("inet", "inet6"):
            host, _, port = rest.rpartition(":")
            self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            raise ValueError(f"unknown socket kind: {address}")
        self._pending = b""

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise MilterGone(str(error)) from error

    def send(self, command, payload=b""):
        self.send_raw(struct.pack("!I", len(payload) + 1) + command + payload)

    def receive(self):
        """The next packet as (reply, payload).  MilterGone at the end of the stream."""
        head = self._read(5)
        (length,) = struct.unpack("!I", head[:4])
        if not 1 <= length <= 10_000_000:
            raise ProtocolError(f"packet of {length} bytes")
        return head[4:5], self._read(length - 1)

    def has_data(self, wait=0.0):
        if self._pending:
            return True
        return bool(select.select([self.socket], [], [], wait)[0])

    def is_closed_within(self, seconds):
        """Whether the milter closes the connection; what it still says is dropped."""
        deadline = time.monotonic() + seconds
        self._pending = b""
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                return False
            try:
                if not self.socket.recv(65536):
                    return True
            except ConnectionResetError:
                return True
        return False

    def negotiate(self, version=6, actions=ALL_ACTIONS, protocol=ALL_PROTOCOL):
        """Sends the option negotiation; returns (version, actions, protocol, macros)."""
        self.send(OPTNEG, struct.pack("!III", version, actions, protocol))
        reply, payload = self.receive()
        if reply != OPTNEG or len(payload) < 12:
            raise ProtocolError(f"{reply!r} in answer to the negotiation")
        answer = struct.unpack("!III", payload[:12])
        macros, rest = {}, payload[12:]
        while rest:
            (stage,) = struct.unpack("!I", rest[:4])
            names, _, rest = rest[4:].partition(b"\0")
            macros[MACRO_STAGES[stage]] = names.decode("ascii").replace(",", " ").split()
        return (*answer, macros)

    def close(self):
        self.socket.close()

    def _read(self, count):
        while len(self._pending) < count:
            try:
                got = self.socket.recv(65536)
            except ConnectionResetError as error:
                raise MilterGone(str(error)) from error
            if not got:
                raise MilterGone("end of stream")
            self._pending += got
        data, self._pending = self._pending[:count], self._pending[count:]
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect_payload(name, address, port=40000):
    """What CONNECT carries; `address` None is a client without a network address."""
    if address is None:
        return _z(name) + b"U"
    family = b"6" if ":" in address else b"4"
    return _z(name) + family + struct.pack("!H", port) + _z(address)


def macro_payload(command, values):
    return command + b"".join(_z(name) + _z(value) for name, value in values.items())


def _z(text):
    return (text if isinstance(text, bytes) else text.encode("utf-8")) + b"\0"


class Reply(str):
    """An SMTP reply: "250 2.1.5 Ok"."""

    @property
    def code(self):
        return int(self[:3])

    @property
    def enhanced(self):
        return self.split(" ")[1] if " " in self else ""

    @property
    def accepted(self):
        return self[:1] in ("2", "3")


@dataclasses.dataclass
class Client:
    """Who connects.  Without a name, Postfix sends "[address]" in its place."""

    address: str | None = "198.51.100.7"
    name: str = ""
    helo: str = "mail.sender.example"
    port: int = 40000


@dataclasses.dataclass
class Result:
    """What became of one transaction."""

    mail: Reply | None = None
    recipients: list = dataclasses.field(default_factory=list)  # a Reply each, in order
    data: Reply | None = None
    reply: Reply | None = None  # the final one: to the message, or to what ended it before
    message: bytes = b""  # with the milter's edits; as sent if it made none
    edits: list = dataclasses.field(default_factory=list)  # (action, ...) as they came
    quarantined: str | None = None  # the reason
    discarded: bool = False
    milter_failed: str = ""  # why the milter had to be answered for

    @property
    def accepted(self):
        return self.reply is not None and self.reply.accepted

    @property
    def removed(self):
        """The recipients that the milter has removed."""
        return [edit[1].rstrip(b"\0").decode()[1:-1] for edit in self.edits if edit[0] == "-"]

    @property
    def held(self):
        """The recipients for whom the quarantine gets it, as (kind, domain, reason, recipient)."""
        found = []
        for edit in self.edits:
            if edit[0] != "+":
                continue
            local_part, _, domain = edit[1].rstrip(b"\0").decode()[1:-1].partition("@")
            assert domain == "quarantine.mxfeed.invalid", edit
            kind, token, *rest = local_part.split(".")
            assert len(token) == 32, edit
            found.append((kind, *(bytes.fromhex(part).decode() for part in rest)))
        return found

    def header(self, name):
        """The values of all fields of that name in `message`, unfolded and stripped."""
        return [value.replace(b"\r\n", b"").replace(b"\n", b"").strip().decode("utf-8", "replace")
                for field, value in Message.parse(self.message).fields
                if field.strip().lower() == name.lower().encode()]


class Message:
    """A message as header fields (name, raw value after the colon) and a body."""

    def __init__(self, fields, body):
        self.fields = fields
        self.body = body

    @classmethod
    def parse(cls, data):
        fields, position = [], 0
        while position < len(data):
            end = data.find(b"\n", position)
            end = len(data) if end < 0 else end + 1
            line = data[position:end]
            if line in (b"\r\n", b"\n"):
                return cls(fields, data[end:])
            text = line.rstrip(b"\r\n")
            if text[:1] in (b" ", b"\t") and fields:
                fields[-1] = (fields[-1][0], fields[-1][1] + b"\n" + text)
            elif b":" in text:
                name, _, value = text.partition(b":")
                fields.append((name, value))
            else:
                return cls(fields, data[position:])  # no header line: the body begins here
            position = end
        return cls(fields, b"")

    def __bytes__(self):
        head = b"".join(name + b":" + value.replace(b"\n", b"\r\n") + b"\r\n"
                        for name, value in self.fields)
        return head + b"\r\n" + self.body


class Mta:
    """One SMTP connection as a milter sees it.  See the top of this file."""

    TEMPFAIL_REPLY = Reply("451 4.7.1 Service unavailable - try again later")

    def __init__(self, address, client=None, macros=None, default_action="tempfail",
                 actions=ALL_ACTIONS, protocol=ALL_PROTOCOL, timeout=DEFAULT_TIMEOUT):
        """`macros` adds to or replaces values, e.g. {"{auth_authen}": "jane"}."""
        self.client = client or Client()
        self.default_action = default_action
        self.failed = ""
        self.final = None  # a Reply that ended the whole connection
        self.accept_all = False  # for the rest of the connection
        self.settled = ""  # for the rest of the message: "accept" or "discard"
        self.queue_ids = 0
        self.transport = "relay"  # of recipients; one of the site's
        self.values = {
            "j": "mx.gateway.example", "v": "Postfix 3.7.11", "{daemon_name}": "smtpd",
            "{daemon_addr}": "192.0.2.1",
            "_": f"{self.client.name or 'unknown'} [{self.client.address}]",
            **(macros or {}),
        }
        self.offered = (actions, protocol)
        self.actions = self.protocol = 0
        self.macros = {}
        self.wire = None
        try:
            self.wire = Wire(address, timeout)
            version, self.actions, self.protocol, self.macros = self.wire.negotiate(
                6, actions, protocol)
            if not 2 <= version <= 6:
                raise ProtocolError(f"version {version}")
            if self.actions & ~actions or self.protocol & ~protocol:
                raise ProtocolError(
                    f"not offered: actions {self.actions:#x}, protocol {self.protocol:#x}")
            self._hello()
        except (MilterGone, ProtocolError, OSError) as error:
            self._fail(error)

    def negotiated(self, flag):
        return bool(self.protocol & flag)

    def send(self, sender, recipients, message, mail_args=(), queue_id=None):
        """Runs a whole transaction; ends with the ABORT that Postfix sends after each."""
        result = Result(message=bytes(Message.parse(message)))
        try:
            if not self._mail(sender, mail_args, result):
                return result
            if not self._recipients(recipients, result, queue_id):
                return result
            if not self._data(result):
                return result
            self._content(message, result)
            return result
        except (MilterGone, ProtocolError, OSError) as error:
            self._fail(error)
            result.milter_failed = self.failed
            self._answer_for_milter(recipients, result)
            return result
        finally:
            self.reset()

    def reset(self):
        """RSET, and what Postfix does after every message."""
        self.values.pop("i", None)
        self.settled = ""
        if not self.failed and not self.final and not self.accept_all:
            try:
                self.wire.send(ABORT)
            except (MilterGone, OSError) as error:
                self._fail(error)

    # Single steps, for tests that look between them.

    def mail(self, sender, mail_args=()):
        path = sender if sender.startswith("<") else f"<{sender}>"
        self.values.update({"{mail_addr}": path.strip("<>"), "{mail_mailer}": "smtp",
                            "{mail_host}": path.strip("<>").rpartition("@")[2]})
        return self._event(MAIL, P_NOMAIL, P_NR_MAIL, _z(path) + b"".join(map(_z, mail_args)),
                           Reply("250 2.1.0 Ok"))

    def rcpt(self, recipient, queue_id=None):
        path = recipient if recipient.startswith("<") else f"<{recipient}>"
        self.values.update({"{rcpt_addr}": path.strip("<>"), "{rcpt_mailer}": self.transport,
                            "{rcpt_host}": "[203.0.113.25]"})
        reply = self._event(RCPT, P_NORCPT, P_NR_RCPT, _z(path), Reply("250 2.1.5 Ok"))
        if reply.accepted and "i" not in self.values:
            self.queue_ids += 1  # the queue file is opened after the first accepted one
            self.values["i"] = queue_id or f"4C{id(self) & 0xFFFFFF:06X}{self.queue_ids:02X}"
        return reply

    def data(self):
        return self._event(DATA, P_NODATA, P_NR_DATA, b"",
                           Reply("354 End data with <CR><LF>.<CR><LF>"))

    def unknown(self, line):
        return self._event(UNKNOWN, P_NOUNKNOWN, P_NR_UNKN, _z(line),
                           Reply("500 5.5.2 Error: command not recognized"))

    def content(self, message):
        """HEADER to end of message; a Result with the edits made."""
        result = Result(message=bytes(Message.parse(message)))
        self._content(message, result)
        return result

    def close(self):
        """QUIT; ProtocolError if the milter had said more than it was asked for."""
        if self.wire is None:
            return
        wire, self.wire = self.wire, None
        try:
            if self.failed:
                return
            self.failed = "closed"
            wire.send(QUIT)
            extra = wire.receive()
        except (MilterGone, OSError):
            return
        finally:
            wire.close()
        raise ProtocolError(f"an unasked {extra!r} at the end")

    def drop(self):
        """Ends the connection without QUIT, as a mail server that died."""
        self.failed = "dropped"
        if self.wire is not None:
            self.wire.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _hello(self):
        client = self.client
        name = client.name or (f"[{client.address}]" if client.address else "localhost")
        reply = self._event(CONNECT, P_NOCONNECT, P_NR_CONN,
                            connect_payload(name, client.address, client.port), Reply("220"))
        if not reply.accepted:
            self.final = reply
            return
        reply = self._event(HELO, P_NOHELO, P_NR_HELO, _z(client.helo), Reply("250"))
        if not reply.accepted:
            self.final = reply

    def _mail(self, sender, mail_args, result):
        result.mail = result.reply = self.mail(sender, mail_args)
        return result.mail.accepted

    def _recipients(self, recipients, result, queue_id):
        for recipient in recipients:
            reply = self.rcpt(recipient, queue_id)
            result.recipients.append(reply)
            if reply.code == 421:
                result.reply = reply
                return False
        if not any(reply.accepted for reply in result.recipients):
            result.reply = result.recipients[-1] if result.recipients else Reply(
                "554 5.5.1 Error: no valid recipients")
            return False
        return True

    def _data(self, result):
        result.data = result.reply = self.data()
        return result.data.accepted

    def _content(self, message, result):
        queued = Reply(f"250 2.0.0 Ok: queued as {self.values.get('i', 'unknown')}")
        parsed = Message.parse(message)
        reply = Reply("250")
        for name, value in parsed.fields:
            if not self.negotiated(P_HDR_LEADSPC) and value[:1] == b" ":
                value = value[1:]
            reply = self._event(HEADER, P_NOHDRS, P_NR_HDR, _z(name.rstrip()) + _z(value), reply)
            if self._is_over(reply, result):
                return
        reply = self._event(EOH, P_NOEOH, P_NR_EOH, b"", reply)
        if self._is_over(reply, result):
            return
        for start in range(0, len(parsed.body), MAX_PACKET):
            reply = self._event(BODY, P_NOBODY, P_NR_BODY,
                                parsed.body[start:start + MAX_PACKET], reply)
            if self._is_over(reply, result):
                return
            if reply == "skip":
                reply = Reply("250")
                break
        reply = self._event(BODYEOB, 0, 0, b"", queued, result=result, parsed=parsed)
        if not self._is_over(reply, result):
            result.reply = reply
        result.message = bytes(parsed)

    @staticmethod
    def _is_over(reply, result):
        """Whether the milter's answer ends the content; notes what it was."""
        if reply == "discard":
            result.discarded = True
            result.reply = Reply("250 2.0.0 Ok: queued as discarded")
            return True
        if reply == "skip" or reply.accepted:
            return False
        result.reply = reply
        return True

    def _event(self, command, skip_flag, no_reply_flag, payload, positive,
               result=None, parsed=None):
        """As milter8_event() of Postfix: macros, the command, the answer."""
        if self.final is not None:
            return self.final
        if self.failed:
            return self._default(positive)
        if self.accept_all or self.settled == "accept" or self.negotiated(skip_flag):
            return positive
        if self.settled == "discard":
            return Reply("discard") if command == BODYEOB else positive
        if self.wire.has_data():
            raise ProtocolError(f"an unasked {self.wire.receive()!r} before {command!r}")
        names = self.macros.get(command, DEFAULT_MACROS.get(command, []))
        values = {name: value for name in names
                  if (value := self.values.get(name, self.values.get(name.strip("{}"))))}
        if values:
            self.wire.send(MACRO, macro_payload(command, values))
        self.wire.send(command, payload)
        if self.negotiated(no_reply_flag):
            return positive
        while True:
            reply, data = self.wire.receive()
            if reply == PROGRESS:
                continue
            if reply in FINAL:
                return self._final(command, reply, data, positive)
            if command != BODYEOB:
                raise ProtocolError(f"{reply!r} in answer to {command!r}")
            self._edit(reply, data, result, parsed)

    def _final(self, command, reply, data, positive):
        if reply != REPLYCODE and data:
            raise ProtocolError(f"{reply!r} with {len(data)} bytes")
        if reply == CONTINUE:
            return positive
        if reply == ACCEPT:
            if command in (CONNECT, HELO):
                self.accept_all = True
            else:
                self.settled = "accept"
            return positive
        if reply == SKIP:
            if command != BODY or not self.negotiated(P_SKIP):
                raise ProtocolError("SKIP where it is not allowed")
            return Reply("skip")
        if reply == DISCARD:
            if command in (CONNECT, HELO):
                return positive  # Postfix warns and goes on
            self.settled = "discard"
            return Reply("discard") if command == BODYEOB else positive
        if reply == TEMPFAIL:
            return self.TEMPFAIL_REPLY
        if reply == REJECT:
            return Reply("550 5.7.1 Command rejected")
        if reply in (SHUTDOWN, CONN_FAIL):
            self.final = Reply("421 4.7.0 Server closing connection")
            return self.final
        text = data[:-1].decode("utf-8", "replace")
        if not data.endswith(b"\0") or text[:1] not in ("4", "5") or not text[:3].isdigit():
            raise ProtocolError(f"malformed reply {data!r}")
        text = text.replace("%%", "%")
        if text.startswith("421"):
            self.final = Reply(text)
        return Reply(text)

    def _edit(self, action, data, result, parsed):
        """Carries out one modification the way Postfix's cleanup does.

        Indexes count the fields as they are now, not as the milter was shown them.  The
        Received field that Postfix adds itself, and hides, is left out here.
        """
        allowed = {ADDHEADER: F_ADDHDRS, INSHEADER: F_ADDHDRS, CHGHEADER: F_CHGHDRS,
                   QUARANTINE: F_QUARANTINE, REPLBODY: F_CHGBODY, ADDRCPT: F_ADDRCPT,
                   DELRCPT: F_DELRCPT, CHGFROM: F_CHGFROM, ADDRCPT_PAR: F_ADDRCPT_PAR}
        if action not in allowed or not self.actions & allowed[action]:
            raise ProtocolError(f"action {action!r} was not negotiated")
        space = b"" if self.negotiated(P_HDR_LEADSPC) else b" "
        if action == ADDHEADER:
            name, value = self._strings(data, 2)
            result.edits.append(("add", name, value))
            parsed.fields.append((name, space + value))
        elif action == INSHEADER:
            (index,) = struct.unpack("!I", data[:4])
            name, value = self._strings(data[4:], 2)
            result.edits.append(("insert", index, name, value))
            parsed.fields.insert(index, (name, space + value))
        elif action == CHGHEADER:
            (index,) = struct.unpack("!I", data[:4])
            name, value = self._strings(data[4:], 2)
            result.edits.append(("change", index, name, value))
            places = [place for place, (field, _) in enumerate(parsed.fields)
                      if field.rstrip().lower() == name.lower()]
            index = max(index, 1)
            if index > len(places):
                if value:
                    parsed.fields.append((name, space + value))
            elif value:
                parsed.fields[places[index - 1]] = (name, space + value)
            else:
                del parsed.fields[places[index - 1]]
        elif action == QUARANTINE:
            (reason,) = self._strings(data, 1)
            result.quarantined = reason.decode("utf-8", "replace")
            result.edits.append(("quarantine", reason))
        elif action == REPLBODY:
            if ("body",) not in result.edits:
                result.edits.append(("body",))
                parsed.body = b""
            parsed.body += data
        else:
            result.edits.append((action.decode(), data))

    @staticmethod
    def _strings(data, count):
        parts = data.split(b"\0")
        if len(parts) != count + 1 or parts[-1]:
            raise ProtocolError(f"{data[:200]!r} is not {count} strings")
        return parts[:count]

    def _fail(self, error):
        self.failed = f"{type(error).__name__}: {error}"
        if self.wire is not None:
            self.wire.close()

    def _default(self, positive):
        return positive if self.default_action == "accept" else self.TEMPFAIL_REPLY

    def _answer_for_milter(self, recipients, result):
        """What the client is told from where the milter was lost."""
        if result.mail is None:
            result.mail = result.reply = self._default(Reply("250 2.1.0 Ok"))
        elif result.data is None:
            while len(result.recipients) < len(recipients):
                result.recipients.append(self._default(Reply("250 2.1.5 Ok")))
            result.reply = result.recipients[-1]
        else:
            result.reply = self._default(Reply("250 2.0.0 Ok"))
