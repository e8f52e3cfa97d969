# SPDX-License-Identifier: GPL-2.0-or-later
"""fake_mta does what Postfix does, shown with a scripted milter at the other end."""

import socket
import struct
import threading
import unittest

import daemons
import fake_mta as f

MESSAGE = b"Subject: a\r\n b\r\nX-Dup: one\r\nX-Dup: two\r\n\r\nbody\r\n"


class Milter(threading.Thread):
    """Negotiates `protocol` and answers commands from a table; notes what it was sent."""

    def __init__(self, answers=None, actions=f.ALL_ACTIONS, protocol=0, macros=b""):
        super().__init__(daemon=True)
        self.answers = answers or {}
        self.options = struct.pack("!III", 6, actions, protocol) + macros
        self.seen = []
        self.here, self.there = socket.socketpair()
        self.start()

    def run(self):
        stream = self.here.makefile("rwb")
        while head := stream.read(5):
            (length,) = struct.unpack("!I", head[:4])
            command, payload = head[4:5], stream.read(length - 1)
            self.seen.append((command, payload))
            if command == f.QUIT:
                break
            if command == f.OPTNEG:
                answers = [(f.OPTNEG, self.options)]
            elif command in (f.MACRO, f.ABORT):
                answers = []
            else:
                answers = self.answers.get(command, [(f.CONTINUE, b"")])
            for reply, data in answers:
                stream.write(struct.pack("!I", len(data) + 1) + reply + data)
            stream.flush()
        stream.close()
        self.here.close()

    def commands(self):
        return b"".join(command for command, _ in self.seen if command != f.MACRO)


class PairedWire(f.Wire):
    """A Wire over one end of a socket pair."""

    def __init__(self, paired, timeout):  # pylint: disable=super-init-not-called
        self.socket = paired
        self.socket.settimeout(timeout)
        self._pending = b""


class FakeMtaTest(unittest.TestCase):
    def mta(self, milter, **options):
        wire, f.Wire = f.Wire, PairedWire
        try:
            mta = f.Mta(milter.there, **options)
        finally:
            f.Wire = wire
        self.addCleanup(mta.close)
        return mta

    def run_one(self, recipients=("r@x.example",), **options):
        milter = Milter(**options)
        mta = self.mta(milter)
        result = mta.send("s@x.example", recipients, MESSAGE)
        mta.close()
        milter.join(10)
        return milter, result

    def test_everything_is_sent_in_order(self):
        milter, result = self.run_one()
        self.assertEqual(milter.commands(), b"OCHMRTLLLNBEAQ")
        self.assertEqual(result.message, MESSAGE)
        self.assertTrue(result.accepted, result)

    def test_what_was_negotiated_away_is_not_sent(self):
        milter, _ = self.run_one(protocol=f.P_NOHELO | f.P_NOHDRS | f.P_NOEOH | f.P_NOBODY
                                 | f.P_NODATA | f.P_NOMAIL | f.P_NOCONNECT)
        self.assertEqual(milter.commands(), b"OREAQ")

    def test_no_answer_is_awaited_where_none_comes(self):
        _, result = self.run_one(
            answers={f.MAIL: [], f.HEADER: [], f.EOH: [], f.BODY: []},
            protocol=f.P_NR_MAIL | f.P_NR_HDR | f.P_NR_EOH | f.P_NR_BODY)
        self.assertTrue(result.accepted, result)

    def test_an_answer_where_none_may_come_is_an_error(self):
        milter = Milter(protocol=f.P_NR_MAIL)
        mta = self.mta(milter)
        mta.send("s@x.example", ["r@x.example"], MESSAGE)
        if not mta.failed:
            with self.assertRaises(f.ProtocolError):
                mta.close()

    def test_recipients_are_answered_each(self):
        _, result = self.run_one(answers={f.RCPT: [(f.REPLYCODE, b"450 4.7.1 50%% off\0")]})
        self.assertEqual(result.recipients, ["450 4.7.1 50% off"])
        self.assertEqual(result.recipients[0].enhanced, "4.7.1")
        self.assertIsNone(result.data)

    def test_header_indexes_are_live(self):
        change = struct.pack("!I", 1) + b"X-Dup\0\0"
        milter, result = self.run_one(answers={f.BODYEOB: [
            (f.PROGRESS, b""), (f.CHGHEADER, change), (f.CHGHEADER, change),
            (f.INSHEADER, struct.pack("!I", 0) + b"X-A\0a\0"), (f.ADDHEADER, b"X-Z\0z\0"),
            (f.QUARANTINE, b"why\0"), (f.CONTINUE, b"")]})
        self.assertEqual(milter.commands(), b"OCHMRTLLLNBEAQ")
        self.assertEqual(result.message, b"X-A: a\r\nSubject: a\r\n b\r\nX-Z: z\r\n\r\nbody\r\n")
        self.assertEqual(result.quarantined, "why")

    def test_an_action_that_was_not_negotiated_is_an_error(self):
        _, result = self.run_one(actions=0, answers={
            f.BODYEOB: [(f.ADDHEADER, b"X\0y\0"), (f.CONTINUE, b"")]})
        self.assertIn("not negotiated", result.milter_failed)

    def test_a_lost_milter_is_answered_for_on_the_whole_connection(self):
        milter = Milter(answers={f.RCPT: [(f.REPLYCODE, b"250 not a refusal\0")]})
        mta = self.mta(milter)
        for _ in range(2):
            self.assertEqual(mta.send("s@x", ["r@x"], MESSAGE).reply.code, 451)
        self.assertTrue(mta.failed)

    def test_discard_and_skip_end_the_content(self):
        milter, result = self.run_one(answers={f.HEADER: [(f.DISCARD, b"")]})
        self.assertTrue(result.discarded)
        self.assertTrue(result.accepted)
        self.assertEqual(milter.commands(), b"OCHMRTLAQ")
        _, result = self.run_one(protocol=f.P_SKIP, answers={f.BODY: [(f.SKIP, b"")]})
        self.assertTrue(result.accepted)

    def test_the_macros_asked_for_are_sent(self):
        milter, _ = self.run_one(macros=struct.pack("!I", 3) + b"i {rcpt_addr}\0",
                                 recipients=["a@x", "b@x"])
        macros = [data for command, data in milter.seen if command == f.MACRO]
        self.assertIn(b"R{rcpt_addr}\0a@x\0", macros)  # no queue id at the first recipient
        self.assertTrue(any(data.startswith(b"Ri\0") for data in macros), macros)


if __name__ == "__main__":
    daemons.main()
