# SPDX-License-Identifier: GPL-2.0-or-later
"""Violations of the milter protocol: a daemon tempfails or closes the connection, serves
the next one as if nothing had been, and never crashes.

The same list runs against every milter.  What a daemon negotiated away may be sent all
the same here; that is one of the violations.
"""

import struct

import daemons
import fake_mta as f
import scan_test

REFUSALS = {f.TEMPFAIL, f.REJECT, f.REPLYCODE, f.SHUTDOWN, f.CONN_FAIL}
MESSAGE = b"From: a@sender.example\r\nSubject: x\r\n\r\nbody\r\n"


def packet(command, payload=b""):
    return struct.pack("!I", len(payload) + 1) + command + payload


OPTIONS = packet(f.OPTNEG, struct.pack("!III", 6, f.ALL_ACTIONS, f.ALL_PROTOCOL))
HELLO = (packet(f.CONNECT, f.connect_payload("[198.51.100.7]", "198.51.100.7"))
         + packet(f.HELO, b"mail.sender.example\0"))
FROM = packet(f.MAIL, b"<a@sender.example>\0")
TO = packet(f.RCPT, b"<b@acme.example>\0")
EOH, EOM, DATA, ABORT = (packet(c) for c in (f.EOH, f.BODYEOB, f.DATA, f.ABORT))
BODY = packet(f.BODY, b"body\r\n")


def header(name=b"Subject", value=b" x"):
    return packet(f.HEADER, name + b"\0" + value + b"\0")


# What is sent after a good negotiation, by name.
AFTER_NEGOTIATION = {
    "second negotiation": OPTIONS,
    "second negotiation in a mail": HELLO + FROM + OPTIONS + TO,
    "mail before connect": FROM + TO + EOM,
    "rcpt before mail": HELLO + TO,
    "data before mail": HELLO + DATA,
    "data before rcpt": HELLO + FROM + DATA + EOM,
    "header before mail": HELLO + header() + EOM,
    "body before mail": HELLO + BODY + EOM,
    "end before mail": HELLO + EOM,
    "end before rcpt": HELLO + FROM + EOM,
    "header after body": HELLO + FROM + TO + BODY + header() + EOM,
    "rcpt after data": HELLO + FROM + TO + DATA + TO + EOM,
    "rcpt after body": HELLO + FROM + TO + BODY + TO + EOM,
    "mail after mail": HELLO + FROM + FROM + TO + FROM + EOM,
    "end after end": HELLO + FROM + TO + EOM + EOM,
    "connect twice": HELLO + HELLO + FROM,
    "no helo": packet(f.CONNECT, b"x\0U") + FROM + TO,
    "unknown command": HELLO + packet(b"z", b"?"),
    "command of the reply alphabet": HELLO + packet(b"y", b"450 4.7.1 x\0"),
    "length zero": HELLO + struct.pack("!I", 0),
    "length of a gigabyte": HELLO + struct.pack("!I", 1 << 30) + b"M",
    "length of four gigabytes": HELLO + struct.pack("!I", 0xFFFFFFFF) + b"M",
    "length beyond the limit": HELLO + FROM + packet(f.BODY, b"x" * 100_000) + EOM,
    "mail without argument": HELLO + packet(f.MAIL) + TO,
    "mail without NUL": HELLO + packet(f.MAIL, b"<a@sender.example>") + TO,
    "mail with an empty argument": HELLO + packet(f.MAIL, b"\0") + TO,
    "rcpt without argument": HELLO + FROM + packet(f.RCPT) + EOM,
    "rcpt without NUL": HELLO + FROM + packet(f.RCPT, b"<b@acme.example>"),
    "rcpt that is no address": HELLO + FROM + packet(f.RCPT, b"\xff\x00\x80@@<<>\0"),
    "rcpt of 60 kB": HELLO + FROM + packet(f.RCPT, b"<" + b"b" * 60_000 + b"@acme.example>\0"),
    "header without argument": HELLO + FROM + TO + packet(f.HEADER) + EOM,
    "header without NUL": HELLO + FROM + TO + packet(f.HEADER, b"Subject") + EOM,
    "header without value": HELLO + FROM + TO + packet(f.HEADER, b"Subject\0") + EOM,
    "header with an empty name": HELLO + FROM + TO + packet(f.HEADER, b"\0\0") + EOM,
    "header with control bytes": HELLO + FROM + TO + header(b"\x01\xff", b"\r\n\x80") + EOM,
    "connect without argument": packet(f.CONNECT) + FROM,
    "connect without family": packet(f.CONNECT, b"host\0") + FROM,
    "connect with an unknown family": packet(f.CONNECT, b"host\0Zxx1.2.3.4\0") + FROM,
    "connect with a bad address": packet(f.CONNECT, b"host\0" + b"4\0\x19no address\0") + FROM,
    "connect cut in the port": packet(f.CONNECT, b"host\0" + b"4\0") + FROM,
    "macro without a command": packet(f.MACRO) + HELLO + FROM,
    "macro for an unknown command": packet(f.MACRO, b"\xffi\0x\0") + HELLO + FROM,
    "macro without value": packet(f.MACRO, b"Mi") + HELLO + FROM + TO,
    "macro with a name only": packet(f.MACRO, b"M{auth_authen}\0") + HELLO + FROM + TO,
    "garbage": bytes(range(256)) * 16,
    "text": b"EHLO mail.sender.example\r\nMAIL FROM:<a@sender.example>\r\n",
    "a packet cut in its length": HELLO + b"\0\0",
    "a packet cut in its body": HELLO + struct.pack("!I", 100) + b"M<a@",
    "quit in a mail": HELLO + FROM + TO + packet(f.QUIT),
    "quit in the header": HELLO + FROM + TO + header() + packet(f.QUIT),
    "quit at once": packet(f.QUIT),
    "new connection kept": HELLO + FROM + packet(f.QUIT_NC) + HELLO + FROM + TO,
    "abort everywhere": b"".join(
        HELLO + b"".join(steps) + ABORT for steps in (
            [], [FROM], [FROM, TO], [FROM, TO, DATA], [FROM, TO, DATA, header()],
            [FROM, TO, header(), EOH], [FROM, TO, header(), EOH, BODY],
            [FROM, TO, header(), EOH, BODY, EOM], [])),
}

