# SPDX-License-Identifier: GPL-2.0-or-later
"""Malformed sessions, made by chance: none of them kills or stops a milter.

    MXFEED_MALFORMED=10000 MXFEED_SEED=1 ctest --test-dir build/asan -R malformed

MXFEED_MALFORMED is the number of sessions for each milter.  Session i is made from the seed
and i alone: "session 17 of seed 1" can be made again.
"""

import os
import random
import socket
import struct

import daemons
import fake_mta as f
import fake_scan
import protocol_test as p

COUNT = int(os.environ.get("MXFEED_MALFORMED", "400"))
SEED = os.environ.get("MXFEED_SEED", "1")

COMMANDS = b"ABCDEHKLMNOQRTU"

# A good session of two messages, as packets (command, payload).
GOOD = [
    (f.OPTNEG, struct.pack("!III", 6, f.ALL_ACTIONS, f.ALL_PROTOCOL)),
    (f.MACRO, b"Cj\0mx.gateway.example\0v\0Postfix\0"),
    (f.CONNECT, f.connect_payload("[198.51.100.7]", "198.51.100.7")),
    (f.HELO, b"mail.sender.example\0"),
    *2 * [
        (f.MACRO, b"M{auth_authen}\0\0"),
        (f.MAIL, b"<a@sender.example>\0SIZE=100\0"),
        (f.MACRO, b"R{rcpt_addr}\0b@acme.example\0i\0" b"4C1\0"),
        (f.RCPT, b"<b@acme.example>\0"),
        (f.MACRO, b"R{rcpt_addr}\0b@grey.example\0i\0" b"4C1\0"),
        (f.RCPT, b"<b@grey.example>\0"),
        (f.MACRO, b"Ti\0" b"4C1\0"),
        (f.DATA, b""),
        (f.MACRO, b"N"),
        (f.HEADER, b"From\0 a@sender.example\0"),
        (f.HEADER, b"Subject\0 x\0"),
        (f.HEADER, b"Content-Type\0 multipart/mixed; boundary=b\0"),
        (f.EOH, b""),
        (f.BODY, b"--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b--\r\n"),
        (f.MACRO, b"Ei\0" b"4C1\0"),
        (f.BODYEOB, b""),
        (f.ABORT, b""),
    ],
    (f.QUIT, b""),
]


def noise(chance, most):
    """Bytes of which many are those that packets are made of."""
    return bytes(chance.choice((0, 0, 0x20, 0x3C, 0x40, chance.randrange(256),
                                chance.choice(COMMANDS)))
                 for _ in range(chance.randrange(most)))


def spoil_payload(chance, payload):
    at = chance.randrange(len(payload) + 1)
    return chance.choice([
        lambda: payload[:at],
        lambda: payload[:at] + noise(chance, 64) + payload[at:],
        lambda: payload.replace(b"\0", b""),
        lambda: payload.replace(b"\0", b"\0\0"),
        lambda: payload + b"\0" * chance.randrange(8),
        lambda: payload * chance.randrange(9),
        lambda: noise(chance, 2000),
        lambda: payload[:at] + bytes(chance.choice((100, 5000, 65_000))) + payload[at:],
    ])()


def spoil_packets(chance, packets):
    """One change; macros more often than the rest, since libmilter trusts them."""
    at = chance.randrange(len(packets))
    if chance.random() < 0.3:
        at = chance.choice([i for i, packet in enumerate(packets) if packet[0] == f.MACRO] or [at])
    command, payload = packets[at]

    def replace(*new):
        packets[at:at + 1] = new

    chance.choice([
        lambda: replace((command, spoil_payload(chance, payload))),
        lambda: replace((command, spoil_payload(chance, payload))),
        lambda: replace((bytes([chance.choice(COMMANDS)]), payload)),
        lambda: replace((bytes([chance.randrange(256)]), payload)),
        lambda: replace(),
        lambda: replace(*[(command, payload)] * chance.choice((2, 3, 50))),
        lambda: replace(packets[chance.randrange(len(packets))], (command, payload)),
        lambda: chance.shuffle(packets),
    ])()


def spoil_bytes(chance, data):
    at = chance.randrange(len(data) + 1)
    return chance.choice([
        lambda: data[:at],
        lambda: data[:at] + noise(chance, 300) + data[at:],
        lambda: data[:at] + struct.pack("!I", chance.choice(
            (0, 1, 65_535, 65_536, 65_537, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)))
        + data[at:],
        lambda: data[:at] + bytes([chance.randrange(256)]) + data[at + 1:],
        lambda: noise(chance, 3000),
    ])()


def session(number):
    """The bytes that are sent."""
    chance = random.Random(f"{SEED}/{number}")
    packets = list(GOOD)
    for _ in range(chance.choice((1, 1, 2, 5))):
        if packets:
            spoil_packets(chance, packets)
    data = b"".join(struct.pack("!I", len(payload) + 1) + command + payload
                    for command, payload in packets)
    return spoil_bytes(chance, data) if chance.random() < 0.4 else data


class Malformed:
    """The classes below make `milter`."""

    milter = None

    def play(self, data):
        """Sends it all and reads until the milter closes, which it must."""
        with f.Wire(self.milter.socket) as wire:
            try:
                wire.send_raw(data)
                wire.socket.shutdown(socket.SHUT_WR)
            except (f.MilterGone, OSError):
                pass  # closed before
            return wire.is_closed_within(f.DEFAULT_TIMEOUT)

    def test_none_kills_or_stops_it(self):
        for number in range(COUNT):
            where = f"session {number} of seed {SEED}"
            try:
                self.assertTrue(self.play(session(number)), f"{where}: it is left open")
            except OSError as error:
                self.fail(f"{where}: {error}\n{self.milter.log()[-3000:]}")
            if number % 100 == 99:
                self.assertTrue(self.milter.running, f"before {where}: {self.milter.log()}")
        with f.Mta(self.milter.socket) as mta:
            result = mta.send("a@sender.example", ["b@acme.example"], p.MESSAGE)
            self.assertFalse(result.milter_failed, self.milter.log()[-3000:])
            self.assertTrue(result.accepted, result)
        self.eventually(lambda: self.milter.metric("mxfeed_sessions") == 0, "all have ended")
        self.assertGreater(
            self.milter.metric('mxfeed_sessions_lost_total{reason="malformed_packet"}'), 0)


class Greylist(Malformed, daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.apply(p.DOMAINS)
        self.milter = self.start("greylist")


class Virus(Malformed, daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.apply(p.DOMAINS)
        scan = fake_scan.FakeScan(self.state / "scan" / "scan.sock")
        self.addCleanup(scan.close)
        self.milter = self.start("virus")


class Spam(Malformed, daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.apply(daemons.feed("acme.example", spam="{ enabled = true }")
                   + daemons.feed("grey.example"))
        self.milter = self.start("spam")


if __name__ == "__main__":
    daemons.main()
