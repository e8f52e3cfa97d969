# SPDX-License-Identifier: GPL-2.0-or-later
"""A customer reads waiting mail in mailboxes, and the server gets each message once."""

import json
import os
import random
import subprocess

import rig
import service
from keeper_test import ALERTS, BOUNCE, DAY, OFF, KeeperCase
from mailbox_server import MailboxServer

# How many messages wait, and how often a command is killed.
MESSAGES = int(os.environ.get("MXFEED_MESSAGES", "24"))
KILLS = int(os.environ.get("MXFEED_KILLS", "6"))
LARGE_LINES = int(os.environ.get("MXFEED_LARGE_LINES", "20000"))  # of 72 octets


def setup_of(gateway, directory):
    return ("mailbox", "setup", "--dovecot-config", directory, "--postfix-config",
            gateway.postfix.config, "--user", "nobody")


def start_dovecot(case):
    """Sets a Dovecot up and starts it, for a class of tests."""
    gateway = case.gateway
    dovecot = MailboxServer(gateway.directory / "dovecot", rig.GATEWAY,
                            gateway.logs / "dovecot.log")
    case.addClassCleanup(dovecot.stop)
    gateway.mxfeed(*setup_of(gateway, dovecot.directory))
    dovecot.socket = gateway.postfix.spool / "mxfeed" / "mailbox.sock"
    return dovecot.start(dovecot.socket)


