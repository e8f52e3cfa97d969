# SPDX-License-Identifier: GPL-2.0-or-later
"""Violations of the milter protocol.

The same list runs against every milter.  Each row is an orderly beginning, to which the
milter says yes, and what goes on with the violation; the row says how that may be answered:

    PROCEEDS  as a good mail is: it is no violation, or one that loses nothing
    EITHER    as a good mail is, or refused from some step on
    REFUSES   with temporary or permanent refusals or not at all; what came out of order or
              in part is never accepted (libmilter drops such commands without an answer, and
              the mail server's timeout answers for the milter)
    CLOSES    by closing the connection, perhaps after a refusal: nothing on it makes sense
              any more, and a mail server that waits is not left waiting

An accepted message has been seen whole: mxfeed-virus has put its verdict into the header.  No
milter fails open here, as the two do that pass mail at faults of their own: these are the mail
server's.  Whatever comes, the milter goes on serving, and never crashes.

What a milter negotiated away may be sent all the same; libmilter takes it.
"""

import dataclasses
import socket
import struct

import daemons
import fake_mta as f
import scan_service

PROCEEDS, EITHER, REFUSES, CLOSES = "proceeds", "either", "refuses", "closes"
ACCEPTS = "accepts"  # it leaves the message alone

REFUSALS = {f.TEMPFAIL, f.REJECT, f.REPLYCODE, f.SHUTDOWN, f.CONN_FAIL}
YES = {f.CONTINUE, f.ACCEPT}
EDITS = {f.ADDHEADER, f.INSHEADER, f.CHGHEADER}
MESSAGE = b"From: a@sender.example\r\nSubject: x\r\n\r\nbody\r\n"


def packet(command, payload=b""):
    return struct.pack("!I", len(payload) + 1) + command + payload


def negotiation(version, actions, protocol, more=b""):
    return packet(f.OPTNEG, struct.pack("!III", version, actions, protocol) + more)


def rcpt(address):
    return packet(f.RCPT, address + b"\0")


def header(name=b"Subject", value=b" x"):
    return packet(f.HEADER, name + b"\0" + value + b"\0")


def macro(payload=b""):
    return packet(f.MACRO, payload)


def connect(payload):
    return packet(f.CONNECT, payload)


OPTIONS = negotiation(6, f.ALL_ACTIONS, f.ALL_PROTOCOL)
HELO = packet(f.HELO, b"mail.sender.example\0")
HELLO = connect(f.connect_payload("[198.51.100.7]", "198.51.100.7")) + HELO
FROM = packet(f.MAIL, b"<a@sender.example>\0")
TO = rcpt(b"<b@acme.example>")
EOH, EOM, DATA, ABORT, QUIT, QUIT_NC = (
    packet(c) for c in (f.EOH, f.BODYEOB, f.DATA, f.ABORT, f.QUIT, f.QUIT_NC))
BODY = packet(f.BODY, b"body\r\n")

# A whole mail, after HELLO, and its parts.
HEAD = header() + EOH
CONTENT = HEAD + BODY + EOM
LETTER = DATA + CONTENT
MAIL = FROM + TO + LETTER
OPEN = HELLO + FROM + TO

DOMAINS = daemons.feed("acme.example", greylist="false") + daemons.feed("grey.example")


@dataclasses.dataclass(frozen=True)
class Row:
    before: bytes  # in order; every answer is a yes
    after: bytes  # the violation, and how it goes on
    answer: str  # to `after`
    greylist: str = ""  # the answer of mxfeed-greylist, where it is another one
    virus: str = ""
    spam: str = ""

    def answer_of(self, milter):
        return getattr(self, milter) or self.answer


