# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed-recipients: asked as Postfix asks it, with a customer's server that it asks."""

import pathlib
import socket
import struct
import time

import daemons
import smtp_sink

DOMAIN = "acme.example"
UNKNOWN = "550 5.1.1 no such recipient"
TRY_AGAIN = "450 4.1.1 recipient cannot be verified at present, try again later"


def write_cdb(path, entries):
    """cdb(5), written by the book: apply refuses a route to a loopback address."""
    def digest(key):
        value = 5381
        for byte in key:
            value = ((value << 5) + value & 0xFFFFFFFF) ^ byte
        return value

    body, slots = bytearray(2048), [[] for _ in range(256)]
    for key, value in entries:
        slots[digest(key) & 255].append((digest(key), len(body)))
        body += struct.pack("<II", len(key), len(value)) + key + value
    head = bytearray()
    for table in slots:
        head += struct.pack("<II", len(body), 2 * len(table))
        places = [(0, 0)] * (2 * len(table))
        for hashed, at in table:
            slot = (hashed >> 8) % len(places)
            while places[slot][1]:
                slot = (slot + 1) % len(places)
            places[slot] = (hashed, at)
        body += b"".join(struct.pack("<II", *place) for place in places)
    body[:2048] = head
    pathlib.Path(path).write_bytes(body)


class RecipientsTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.sink = smtp_sink.Sink("127.0.0.1", 0)
        self.boxes = smtp_sink.Mailboxes(f"info@{DOMAIN}", f"postmaster@{DOMAIN}")
        self.sink.answers = self.boxes
        self.sink.up()
        self.addCleanup(self.sink.down)
        self.apply(daemons.feed(DOMAIN) + daemons.feed("paused.example", state='"paused"'))
        self.route(f"mxfeed-relay:[127.0.0.1]:{self.sink.port}")
        self.recipients = self.daemon(
            "recipients", listen=f"unix:{self.directory}/recipients.sock").start()

    def route(self, value):
        write_cdb(self.state / "current" / "transport.cdb", [
            (DOMAIN.encode(), value.encode()),
            (b"paused.example", b"lmtp:unix:mxfeed/delivery-paused-by-the-operator")])

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.settimeout(30)
        client.connect(f"{self.directory}/recipients.sock")
        return client

    @staticmethod
    def request(recipient, context="", request="smtpd_access_policy"):
        return (f"request={request}\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
                f"sender=a@sender.example\nrecipient={recipient}\ninstance=1.2.3\n"
                f"policy_context={context}\n\n").encode()

    @staticmethod
    def reply(client):
        received = b""
        while not received.endswith(b"\n\n"):
            piece = client.recv(4096)
            if not piece:
                return None
            received += piece
        return received.decode().removeprefix("action=").strip()

    def ask(self, recipient, context="", **more):
        client = self.connect()
        client.sendall(self.request(recipient, context, **more))
        return self.reply(client)

    def test_the_server_decides_and_is_asked_once(self):
        for _ in range(2):
            self.assertEqual(self.ask(f"info@{DOMAIN}"), "DUNNO")
            self.assertEqual(self.ask(f"nobody@{DOMAIN}"), UNKNOWN)
        self.assertEqual(self.boxes.asked.count(f"info@{DOMAIN}"), 1)
        self.assertEqual(self.boxes.asked.count(f"nobody@{DOMAIN}"), 1)
        self.assertEqual(self.sink.received(), [])
        self.assertEqual(
            len(self.recipients.log_lines("recipients=refuse reason=refused", "Unknown here")), 1)

    def test_upper_case_is_the_same_recipient(self):
        self.assertEqual(self.ask(f"info@{DOMAIN}"), "DUNNO")
        self.assertEqual(self.ask(f"INFO@{DOMAIN.upper()}"), "DUNNO")
        self.assertEqual(self.boxes.asked.count(f"INFO@{DOMAIN}"), 0)

    def test_many_requests_on_one_connection(self):
        client = self.connect()
        client.sendall(self.request(f"info@{DOMAIN}") + self.request(f"nobody@{DOMAIN}"))
        received = b""
        while received.count(b"\n\n") < 2:
            received += client.recv(4096)
        self.assertEqual(received.decode(), f"action=DUNNO\n\naction={UNKNOWN}\n\n")

    def test_a_catch_all_is_asked_about_nobody_more(self):
        self.sink.answers = {}
        self.assertEqual(self.ask(f"anybody@{DOMAIN}"), "DUNNO")
        self.sink.down()
        self.assertEqual(self.ask(f"somebody@{DOMAIN}", "defer"), "DUNNO")
        self.assertEqual(len(self.recipients.log_lines("reason=catch_all")), 2)

    def test_a_server_that_refuses_everybody_is_not_believed(self):
        self.boxes.known.clear()
        self.assertEqual(self.ask(f"info@{DOMAIN}"), TRY_AGAIN)
        self.assertEqual(len(self.recipients.log_lines("reason=refuses_all")), 1)

    def test_a_server_that_refuses_the_null_sender_is_not_asked_again(self):
        self.boxes["mail"] = "550 5.7.1 No null senders"
        for _ in range(2):
            self.assertEqual(self.ask(f"nobody@{DOMAIN}", "defer"), "DUNNO")
        self.assertEqual(self.boxes.asked, [])

    def test_a_temporary_reply_is_a_temporary_reply(self):
        self.boxes[f"info@{DOMAIN}"] = "450 4.2.0 Busy"
        self.assertEqual(self.ask(f"info@{DOMAIN}"), TRY_AGAIN)
        self.assertEqual(self.boxes.asked.count(f"info@{DOMAIN}"), 1)

    def test_a_server_that_is_busy_is_not_down(self):
        self.boxes["connect"] = "421 4.3.2 Too many connections"
        self.assertEqual(self.ask(f"nobody@{DOMAIN}"), TRY_AGAIN)
        del self.boxes["connect"]
        self.assertEqual(self.ask(f"other@{DOMAIN}"), UNKNOWN)

    def test_an_outage(self):
        self.assertEqual(self.ask(f"info@{DOMAIN}"), "DUNNO")
        self.assertEqual(self.ask(f"nobody@{DOMAIN}"), UNKNOWN)
        self.sink.down()
        for context in ("defer", ""):
            self.assertEqual(self.ask(f"info@{DOMAIN}", context), "DUNNO")
            self.assertEqual(self.ask(f"nobody@{DOMAIN}", context), UNKNOWN)
        self.assertEqual(self.ask(f"new@{DOMAIN}", "defer"), TRY_AGAIN)
        self.assertEqual(self.ask(f"new@{DOMAIN}"), "DUNNO")
        # Another daemon knows it too.
        self.recipients.stop()
        self.recipients.start()
        self.assertEqual(self.ask(f"info@{DOMAIN}", "defer"), "DUNNO")
        self.sink.up()
        self.eventually(lambda: self.ask(f"new@{DOMAIN}") == UNKNOWN, "the server is up", 60)
        self.assertEqual(self.ask(f"new@{DOMAIN}", "defer"), UNKNOWN)

    def test_a_server_that_hangs_delays_nobody_longer_than_its_time(self):
        hanging = socket.socket()
        self.addCleanup(hanging.close)
        hanging.bind(("127.0.0.1", 0))
        hanging.listen(64)
        self.route(f"mxfeed-relay:[127.0.0.1]:{hanging.getsockname()[1]}")
        self.recipients.ask("reload")
        begin = time.monotonic()
        clients = []
        for number in range(50):
            clients.append(self.connect())
            clients[-1].sendall(self.request(f"new{number % 2}@{DOMAIN}"))
        for client in clients:
            self.assertEqual(self.reply(client), "DUNNO")
        self.assertLess(time.monotonic() - begin, 12)
        begin = time.monotonic()
        self.assertEqual(self.ask(f"new3@{DOMAIN}"), "DUNNO")
        self.assertLess(time.monotonic() - begin, 2)

    def test_a_delivery_makes_an_address_known(self):
        self.sink.down()
        self.assertEqual(self.ask(f"new@{DOMAIN}", "defer"), TRY_AGAIN)
        self.assertEqual(self.ask(f"new@{DOMAIN}", request="mxfeed_delivered"), "DUNNO")
        self.eventually(lambda: self.ask(f"new@{DOMAIN}", "defer") == "DUNNO", "it is known")
        self.assertEqual(len(self.recipients.log_lines("reason=delivered")), 1)

    def test_a_domain_without_a_server_follows_the_rule(self):
        self.assertEqual(self.ask("info@paused.example"), "DUNNO")
        self.assertEqual(self.ask("info@paused.example", "defer"), TRY_AGAIN)
        self.assertEqual(len(self.recipients.log_lines("reason=no_server")), 2)

    def test_damaged_routes_do_not_keep_it_from_starting(self):
        self.recipients.stop()
        (self.state / "current" / "transport.cdb").write_bytes(b"damaged")
        self.recipients.start()
        self.assertEqual(self.ask(f"new@{DOMAIN}"), "DUNNO")
        self.route(f"mxfeed-relay:[127.0.0.1]:{self.sink.port}")
        self.recipients.ask("reload")
        self.assertEqual(self.ask(f"nobody@{DOMAIN}"), UNKNOWN)

    def test_an_address_that_cannot_exist_is_refused(self):
        self.assertEqual(self.ask("info@[192.0.2.1]"), UNKNOWN)
        self.assertEqual(self.ask(""), "DUNNO")

    def test_a_malformed_request_ends_its_connection_only(self):
        bad = self.connect()
        bad.sendall(b"nonsense\n\n")
        self.assertEqual(bad.recv(10), b"")
        endless = self.connect()
        with self.assertRaises(OSError):
            for _ in range(1000):
                endless.sendall(b"x" * 4096)
        self.assertEqual(self.ask(f"info@{DOMAIN}"), "DUNNO")
        self.assertEqual(self.recipients.metric("mxfeed_recipients_malformed_total"), 2)

    def test_a_dictionary_attack_is_put_off(self):
        answers = []
        clients = []
        for number in range(200):
            clients.append(self.connect())
            clients[-1].sendall(self.request(f"guess{number}@{DOMAIN}"))
        answers = [self.reply(client) for client in clients]
        self.assertEqual(set(answers), {UNKNOWN, TRY_AGAIN})
        self.assertNotIn("DUNNO", answers)
        self.assertLess(len(self.boxes.asked), 150)

    def test_a_question_that_waits_is_answered_before_the_end(self):
        hanging = socket.socket()
        self.addCleanup(hanging.close)
        hanging.bind(("127.0.0.1", 0))
        hanging.listen(8)
        self.route(f"mxfeed-relay:[127.0.0.1]:{hanging.getsockname()[1]}")
        self.recipients.ask("reload")
        client = self.connect()
        client.sendall(self.request(f"new@{DOMAIN}"))
        self.eventually(lambda: self.recipients.status()["waiting"] == "1", "a question")
        self.recipients.stop()
        self.assertEqual(self.reply(client), "DUNNO")


if __name__ == "__main__":
    daemons.main()