class MailboxTest(KeeperCase):
    """acme.example gets standby mailboxes, slow.example has none."""

    domains = rig.feed("acme.example", OFF, BOUNCE, 'queue_lifetime = "2d"',
                       'recipients = ["info", "sales", "o\'hara"]') + \
        "\n" + rig.feed("slow.example", OFF, BOUNCE, 'queue_lifetime = "2d"',
                        deliver_to=("203.0.113.30",))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What waits is not tried again unless it is asked for.
        cls.gateway.postfix.edit(minimal_backoff_time="300s")
        cls.gateway.postfix.reload()
        cls.dovecot = start_dovecot(cls)
        cls.socket = cls.dovecot.socket
        cls.setup = setup_of(cls.gateway, cls.dovecot.directory)

    def setUp(self):
        super().setUp()
        self.file = self.gateway.config / "domains.d" / "domains.toml"
        self.boxes = self.gateway.state / "mailboxes"
        before = self.file.read_text()
        self.addCleanup(self.gateway.apply_at_once)
        self.addCleanup(self.file.write_text, before)
        self.addCleanup(self.empty_mailboxes)

    def empty_mailboxes(self):
        for directory in self.boxes.iterdir():
            subprocess.run(["rm", "-rf", directory], check=True)
        for file in (self.gateway.state / "keeper").glob("copies.db*"):
            file.unlink()

    def mailbox(self, *arguments, **options):
        return self.gateway.mxfeed("mailbox", *arguments, "--postfix-config",
                                   self.postfix.config, **options).stdout

    def create(self, *users):
        """{mailbox: password} of those that were made."""
        made = json.loads(self.mailbox("create", "acme.example", *users, "--json"))
        self.gateway.apply_at_once()
        return {one["mailbox"]: one["password"] for one in made}

    def standby(self, state):
        self.mailbox("standby", "acme.example", state)
        self.gateway.apply_at_once()

    def queue_up(self, count, recipients=("info@acme.example",), subject="mail"):
        for i in range(count):
            self.accept(list(recipients), rig.mail(f"{subject} {i}", body=f"{subject} {i}\n.dot\n"))

    @staticmethod
    def subjects(messages):
        return sorted(message["Subject"] for message in messages)

    def test_the_life_of_a_long_outage(self):
        half = MESSAGES // 2
        old = self.put("info@acme.example", 3)
        self.put("boss@slow.example", 3)
        self.queue_up(half - 1, subject="queued")
        self.wait_for_deferral(half + 1)
        passwords = self.create("info", "sales", "unknown")
        self.standby("on")
        self.keep()
        # Other mail expires, that of the domain does not.
        self.wait_for_bounces("boss@slow.example")
        self.queue_up(MESSAGES - half, ["info@acme.example", "sales@acme.example"], "new")
        self.queue_up(1, ["o'hara@acme.example"], "other")
        self.wait_for_deferral(MESSAGES + 1)
        queue = sorted(message["queue_id"] for message in self.postfix.queue())
        self.keep()
        self.keep()  # There is nothing to copy.
        expected = sorted(["wait"] + [f"queued {i}" for i in range(half - 1)] +
                          [f"new {i}" for i in range(MESSAGES - half)])
        info = "info@acme.example"
        received = self.dovecot.pop3(info, passwords[info])
        self.assertEqual(self.subjects(received), expected)
        self.assertEqual(self.subjects(self.dovecot.imap(info, passwords[info])), expected)
        for message in received:
            self.assertEqual(message["Return-Path"], "<anna@sender.example>")
            if message["Subject"] != "wait":
                self.assertEqual(message.get_payload(), f"{message['Subject']}\r\n.dot\r\n")
        self.assertEqual(len(self.dovecot.pop3("sales@acme.example",
                                               passwords["sales@acme.example"])), MESSAGES - half)
        self.assertEqual(self.subjects(self.dovecot.pop3("unknown@acme.example",
                                                         passwords["unknown@acme.example"])),
                         ["other 0"])
        self.assertEqual(sorted(message["queue_id"] for message in self.postfix.queue()), queue)
        self.assertIn(old, queue)
        # The server is back: it gets each message once.
        self.customer.up()
        self.keep()
        self.gateway.mxfeed("queue", "flush", "acme.example", "--postfix-config",
                            self.postfix.config)
        self.customer.wait_for_count(MESSAGES + 1, 60)
        self.at_rest()
        self.assertEqual(sum(len(one.recipients) for one in self.customer.received()),
                         half + 2 * (MESSAGES - half) + 1)
        self.assertEqual(self.postfix.queue(), [])
        # The copies stay for a while.
        self.standby("off")
        self.keep()
        self.assertEqual(len(self.dovecot.pop3(info, passwords[info])), MESSAGES)
        # What is no copy is never deleted with them.
        own = self.boxes / "acme.example" / "info" / "Maildir" / "cur" / "1.own:2,S"
        own.write_text("Subject: own\n\nbody\n")
        self.forget()
        self.keep(clock=self.clock(later=31 * DAY))
        self.assertTrue(own.exists())
        self.assertIn("mailbox", self.alerts())
        own.unlink()
        self.keep(clock=self.clock(later=33 * DAY))
        self.assertFalse((self.boxes / "acme.example").exists())

    def test_without_a_password_nobody_reads_the_mail(self):
        passwords = self.create("info")
        self.standby("on")
        self.assertTrue(self.dovecot.lets_in("info@acme.example", passwords["info@acme.example"]))
        for user, password in (("info@acme.example", "wrong"), ("info@acme.example", "!"),
                               ("unknown@acme.example", ""), ("unknown@acme.example", "!"),
                               ("unknown@acme.example", "{CRYPT}!"),
                               ("sales@acme.example", passwords["info@acme.example"])):
            self.assertFalse(self.dovecot.lets_in(user, password), f"{user} {password}")
        new = json.loads(self.mailbox("passwd", "acme.example", "info", "--json"))[0]["password"]
        self.gateway.apply_at_once()
        self.assertTrue(self.dovecot.lets_in("info@acme.example", new))
        self.assertFalse(self.dovecot.lets_in("info@acme.example",
                                              passwords["info@acme.example"]))
        mode = (self.gateway.state / "current" / "mailboxes").stat().st_mode
        self.assertEqual(mode & 0o777, 0o640)
        self.assertEqual(self.file.stat().st_mode & 0o007, 0)

    def test_mailboxes_are_made_for_all_known_recipients(self):
        self.queue_up(1, ["boss@slow.example"])
        self.wait_for_deferral(1)
        made = json.loads(self.mailbox("create", "acme.example", "--from-recipients", "--json"))
        self.assertEqual([one["mailbox"] for one in made],
                         ["info@acme.example", "sales@acme.example"])
        made = json.loads(self.mailbox("create", "slow.example", "--from-recipients", "--json"))
        self.assertEqual([one["mailbox"] for one in made], ["boss@slow.example"])
        self.gateway.apply_at_once()
        listed = json.loads(self.gateway.mxfeed("mailbox", "list", "slow.example",
                                                "--json").stdout)
        self.assertEqual(listed, [{"mailbox": "boss@slow.example", "login": True,
                                   "copies": False, "messages": 0, "bytes": 0}])

    def test_a_copy_that_fails_leaves_the_mail_in_the_queue(self):
        passwords = self.create("info", "sales")
        self.standby("on")
        # As a full or broken disk: nothing can be written there.
        full = self.boxes / "acme.example" / "info"
        full.parent.mkdir(parents=True)
        full.write_text("")
        subprocess.run(["chown", "-R", "nobody", full.parent], check=True)
        self.queue_up(2, ["info@acme.example", "sales@acme.example"])
        self.wait_for_deferral(2)
        self.keep()
        self.assertEqual(self.alerts(), ["mailbox"])
        self.assertEqual(len(self.dovecot.pop3("sales@acme.example",
                                               passwords["sales@acme.example"])), 2)
        full.unlink()
        self.keep()
        self.assertEqual(len(self.dovecot.pop3("info@acme.example",
                                               passwords["info@acme.example"])), 2)
        self.assertEqual(len(self.dovecot.pop3("sales@acme.example",
                                               passwords["sales@acme.example"])), 2)
        self.assertEqual(len(self.postfix.queue()), 2)

    def test_without_dovecot_the_mail_waits_for_its_copies(self):
        passwords = self.create("info")
        self.standby("on")
        self.queue_up(3)
        self.wait_for_deferral(3)
        self.dovecot.stop()
        self.addCleanup(self.dovecot.start, self.socket)
        self.keep()
        self.assertEqual(self.alerts(), ["mailbox"])
        self.assertIn("mxfeed mailbox setup", ALERTS.read_text())
        self.dovecot.start(self.socket)
        self.addCleanup(self.dovecot.stop)
        self.keep()
        self.assertEqual(len(self.dovecot.pop3("info@acme.example",
                                               passwords["info@acme.example"])), 3)

    def test_a_damaged_book_of_copies_does_not_stop_the_keeper(self):
        self.create("info")
        self.standby("on")
        self.queue_up(1)
        self.put("boss@slow.example", 3)
        book = self.gateway.state / "keeper" / "copies.db"
        for file in book.parent.glob("copies.db*"):
            file.unlink()
        book.write_bytes(b"no database" * 100)
        self.keep()
        self.assertEqual(self.alerts(), ["expired", "mailbox"])
        self.wait_for_bounces("boss@slow.example")

    def test_setup_shows_what_it_changes_and_changes_nothing_else(self):
        self.assertIn("as it should be", self.gateway.mxfeed(*self.setup).stdout)
        file = self.dovecot.directory / "conf.d" / "05-mxfeed.conf"
        good = file.read_text()
        file.write_text("# by hand\n")
        self.addCleanup(file.write_text, good)
        said = self.gateway.mxfeed(*self.setup, "--dry-run").stdout
        self.assertIn("-# by hand\n", said)
        self.assertIn("\n+passdb", said)
        self.assertEqual(file.read_text(), "# by hand\n")
        # A Dovecot whose configuration is wrong stays as it is.
        other = self.dovecot.directory / "conf.d" / "90-wrong.conf"
        other.write_text("service lmtp {\n")
        self.addCleanup(other.unlink)
        failed = self.gateway.mxfeed(*self.setup, check=False)
        self.assertEqual(failed.returncode, 1)
        self.assertEqual(file.read_text(), "# by hand\n")