# What is sent after a good negotiation, by name.
AFTER_NEGOTIATION = {
    # Out of order.  A mail that is begun anew loses the one before and nothing else; so does a
    # client that is not told of, of whom greylisting then knows no address.
    "second negotiation": Row(b"", OPTIONS + HELLO + MAIL, EITHER),
    "second negotiation in a mail": Row(HELLO + FROM, OPTIONS + TO + LETTER, REFUSES),
    "mail before connect": Row(b"", MAIL, EITHER),
    "connect twice": Row(HELLO, HELLO + MAIL, EITHER),
    "connect in a mail": Row(OPEN, HELLO + LETTER, REFUSES),
    "helo in a mail": Row(OPEN, HELO + LETTER, REFUSES),
    "helo in the header": Row(OPEN + DATA + header(), HELO + EOH + BODY + EOM, REFUSES),
    "rcpt before mail": Row(HELLO, TO + LETTER, REFUSES),
    "data before mail": Row(HELLO, LETTER, REFUSES),
    "header before mail": Row(HELLO, CONTENT, REFUSES),
    "body before mail": Row(HELLO, BODY + EOM, REFUSES),
    "end before mail": Row(HELLO, EOM, REFUSES),
    "data before rcpt": Row(HELLO + FROM, LETTER, REFUSES),
    "header before rcpt": Row(HELLO + FROM, CONTENT, REFUSES),
    "body before rcpt": Row(HELLO + FROM, BODY + EOM, REFUSES),
    "end before rcpt": Row(HELLO + FROM, EOM, REFUSES),
    "data twice": Row(OPEN + DATA, LETTER, REFUSES),
    "data after body": Row(OPEN + HEAD + BODY, DATA + EOM, REFUSES),
    "header after its end": Row(OPEN + HEAD, header() + BODY + EOM, REFUSES),
    "header after body": Row(OPEN + HEAD + BODY, header() + EOM, REFUSES),
    "rcpt after data": Row(OPEN + DATA, TO + CONTENT, REFUSES),
    "rcpt after header": Row(OPEN + header(), TO + EOH + BODY + EOM, REFUSES),
    "rcpt after body": Row(OPEN + HEAD + BODY, TO + EOM, REFUSES),
    "mail after mail": Row(HELLO + FROM, MAIL, EITHER),
    "mail after rcpt": Row(OPEN, FROM + LETTER, REFUSES),
    "mail after body": Row(OPEN + HEAD + BODY, FROM + EOM, REFUSES),
    "mail between two bodies": Row(OPEN + HEAD + BODY, FROM + BODY + EOM, REFUSES),
    "end after end": Row(HELLO + MAIL, EOM, REFUSES),
    "body after end": Row(HELLO + MAIL, BODY + EOM, REFUSES),
    "header after end": Row(HELLO + MAIL, CONTENT, REFUSES),
    "rcpt after end": Row(HELLO + MAIL, TO + LETTER, REFUSES),
    "rcpt after abort": Row(HELLO + FROM + ABORT, TO + LETTER, REFUSES),
    "header after abort": Row(OPEN + ABORT, CONTENT, REFUSES),
    "body after abort": Row(OPEN + HEAD + ABORT, BODY + EOM, REFUSES),
    "end after abort": Row(OPEN + HEAD + BODY + ABORT, EOM, REFUSES),

    # Postfix does this.
    "no helo": Row(b"", connect(b"x\0U") + MAIL, PROCEEDS),
    **{f"abort after {name}": Row(HELLO + steps, ABORT + MAIL, PROCEEDS) for name, steps in {
        "helo": b"", "mail": FROM, "rcpt": FROM + TO, "data": FROM + TO + DATA,
        "header": FROM + TO + header(), "header and data": FROM + TO + DATA + header(),
        "end of header": FROM + TO + HEAD, "body": FROM + TO + HEAD + BODY, "end": MAIL,
    }.items()},

    # No packets, or none that is known.
    "unknown command": Row(HELLO, packet(b"z", b"?") + MAIL, CLOSES),
    "unknown command in a mail": Row(OPEN, packet(b"z", b"?") + LETTER, CLOSES),
    "command of the reply alphabet": Row(
        HELLO, packet(b"y", b"450 4.7.1 x\0") + MAIL, CLOSES),
    "length zero": Row(HELLO, struct.pack("!I", 0) + MAIL, CLOSES),
    "length of a gigabyte": Row(HELLO, struct.pack("!I", 1 << 30) + b"M" + MAIL, CLOSES),
    "length of four gigabytes": Row(
        HELLO, struct.pack("!I", 0xFFFFFFFF) + b"M" + MAIL, CLOSES),
    "length beyond the limit": Row(
        OPEN + HEAD, packet(f.BODY, b"x" * 100_000) + EOM, CLOSES),
    "garbage": Row(b"", bytes(range(256)) * 16, CLOSES),
    "text": Row(b"", b"EHLO mail.sender.example\r\nMAIL FROM:<a@sender.example>\r\n", CLOSES),

    # The mail server is gone in the middle.
    "a packet cut in its length": Row(OPEN, b"\0\0", REFUSES),
    "a packet cut in its body": Row(HELLO, struct.pack("!I", 100) + b"M<a@", REFUSES),
    "a body cut": Row(OPEN + HEAD, struct.pack("!I", 100) + b"Bbody", REFUSES),
    "an end cut": Row(OPEN + HEAD + BODY, EOM[:-1], REFUSES),
    "quit at once": Row(b"", QUIT + HELLO + MAIL, CLOSES),
    "quit in a mail": Row(OPEN, QUIT + LETTER, CLOSES),
    "quit in the header": Row(OPEN + DATA + header(), QUIT + EOH + BODY + EOM, CLOSES),
    "quit before the end": Row(OPEN + HEAD + BODY, QUIT + EOM, CLOSES),
    "new connection on this one": Row(HELLO + MAIL, QUIT_NC + HELLO + MAIL, EITHER),
    "new connection in a mail": Row(OPEN, QUIT_NC + LETTER, REFUSES),

    # Packets with a content that makes no sense.
    "connect without argument": Row(b"", connect(b"") + MAIL, CLOSES),
    "connect without family": Row(b"", connect(b"host\0") + MAIL, CLOSES),
    "connect with an unknown family": Row(b"", connect(b"host\0Zxx1.2.3.4\0") + MAIL, CLOSES),
    "connect with a bad address": Row(
        b"", connect(b"host\0" + b"4\0\x19no address\0") + MAIL, CLOSES),
    "connect cut in the port": Row(b"", connect(b"host\0" + b"4\0") + MAIL, CLOSES),
    "mail without argument": Row(HELLO, packet(f.MAIL) + TO + LETTER, CLOSES),
    "mail without NUL": Row(
        HELLO, packet(f.MAIL, b"<a@sender.example>") + TO + LETTER, CLOSES),
    "mail with an empty argument": Row(HELLO, packet(f.MAIL, b"\0") + TO + LETTER, EITHER),
    "rcpt without argument": Row(HELLO + FROM, packet(f.RCPT) + LETTER, CLOSES),
    "rcpt without NUL": Row(
        HELLO + FROM, packet(f.RCPT, b"<b@acme.example>") + LETTER, CLOSES),
    "header without argument": Row(OPEN, packet(f.HEADER) + EOH + BODY + EOM, CLOSES),
    "header without NUL": Row(
        OPEN, packet(f.HEADER, b"Subject") + EOH + BODY + EOM, CLOSES),
    "header without value": Row(
        OPEN, packet(f.HEADER, b"Subject\0") + EOH + BODY + EOM, CLOSES),
    "macro without a command": Row(HELLO, macro() + MAIL, CLOSES),

    # Odd, and the client's to choose.  A recipient is what Postfix makes of it.
    "rcpt that is no address": Row(
        HELLO + FROM, rcpt(b"<\xff\x80@@<<>") + LETTER, PROCEEDS, spam=ACCEPTS),
    "rcpt with a second argument": Row(
        HELLO + FROM, rcpt(b"<b@acme.example>\0@@<<") + LETTER, PROCEEDS),
    "rcpt of 60 kB": Row(
        HELLO + FROM, rcpt(b"<" + b"b" * 60_000 + b"@acme.example>") + LETTER, PROCEEDS),
    "header with an empty name": Row(
        HELLO + FROM, TO + DATA + header(b"", b"") + EOH + BODY + EOM, EITHER),
    "header with an empty value": Row(
        HELLO + FROM, TO + DATA + header(b"Subject", b"") + EOH + BODY + EOM, PROCEEDS),
    "header with control bytes": Row(
        HELLO + FROM, TO + DATA + header(b"\x01\xff", b"\r\n\x80") + EOH + BODY + EOM, PROCEEDS),
    "no header and no body": Row(HELLO + FROM, TO + DATA + EOH + EOM, PROCEEDS),

    # Odd macros.
    "macro for an unknown command": Row(HELLO, macro(b"\xffi\0x\0") + MAIL, EITHER),
    "macro cut in its name": Row(HELLO, macro(b"Mi") + MAIL, EITHER),

    # None of it leads past greylisting.
    "greylisted rcpt": Row(
        HELLO + FROM, rcpt(b"<b@grey.example>"), EITHER, greylist=REFUSES),
    "greylisted rcpt of 60 kB": Row(
        HELLO + FROM, rcpt(b"<" + b"b" * 60_000 + b"@grey.example>"), EITHER, greylist=REFUSES),
    "greylisted rcpt and a login cut in its name": Row(
        HELLO, macro(b"M{auth_authen}") + FROM + rcpt(b"<b@grey.example>"), EITHER,
        greylist=REFUSES),
    # It is answered at DATA.
    "greylisted rcpt from an empty sender": Row(
        HELLO, packet(f.MAIL, b"\0") + rcpt(b"<b@grey.example>"), EITHER),
}