# What is sent instead of a negotiation.
INSTEAD_OF_NEGOTIATION = {
    "nothing": b"",
    "mail": FROM + TO,
    "a short negotiation": packet(f.OPTNEG, b"\0\0\0\6"),
    "an empty negotiation": packet(f.OPTNEG),
    "version 0": packet(f.OPTNEG, struct.pack("!III", 0, 0, 0)),
    "version 1": packet(f.OPTNEG, struct.pack("!III", 1, 0xFF, 0xFF)),
    "version 99": packet(f.OPTNEG, struct.pack("!III", 99, 0xFFFFFFFF, 0xFFFFFFFF)),
    "nothing offered": packet(f.OPTNEG, struct.pack("!III", 6, 0, 0)),
    "a long negotiation": packet(f.OPTNEG, struct.pack("!III", 6, 0x1FF, 0x1FFFFF) + b"x" * 900),
}


class Violations:
    """The list; the classes below name the daemon."""

    milter = None  # made by setUp()
    passes_too_much = False  # what becomes of mail above a limit

    def check_still_serves(self):
        """A good transaction gets a sensible answer, and the same process gives it."""
        self.assertTrue(self.milter.running, self.milter.log())
        with f.Mta(self.milter.socket) as mta:
            self.assertFalse(mta.failed)
            result = mta.send("a@sender.example", ["b@elsewhere.example"], MESSAGE)
            self.assertFalse(result.milter_failed, self.milter.log())
            self.assertTrue(result.recipients[0].accepted, result)

    def play(self, data):
        """Sends the bytes, ends the sending side, and returns the replies until the milter
        closes.  Whatever it answers must be a packet."""
        with f.Wire(self.milter.socket) as wire:
            replies = []
            try:
                wire.send_raw(data)
                wire.socket.shutdown(1)
                while True:
                    replies.append(wire.receive())
            except (f.MilterGone, OSError):
                return replies

    def test_each_violation_after_the_negotiation(self):
        for name, data in AFTER_NEGOTIATION.items():
            with self.subTest(name):
                self.play(OPTIONS + data)
                self.assertTrue(self.milter.running, self.milter.log())
        self.check_still_serves()

    def test_each_violation_in_place_of_the_negotiation(self):
        for name, data in INSTEAD_OF_NEGOTIATION.items():
            with self.subTest(name):
                self.play(data + HELLO + FROM)
                self.assertTrue(self.milter.running, self.milter.log())
        self.check_still_serves()

    def test_a_good_dialog_cut_at_every_byte(self):
        whole = OPTIONS + HELLO + FROM + TO + DATA + header() + EOH + BODY + EOM
        for length in range(len(whole)):
            with f.Wire(self.milter.socket) as wire:
                wire.send_raw(whole[:length])
        self.check_still_serves()

    def test_commands_out_of_order_are_never_answered_with_yes(self):
        """libmilter drops some of them without an answer."""
        with f.Wire(self.milter.socket) as wire:
            _, _, protocol, _ = wire.negotiate()
            wire.send_raw(HELLO + FROM)
            if protocol & (f.P_NORCPT | f.P_NR_RCPT):
                wire.send_raw(EOM)
            else:
                wire.send_raw(ABORT + TO)
            try:
                if wire.has_data(1.0):
                    self.assertIn(wire.receive()[0], REFUSALS)
            except f.MilterGone:
                pass
        self.check_still_serves()

    def test_ten_thousand_recipients_and_one_more(self):
        with f.Mta(self.milter.socket) as mta:
            self.assertTrue(mta.mail("a@sender.example").accepted)
            codes = {mta.rcpt(f"r{i}@elsewhere.example").code for i in range(10_001)}
            self.assertFalse(mta.failed, self.milter.log())
            self.assertLessEqual(codes, {250, 451, 452})
            self.assertIn(250, codes)
        self.check_still_serves()

    def test_a_header_of_two_megabytes(self):
        fields = b"".join(b"X-Long-%d: " % i + b"x" * 50_000 + b"\r\n" for i in range(42))
        with f.Mta(self.milter.socket) as mta:
            result = mta.send("a@sender.example", ["b@elsewhere.example"], fields + b"\r\nx\r\n")
            self.assertFalse(result.milter_failed, self.milter.log())
            self.assertEqual(result.accepted,
                             self.passes_too_much or mta.negotiated(f.P_NOHDRS), result.reply)
        self.check_still_serves()

    def test_twenty_thousand_header_fields(self):
        with f.Mta(self.milter.socket) as mta:
            result = mta.send("a@sender.example", ["b@elsewhere.example"],
                              b"X: y\r\n" * 20_000 + b"\r\nx\r\n")
            self.assertFalse(result.milter_failed, self.milter.log())
            self.assertEqual(result.accepted,
                             self.passes_too_much or mta.negotiated(f.P_NOHDRS), result.reply)
        self.check_still_serves()

    def test_many_mails_on_one_connection(self):
        with f.Mta(self.milter.socket) as mta:
            for i in range(20):
                result = mta.send(f"a{i}@sender.example", ["b@elsewhere.example"], MESSAGE)
                self.assertTrue(result.accepted, result)
            mta.mail("a@sender.example")
            mta.rcpt("b@elsewhere.example")
            mta.reset()
            self.assertTrue(mta.send("a@sender.example", ["b@elsewhere.example"],
                                     MESSAGE).accepted)

    def test_connections_that_say_nothing_do_not_stop_others(self):
        silent = [f.Wire(self.milter.socket) for _ in range(100)]
        for wire in silent[:50]:
            wire.negotiate()
        self.check_still_serves()
        for wire in silent:
            wire.close()

    def test_the_status_socket_survives_nonsense(self):
        self.assertIn("error", self.milter.ask("no such command"))
        try:
            self.milter.ask("x" * 100_000)
        except ConnectionResetError:
            pass  # closed before all of it was read
        self.assertEqual(self.milter.status()["state"], "running")


class Greylist(Violations, daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.apply(daemons.feed("acme.example"))
        self.milter = self.start("greylist")


class Virus(Violations, scan_test.ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.service(domains=daemons.feed("acme.example"))
        self.milter = self.start("virus")


class Spam(Violations, daemons.TestCase):
    passes_too_much = True

    def setUp(self):
        super().setUp()
        self.apply(daemons.feed("acme.example"))
        self.milter = self.start("spam")


if __name__ == "__main__":
    daemons.main()