class SwapTest(KeeperCase):
    """moved.example has its mailboxes here, and moves to a server of its own."""

    daemons = (*rig.TestCase.daemons, "quarantine")
    domains = rig.feed("acme.example", OFF) + """
[[domain]]
name = "moved.example"
service = "mailbox"
deliver_to = ["203.0.113.7"]
greylist = false
  [[domain.mailbox]]
  user = "info"
  password = "{PLAIN}one"
  [[domain.mailbox]]
  user = "postmaster"
  password = "{PLAIN}two"
"""
    INFO, POSTMASTER = "info@moved.example", "postmaster@moved.example"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dovecot = start_dovecot(cls)

    def setUp(self):
        super().setUp()
        self.random = random.Random(int(os.environ.get("MXFEED_SEED", "7")))
        self.customer.up()

    def drain(self, *arguments):
        return [service.program("mxfeed"), "mailbox", "drain", "moved.example", *arguments,
                "--rate", "100", "--postfix-config", self.postfix.config,
                "--config", self.gateway.config, "--state", self.gateway.state]

    def drain_killed(self):
        """Again and again, killed at random points, until it is done; how often it was."""
        kills = 0
        while True:
            drain = subprocess.Popen(self.drain(), stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE)
            try:
                drain.wait(self.random.uniform(0.0, 0.6) if kills < KILLS else 120)
            except subprocess.TimeoutExpired:
                drain.kill()
                kills += 1
            errors = drain.communicate()[1]
            self.assertNotIn(b"Sanitizer", errors)
            if drain.returncode == 0:
                return kills

    def messages(self):
        """[(sender, recipient, message)] of all kinds."""
        kinds = [
            ("", rig.mail("null sender")),
            ("list+info=moved.example@sender.example", rig.mail("VERP")),
            ('"a b"@sender.example', rig.mail("quoted sender")),
            ("anna@sender.example", b"Return-Path: <x@y.example>\r\nDelivered-To: "
             b"info@moved.example\r\nX-Original-To: z@moved.example\r\n" + rig.mail("forged")),
            ("anna@sender.example", rig.mail("dots", body=".\n..\n.x\n")),
            ("anna@sender.example", rig.mail("8bit", body="gr\u00fc\u00dfe\n")),
            ("anna@sender.example", rig.mail("large", body=f"{'x' * 70}\n" * LARGE_LINES)),
        ]
        return [(sender, self.POSTMASTER if i % 5 == 4 else self.INFO,
                 message.replace(b"\r\n\r\n", f"\r\nX-Number: {i}\r\n\r\n".encode(), 1))
                for i in range(MESSAGES)
                for sender, message in [kinds[i % (len(kinds) if i < 14 else len(kinds) - 1)]]]

    def test_a_domain_has_mailboxes_here_and_then_a_feed(self):
        sent = self.messages()
        with self.session() as session:
            for sender, recipient, message in sent:
                self.assertTrue(session.send(sender, [recipient], message).accepted, recipient)
        # Who has no mailbox is refused while the client is there.
        self.assertEqual(self.send(["who@moved.example"], rig.mail()).last.code, 550)
        wanted = sum(to == self.INFO for _, to, _ in sent)
        rig.eventually(lambda: len(self.dovecot.pop3(self.INFO, "one")) == wanted, "it is there")
        self.at_rest()
        self.keep()
        self.assertEqual(self.alerts(), [])
        self.assertEqual(self.customer.received(), [])
        early = subprocess.run(self.drain(), capture_output=True, text=True, check=False)
        self.assertEqual(early.returncode, 1)
        self.assertIn("mailbox swap moved.example feed", early.stderr)
        swap = ("mailbox", "swap", "moved.example", "feed", "--postfix-config",
                self.postfix.config)
        wrong = self.gateway.mxfeed("mailbox", "swap", "acme.example", "mailbox", "--dry-run",
                                    check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("it has no mailboxes", wrong.stderr)
        self.assertIn('now "mailbox"', self.gateway.mxfeed(*swap, "--dry-run").stdout)
        self.gateway.mxfeed(*swap)
        self.gateway.apply_at_once()
        # A message that is uploaded has no envelope: it stays.
        maildir = self.gateway.state / "mailboxes" / "moved.example" / "info" / "Maildir"
        (maildir / "cur" / "1.own:2,S").write_text("Subject: uploaded\n\nbody\n")
        self.assertIn(f"would deliver {MESSAGES} messages",
                      subprocess.run(self.drain("--dry-run"), capture_output=True, text=True,
                                     check=True).stderr)
        # Root does not follow what the owner of the mailboxes has linked.
        elsewhere = self.gateway.directory / "elsewhere"
        elsewhere.mkdir()
        (maildir.parent / "drained").symlink_to(elsewhere)
        self.assertNotEqual(subprocess.run(self.drain(), capture_output=True, check=False)
                            .returncode, 0)
        self.assertEqual(list(elsewhere.iterdir()), [])
        (maildir.parent / "drained").unlink()
        kills = self.drain_killed()
        self.customer.wait_for_count(len(sent), 120)
        self.at_rest()
        received = self.customer.received()
        self.assertEqual(
            sorted((one.sender, one.recipients[0], self.number(one.data)) for one in received),
            sorted((sender, to, self.number(message)) for sender, to, message in sent))
        bodies = {self.number(message): message.partition(b"\r\n\r\n")[2]
                  for _, _, message in sent}
        for one in received:
            self.assertEqual(one.data.partition(b"\r\n\r\n")[2], bodies[self.number(one.data)])
            self.assertNotIn(b"with LMTP", one.data)
            self.assertEqual(b"X-Original-To: z@" in one.data, b"forged" in one.data)
        self.assertTrue((maildir / "cur" / "1.own:2,S").exists())
        self.assertEqual(len(list((maildir.parent / "drained").iterdir())), wanted)
        print(f"{len(sent)} messages, the command killed {kills} times")

    @staticmethod
    def number(message):
        return message.partition(b"X-Number: ")[2].partition(b"\r\n")[0]


if __name__ == "__main__":
    rig.main()
