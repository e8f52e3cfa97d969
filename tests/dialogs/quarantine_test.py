# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed-quarantine: spoken to as Postfix's lmtp(8) does it."""

import json
import os
import socket
import subprocess

import daemons
from service import program

TOKEN = "00112233445566778899aabbccddeeff"
MESSAGE = b"Received: x\r\nX-Mxfeed-Virus: infected (Eicar)\r\nSubject: x\r\n\r\n.\r\nbody\r\n"


def held(recipient="info@acme.example", kind="virus", token=TOKEN, domain="acme.example"):
    parts = (kind, token, domain.encode().hex(), b"why".hex(), recipient.encode().hex())
    return ".".join(parts) + "@quarantine.mxfeed.invalid"


class Client:
    """One connection; `say` returns the codes of the replies to a command."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(daemon.socket.removeprefix("unix:"))
        self.file = self.socket.makefile("rwb")
        self.greeting = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def reply(self):
        while True:
            line = self.file.readline()
            if line[3:4] != b"-":
                return int(line[:3]) if line else None

    def say(self, *lines, replies=None):
        for line in lines:
            self.file.write(line if isinstance(line, bytes) else line.encode() + b"\r\n")
        self.file.flush()
        return [self.reply() for _ in range(len(lines) if replies is None else replies)]

    def deliver(self, *recipients, sender="anna@sender.example", message=MESSAGE):
        """The replies to the message, one for each recipient."""
        codes = self.say("LHLO mx", f"MAIL FROM:<{sender}> BODY=8BITMIME",
                         *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA")
        assert codes[-1] == 354, codes
        content = message.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        return self.say(content, replies=len(recipients))


class QuarantineTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.apply(daemons.feed("acme.example", virus='{ infected = "quarantine" }'))
        self.server = self.start("quarantine")

    def mxfeed(self, *arguments, check=True):
        return subprocess.run(
            [program("mxfeed"), "quarantine", *arguments, "--state", self.state], check=check,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=120)

    def items(self, *arguments, domain="acme.example"):
        return json.loads(self.mxfeed("list", domain, "--json", *arguments).stdout)

    def test_a_socket_that_was_removed_is_made_anew_and_that_is_counted(self):
        os.unlink(self.server.socket.removeprefix("unix:"))
        self.eventually(
            lambda: self.server.metric('mxfeed_sockets_restored_total{socket="quarantine"}') == 1,
            "the count")
        with Client(self.server) as client:
            self.assertEqual(client.greeting, 220)

    def test_what_is_answered_with_250_survives_a_kill(self):
        with Client(self.server) as client:
            self.assertEqual(client.greeting, 220)
            self.assertEqual(client.deliver(held(), held("sales@acme.example")), [250, 250])
        self.server.kill()
        self.assertEqual([(i["state"], i["kind"], i["from"], i["to"], i["reason"])
                          for i in self.items()],
                         [("held", "virus", "anna@sender.example", to, "why")
                          for to in ("info@acme.example", "sales@acme.example")])
        number = str(self.items()[0]["id"])
        self.assertEqual(self.mxfeed("show", "acme.example", number, "--content").stdout, MESSAGE)

    def test_what_was_not_complete_leaves_nothing(self):
        with Client(self.server) as client:
            client.say("LHLO mx", "MAIL FROM:<>", f"RCPT TO:<{held()}>", "DATA")
            client.say(b"x" * 200_000, replies=0)
        messages = self.state / "quarantine" / "messages"
        self.eventually(lambda: not list(messages.iterdir()), "the file is gone")
        self.assertEqual(self.items(), [])

    def test_a_message_that_comes_again_is_held_once(self):
        for _ in range(2):
            with Client(self.server) as client:
                self.assertEqual(client.deliver(held()), [250])
        self.assertEqual(len(self.items()), 1)
        self.mxfeed("delete", "acme.example", "all")
        with Client(self.server) as client:
            self.assertEqual(client.deliver(held()), [250])
        self.assertEqual(self.items(), [])
        self.assertEqual([i["state"] for i in self.items("--ended")], ["deleted"])

    def test_one_domain_does_not_see_or_touch_what_is_held_for_another(self):
        with Client(self.server) as client:
            client.deliver(held(), held("info@other.example", domain="other.example"))
        [ours], [theirs] = self.items(), self.items(domain="other.example")
        for verb in ("show", "delete"):
            done = self.mxfeed(verb, "acme.example", str(theirs["id"]), check=False)
            self.assertEqual(done.returncode, 1, done)
        self.mxfeed("delete", "acme.example", "all")
        self.assertEqual([i["state"] for i in self.items("--ended")], ["deleted"])
        self.assertEqual([i["state"] for i in self.items(domain="other.example")], ["held"])
        content = self.mxfeed("show", "other.example", str(theirs["id"]), "--content").stdout
        self.assertEqual(content, MESSAGE)
        self.assertNotEqual(ours["id"], theirs["id"])

    def test_a_full_disk_puts_the_message_off(self):
        self.server.stop()
        limited = self.daemon_with("--fsize=1048576")
        with Client(limited) as client:
            self.assertEqual(client.deliver(held(), message=b"x" * 2_000_000 + b"\r\n"), [452])
            self.assertEqual(client.deliver(held()), [250])
        self.assertEqual([i["size"] for i in self.items()], [len(MESSAGE)])

    def daemon_with(self, limit):
        # Python's children have SIGXFSZ at its default, which kills: a shell ignores it.
        return self.start("quarantine", wrapper=(
            "sh", "-c", "trap '' XFSZ; exec prlimit \"$@\"", "sh", limit))

    def test_a_client_that_talks_nonsense_is_closed_and_others_are_served(self):
        with Client(self.server) as odd, Client(self.server) as good:
            odd.say(os.urandom(300_000).replace(b"\n", b"x"), replies=0)
            odd.say(b"\r\n" + b"X\r\n" * 100, replies=0)
            self.assertEqual(good.deliver(held()), [250])
            odd.file.flush()
            self.eventually(lambda: odd.reply() in (None, 421), "it was told to go")

    def test_status_and_metrics_count_what_is_held(self):
        with Client(self.server) as client:
            client.deliver(held())
        status = self.server.status()
        self.assertEqual((status["held"], status["bytes"]), ("1", str(len(MESSAGE))))
        self.assertEqual(self.server.metric('mxfeed_quarantine_held_total{kind="virus"}'), 1)
        self.assertEqual(self.server.metric("mxfeed_quarantine_messages"), 1)

    def test_a_message_on_its_way_is_finished_when_the_daemon_stops(self):
        with Client(self.server) as client:
            client.say("LHLO mx", "MAIL FROM:<>", f"RCPT TO:<{held()}>", "DATA")
            self.server.signal(15)
            self.eventually(lambda: self.server.log_lines("event=drain"), "it drains")
            self.assertEqual(client.say(b"x\r\n.\r\n", replies=1), [250])
        self.eventually(lambda: not self.server.running, "it has stopped")
        self.assertEqual(len(self.items()), 1)


if __name__ == "__main__":
    daemons.main()