# What is sent instead of a negotiation; HELLO and a mail come after it.
INSTEAD_OF_NEGOTIATION = {
    "nothing": Row(b"", b"", REFUSES),
    "a mail": Row(b"", MAIL, REFUSES),
    "an empty negotiation": Row(b"", packet(f.OPTNEG), CLOSES),
    "a short negotiation": Row(b"", packet(f.OPTNEG, b"\0\0\0\6"), CLOSES),
    "version 0": Row(b"", negotiation(0, 0, 0), CLOSES),
    "version 1": Row(b"", negotiation(1, 0xFF, 0xFF), CLOSES),
    "version 99": Row(b"", negotiation(99, 0xFFFFFFFF, 0xFFFFFFFF), PROCEEDS),
    # The others have to edit headers.
    "nothing offered": Row(b"", negotiation(6, 0, 0), CLOSES, greylist=PROCEEDS),
    "a long negotiation": Row(b"", negotiation(6, 0x1FF, 0x1FFFFF, b"x" * 900), PROCEEDS),
}


def kinds(replies):
    """Of what kind each is, edits left out."""
    return [kind for kind, _ in replies if kind not in EDITS]


class Violations:
    """The list; the classes below name the daemon."""

    name = ""  # of the milter
    milter = None  # made by setUp()
    verdict = None  # the reply without which no message is accepted
    passes_too_much = False  # what becomes of mail above a limit

    def check_still_serves(self):
        """A good transaction gets a sensible answer, and the same process gives it."""
        self.assertTrue(self.milter.running, self.milter.log())
        with f.Mta(self.milter.socket) as mta:
            self.assertFalse(mta.failed)
            result = mta.send("a@sender.example", ["b@elsewhere.example"], MESSAGE)
            self.assertFalse(result.milter_failed, self.milter.log())
            self.assertTrue(result.recipients[0].accepted, result)

    def play(self, data, hang_up=True):
        """Sends the bytes and returns the replies until the milter closes, which it has to,
        and all of which must be packets.  With `hang_up` the sending side ends first, so that
        it may close for that."""
        with f.Wire(self.milter.socket) as wire:
            replies = []
            try:
                wire.send_raw(data)
                if hang_up:
                    wire.socket.shutdown(socket.SHUT_WR)
            except (f.MilterGone, OSError):
                pass  # closed before all was sent; what it said can still be read
            try:
                while True:
                    replies.append(wire.receive())
            except f.MilterGone:
                return replies
            except TimeoutError:
                self.fail(f"neither answers nor closes, after {kinds(replies)}")

    def good_answers(self):
        """The kinds of the replies to a mail in order, without edits."""
        good = kinds(self.play(OPTIONS + HELLO + MAIL)[1:])
        self.assertLessEqual(set(good), YES)
        return good

    def check_answer(self, answer, replies, good):
        """Whether the replies, which are those to a violation, are what the row says."""
        said = kinds(replies)
        self.assertLessEqual(set(said), YES | REFUSALS)
        if answer in (REFUSES, CLOSES):
            self.assertLessEqual(set(said), REFUSALS)
            self.assertFalse(EDITS & {kind for kind, _ in replies}, replies)
            return
        yes = said[:next((i for i, kind in enumerate(said) if kind in REFUSALS), len(said))]
        if answer == ACCEPTS:
            self.assertEqual(said, [f.ACCEPT])
        elif answer == PROCEEDS:
            self.assertEqual(yes, said)
            self.assertEqual(yes[-len(good):], good)
        else:
            self.assertEqual(yes, good[:len(yes)])
            self.assertLessEqual(set(said[len(yes):]), REFUSALS)
        if self.verdict and yes[-len(good):] == good:
            self.assertIn(self.verdict, replies, "accepted unseen")

    def test_each_violation_after_the_negotiation(self):
        good = self.good_answers()
        for name, row in AFTER_NEGOTIATION.items():
            with self.subTest(name):
                answer = row.answer_of(self.name)
                begun = self.play(OPTIONS + row.before)
                self.assertLessEqual(set(kinds(begun[1:])), YES)
                replies = self.play(OPTIONS + row.before + row.after, answer != CLOSES)
                self.assertEqual(kinds(replies[:len(begun)]), kinds(begun))
                self.check_answer(answer, replies[len(begun):], good)
                self.assertTrue(self.milter.running, self.milter.log())
        self.check_still_serves()

    def test_each_violation_in_place_of_the_negotiation(self):
        good = self.good_answers()
        for name, row in INSTEAD_OF_NEGOTIATION.items():
            with self.subTest(name):
                answer = row.answer_of(self.name)
                replies = self.play(row.after + HELLO + MAIL, answer != CLOSES)
                if answer == PROCEEDS:
                    kind, options = replies.pop(0)
                    self.assertEqual(kind, f.OPTNEG)
                    self.assertEqual(struct.unpack("!I", options[:4]), (6,))
                self.check_answer(answer, replies, good)
                self.assertTrue(self.milter.running, self.milter.log())
        self.check_still_serves()

    def test_a_good_dialog_cut_at_every_byte(self):
        whole = OPTIONS + HELLO + FROM + TO + DATA + header() + EOH + BODY + EOM
        for length in range(len(whole)):
            with f.Wire(self.milter.socket) as wire:
                wire.send_raw(whole[:length])
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
        except (ConnectionResetError, BrokenPipeError):
            pass  # closed before all of it was read
        self.assertEqual(self.milter.status()["state"], "running")


class Greylist(Violations, daemons.TestCase):
    name = "greylist"

    def setUp(self):
        super().setUp()
        self.apply(DOMAINS)
        self.milter = self.start("greylist")


class Virus(Violations, scan_service.ServiceTestCase):
    name = "virus"
    verdict = (f.ADDHEADER, b"X-Mxfeed-Virus\0 clean\0")

    def setUp(self):
        super().setUp()
        # All of it is scanned.
        self.service(domains=DOMAINS, gateway="[postfix]\ndedicated = true\n")
        self.milter = self.start("virus")


class Spam(Violations, daemons.TestCase):
    name = "spam"
    passes_too_much = True

    def setUp(self):
        super().setUp()
        # All of it is looked at.
        self.apply(DOMAINS, "[postfix]\ndedicated = true\n")
        self.milter = self.start("spam")


if __name__ == "__main__":
    daemons.main()
