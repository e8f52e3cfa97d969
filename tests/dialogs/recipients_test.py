# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed-recipients: asked as Postfix asks it, with a customer's server that it asks."""

import pathlib
import socket
import struct
import time

import daemons
import redis_server
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


class TestCase(daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.sink = smtp_sink.Sink("127.0.0.1", 0)
        self.boxes = smtp_sink.Mailboxes(f"info@{DOMAIN}", f"postmaster@{DOMAIN}")
        self.sink.answers = self.boxes
        self.sink.up()
        self.addCleanup(self.sink.down)

    def connect(self, to=None):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.settimeout(30)
        client.connect((to or self.recipients).socket.removeprefix("unix:"))
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

    def ask(self, recipient, context="", to=None, **more):
        client = self.connect(to)
        client.sendall(self.request(recipient, context, **more))
        return self.reply(client)

class RecipientsTest(TestCase):
    def setUp(self):
        super().setUp()
        self.apply(daemons.feed(DOMAIN) + daemons.feed("paused.example", state='"paused"'))
        self.route(f"mxfeed-relay:[127.0.0.1]:{self.sink.port}")
        self.recipients = self.daemon(
            "recipients", listen=f"unix:{self.directory}/recipients.sock").start()

    def route(self, value):
        write_cdb(self.state / "current" / "transport.cdb", [
            (DOMAIN.encode(), value.encode()),
            (b"paused.example", b"lmtp:unix:mxfeed/delivery-paused-by-the-operator")])

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


class SharedTest(TestCase):
    """Two gateways with one Redis."""

    def setUp(self):
        super().setUp()
        if not redis_server.PROGRAM.exists():
            self.skipTest("redis-server is not installed")
        self.redis = redis_server.RedisServer(self.directory / "redis")
        self.addCleanup(self.redis.kill)
        self.redis.start()
        self.asked = 0
        self.one, self.other = (self.gateway(name) for name in ("one", "other"))

    def gateway(self, name):
        directory = self.directory / name
        directory.mkdir()
        gateway = daemons.Daemon("recipients", directory / "state", directory,
                                 listen=f"unix:{directory}/recipients.sock")
        self.addCleanup(self._end, gateway)
        self.configure(gateway)
        gateway.start()
        return gateway

    def configure(self, gateway, more="", servers=None):
        if servers is None:
            servers = f'["unix:{self.redis.socket}"]'
        daemons.apply(gateway.state, daemons.feed(DOMAIN),
                      f"[redis]\nservers = {servers}\n{more}")
        write_cdb(gateway.state / "current" / "transport.cdb",
                  [(DOMAIN.encode(), f"mxfeed-relay:[127.0.0.1]:{self.sink.port}".encode())])
        if gateway.running:
            gateway.ask("reload")

    def told(self, one, other):
        """Whether `other` refuses what `one` has asked the server about, without asking."""
        self.asked += 1
        recipient = f"nobody{self.asked}@{DOMAIN}"
        for gateway in (one, other):
            self.assertEqual(self.ask(recipient, to=gateway), UNKNOWN)
        return self.boxes.asked.count(recipient) == 1

    def test_what_one_has_learned_the_other_knows(self):
        # A busy machine may take longer than Redis is waited for: then the next one.
        self.eventually(lambda: self.told(self.one, self.other), "told by one")
        self.eventually(lambda: self.told(self.other, self.one), "told by the other")
        self.assertEqual(self.ask(f"info@{DOMAIN}", to=self.one), "DUNNO")
        self.sink.down()
        self.eventually(lambda: self.ask(f"info@{DOMAIN}", "defer", to=self.other) == "DUNNO",
                        "it is known during the outage")
        # After a restart too, and without what this host has stored itself.
        self.other.stop()
        for file in (self.other.state / "recipients").glob("recipients.db*"):
            file.unlink()
        self.other.start()
        self.eventually(lambda: self.ask(f"info@{DOMAIN}", "defer", to=self.other) == "DUNNO",
                        "it is known after a restart")

    def test_without_redis_each_goes_on_by_itself(self):
        self.eventually(lambda: self.told(self.one, self.other), "told by one")
        for stop, start in ((self.redis.kill, self.redis.start),
                            (self.redis.hang, self.redis.go_on)):
            away = len(self.one.log_lines("event=recipients-redis", "state=away"))
            stop()
            begin = time.monotonic()
            for _ in range(10):
                self.assertEqual(self.ask(f"nobody1@{DOMAIN}", to=self.one), UNKNOWN)
            # One waits for Redis in vain, and no other.
            self.assertLess(time.monotonic() - begin, 3)
            self.assertFalse(self.told(self.one, self.other))
            self.eventually(lambda: self.one.status()["redis"] == "away", "it is away")
            self.assertEqual(self.one.metric("mxfeed_recipients_redis_up", 1), 0)
            self.assertGreater(self.one.metric("mxfeed_recipients_redis_faults_total"), 0)
            faults = self.one.metric("mxfeed_recipients_redis_faults_total")
            self.eventually(
                lambda seen=faults:
                    self.one.metric("mxfeed_recipients_redis_faults_total") > seen + 1,
                "it is looked for")
            self.assertEqual(
                len(self.one.log_lines("event=recipients-redis", "state=away")), away + 1)
            start()
            for gateway in (self.one, self.other):
                self.eventually(lambda at=gateway: at.status()["redis"] == "up", "it is back", 60)
            self.eventually(lambda: self.told(self.one, self.other), "told by one again")
        # What was known before is known.
        asked = len(self.boxes.asked)
        self.assertEqual(self.ask(f"nobody1@{DOMAIN}", to=self.one), UNKNOWN)
        self.assertEqual(len(self.boxes.asked), asked)

    def test_a_reload_takes_redis_into_use_and_out_of_it(self):
        self.configure(self.one, servers="[]")
        self.eventually(lambda: self.one.status()["redis"] == "off", "it is off")
        self.assertFalse(self.told(self.one, self.other))
        self.configure(self.one, more='prefix = "isp"\n')
        self.eventually(lambda: self.one.status()["redis"] == "up", "it is used")
        self.assertFalse(self.told(self.one, self.other))
        self.configure(self.other, more='prefix = "isp"\n')
        self.eventually(lambda: self.told(self.one, self.other), "told by one")
        keys = self.redis.ask("KEYS isp:recipients:*")
        self.assertIn(f"isp:recipients:{{{DOMAIN}}}:server", keys)
        self.assertNotIn("nobody", keys)

    def test_the_password_is_read_from_its_file(self):
        file = self.directory / "password"
        file.write_text("wrong\n")
        # The rights that the manual asks for.
        self.redis.ask("ACL SETUSER mxfeed on >secret ~mxfeed:* "
                       "+@read +@write +@scripting +@connection")
        self.redis.ask("ACL SETUSER default off")
        login = f'user = "mxfeed"\npassword_file = "{file}"\n'
        self.configure(self.one, more=login)
        self.eventually(lambda: self.one.status()["redis"] == "away", "it refuses the password")
        self.assertEqual(self.ask(f"info@{DOMAIN}", to=self.one), "DUNNO")
        self.assertNotIn("wrong", self.one.log())
        file.write_text("secret\n")
        self.eventually(lambda: self.one.status()["redis"] == "up", "it takes the password", 60)
        self.configure(self.other, more=login)
        self.eventually(lambda: self.told(self.one, self.other), "told by one")


if __name__ == "__main__":
    daemons.main()
