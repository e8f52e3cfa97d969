# SPDX-License-Identifier: GPL-2.0-or-later
"""A Postfix with other uses is attached and detached while it runs.

MXFEED_KILLS=100 kills each command at so many random points instead of a few; MXFEED_SEED
repeats the points of an earlier run.
"""

import contextlib
import json
import os
import pathlib
import random
import subprocess
import tempfile
import threading
import time
import unittest

import gateway as gateways
import rig
import service
import smtp_client
import smtp_sink

UNSCANNED, TRY_LATER = 3, 75
OTHER = "203.0.113.20"

# What the site has besides: a relay domain with a list of its recipients.
SITE = {
    "relay_domains": "old.example",
    "transport_maps": f"inline:{{old.example=smtp:[{OTHER}]}}",
    "relay_recipient_maps": "inline:{info@old.example=x}",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
}
DOMAINS = (rig.feed("acme.example", "greylist = false") +
           rig.feed("family.example", "greylist = false", "subdomains = true"))


class AttachTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = rig.World.get()
        cls.gateway = gateways.Gateway(
            tempfile.mkdtemp(prefix="attach-", dir=cls.world.directory), f"{rig.GATEWAY}:25",
            dedicated=False)
        cls.addClassCleanup(cls.gateway.stop)
        cls.gateway.configure(DOMAINS)
        cls.gateway.apply()
        cls.gateway.start_daemons()
        cls.postfix = cls.gateway.postfix
        cls.postfix.configure({"myhostname": cls.gateway.host, **SITE})
        cls.before = cls.files()
        cls.postfix.start()
        cls.customer = smtp_sink.Sink(rig.CUSTOMER, 25, name="the customer").up()
        cls.addClassCleanup(cls.customer.down)
        cls.other = smtp_sink.Sink(OTHER, 25, name="another server").up()
        cls.addClassCleanup(cls.other.down)

    @classmethod
    def files(cls):
        return tuple((cls.postfix.config / name).read_bytes() for name in ("main.cf", "master.cf"))

    def setUp(self):
        self.customer.clear()
        self.other.clear()

    def tearDown(self):
        self.deliver_all()
        self.command("detach", statuses=(0,))

    def command(self, name, statuses=(0,)):
        done = self.gateway.mxfeed("postfix", name, "--postfix-config", self.postfix.config,
                                   check=False)
        self.assertIn(done.returncode, statuses, f"{name}:\n{done.stdout}{done.stderr}")
        return done

    def send(self, recipient, message):
        with smtp_client.Session(rig.GATEWAY, 25, source=rig.SENDER) as session:
            return session.send("anna@sender.example", [recipient], message)

    def code(self, recipient):
        """What the recipient is answered."""
        with smtp_client.Session(rig.GATEWAY, 25, source=rig.SENDER) as session:
            session.command("MAIL FROM:<anna@sender.example>")
            return session.command(f"RCPT TO:<{recipient}>").code

    def taken(self, recipient="info@acme.example"):
        rig.eventually(lambda: self.code(recipient) == 250, f"{recipient} is taken")

    def deliver_all(self):
        def empty():
            self.postfix.flush()
            return not self.postfix.queue()
        rig.eventually(empty, "the queue is empty")

    def bounces(self):
        return self.postfix.log_lines("status=bounced")

    def state(self):
        done = self.gateway.mxfeed("postfix", "status", "--json", "--postfix-config",
                                   self.postfix.config, check=False)
        return json.loads(done.stdout)["state"]

    def test_hosted_mail_is_filtered_and_other_mail_goes_as_before(self):
        answers = {"info@old.example": 250, "nobody@old.example": 550,
                   "info@elsewhere.example": 554}
        for recipient, code in answers.items():
            self.assertEqual(self.code(recipient), code)
        self.assertEqual(self.code("info@acme.example"), 554)
        self.command("attach")
        self.taken()
        for recipient, code in {**answers, "info@x.family.example": 250,
                                "info@x.acme.example": 550}.items():
            self.assertEqual(self.code(recipient), code, recipient)
        self.assertTrue(self.send("info@acme.example", rig.mail("clean")).accepted)
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(len(delivery.header("X-Mxfeed-Virus")), 1)
        self.send("virus@acme.example", rig.infected())
        self.assertTrue(self.send("info@old.example", rig.mail("other")).accepted)
        self.other.wait_for_count(1)
        self.deliver_all()
        self.assertEqual(self.customer.received("virus@acme.example"), [])
        self.assertEqual(self.state(), "attached")
        self.command("detach")
        rig.eventually(lambda: self.code("info@acme.example") == 554, "it is not taken")
        for recipient, code in answers.items():
            self.assertEqual(self.code(recipient), code)
        self.assertEqual(self.files(), self.before)

    def test_no_mail_passes_unscanned_on_the_way(self):
        stop = threading.Event()
        sent = []

        def send():
            while not stop.wait(0.01):  # a flood would hold back master, which must reload
                try:
                    outcome = self.send("virus@acme.example", rig.infected())
                    sent.append(outcome.final is not None and outcome.final.code == 250)
                except (OSError, ValueError):
                    continue  # Postfix reloads

        threads = [threading.Thread(target=send) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(4):
                self.command("attach")
                count = sum(sent)
                rig.eventually(lambda count=count: sum(sent) > count, "infected mail is taken",
                               120)
                self.command("detach", statuses=(0, TRY_LATER))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.deliver_all()
        self.assertEqual(self.customer.received("virus@acme.example"), [])
        self.assertEqual(self.postfix.log_lines("virus@acme.example", "status="), [])

    @contextlib.contextmanager
    def slow_chmod(self):
        """Each chmod(2) of master(8) takes half a second."""
        pid = (self.postfix.spool / "pid/master.pid").read_text().strip()
        with subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=chmod",
                               "-e", "inject=chmod:delay_enter=500000", "-p", pid]) as tracer:
            try:
                rig.eventually(lambda: f"TracerPid:\t{tracer.pid}\n" in
                               pathlib.Path(f"/proc/{pid}/status").read_text(), "it is traced")
                yield
            finally:
                tracer.terminate()

    def begin(self, *arguments):
        """Starts a command and does not wait for its end."""
        return subprocess.Popen(
            [service.program("mxfeed"), *arguments, "--config", self.gateway.config,
             "--state", self.gateway.state, "--postfix-config", self.postfix.config],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_a_session_from_before_takes_no_mail_of_ours(self):
        with smtp_client.Session(rig.GATEWAY, 25, source=rig.SENDER) as session:
            session.command("MAIL FROM:<anna@sender.example>")
            with self.begin("postfix", "attach") as attach:
                rig.eventually(lambda: self.state() == "partly attached", "the filters are in")
                self.assertEqual(session.command("RCPT TO:<info@acme.example>").code, 554)
                self.assertEqual(session.command("QUIT").code, 221)
                said, complained = attach.communicate(timeout=30)
            self.assertEqual(attach.returncode, 0, said + complained)
        self.taken()

    def test_a_session_from_before_that_does_not_end_puts_off_the_mail(self):
        with smtp_client.Session(rig.GATEWAY, 25, source=rig.SENDER) as session:
            session.command("MAIL FROM:<anna@sender.example>")
            done = self.command("attach", statuses=(TRY_LATER,))
            self.assertIn("1 session from before would take it unscanned", done.stdout)
            self.assertEqual(session.command("RCPT TO:<info@acme.example>").code, 554)
            self.assertEqual(self.code("info@acme.example"), 554)
            self.assertEqual(self.code("info@old.example"), 250)
        self.command("attach")
        self.taken()

    def test_a_session_from_before_the_filters_were_put_back_is_a_danger(self):
        self.command("attach")
        self.taken()
        attached = self.files()
        # Somebody takes the filters away.
        (self.postfix.config / "master.cf").write_bytes(self.before[1])
        self.postfix.reload()
        with smtp_client.Session(rig.GATEWAY, 25, source=rig.SENDER) as session:
            session.command("MAIL FROM:<anna@sender.example>")
            done = self.command("attach", statuses=(UNSCANNED,))
            self.assertIn("1 session from before the filters still takes mail", done.stderr)
        self.assertEqual(self.files(), attached)
        self.command("attach")

    def test_a_slow_postfix_runs_on(self):
        # master(8) ends if a socket is gone before it has set its mode.
        with self.slow_chmod():
            for name in ("attach", "detach", "detach"):
                self.command(name)
        self.command("attach")
        self.taken()

    def test_what_waits_at_detach_is_delivered_later(self):
        before = len(self.bounces())
        self.command("attach")
        self.taken()
        self.customer.down()
        try:
            for i in range(30):
                outcome = self.send(f"user{i}@acme.example", rig.mail(f"mail {i}"))
                self.assertTrue(outcome.accepted, outcome.last)
            done = self.command("detach", statuses=(TRY_LATER,))
            self.assertIn("the routes are kept: mail waits for 1 domain", done.stdout)
            self.assertEqual(self.state(), "detaching")
            rig.eventually(lambda: self.code("info@acme.example") == 554, "no mail is taken")
            self.postfix.flush()
            self.command("detach", statuses=(TRY_LATER,))
        finally:
            self.customer.up()
        self.deliver_all()
        self.assertEqual(len(self.customer.wait_for_count(30)), 30)
        self.command("detach")
        self.assertEqual(self.files(), self.before)
        self.assertEqual(len(self.bounces()), before)

    def test_a_session_that_is_open_at_detach_still_brings_its_mail(self):
        before = len(self.bounces())
        self.command("attach")
        self.taken()
        with smtp_client.Session(rig.GATEWAY, 25, source=rig.SENDER) as session:
            session.command("MAIL FROM:<anna@sender.example>")
            self.assertEqual(session.command("RCPT TO:<late@acme.example>").code, 250)
            done = self.command("detach", statuses=(TRY_LATER,))
            self.assertIn("session from before may still bring mail", done.stdout)
            self.assertEqual(session.command("DATA").code, 354)
            self.assertEqual(session.command(rig.mail("late") + b".").code, 250)
        self.customer.wait_for_count(1)
        self.deliver_all()
        self.command("detach")
        self.assertEqual(self.files(), self.before)
        self.assertEqual(len(self.bounces()), before)

    def test_a_kill_at_any_point_is_repaired_by_the_same_command(self):
        kills = int(os.environ.get("MXFEED_KILLS", "4"))
        seed = os.environ.get("MXFEED_SEED", str(random.randrange(1 << 32)))
        chance = random.Random(seed)
        began = time.monotonic()
        self.command("attach")
        took = {"attach": time.monotonic() - began}
        attached = self.files()
        began = time.monotonic()
        self.command("detach")
        took["detach"] = time.monotonic() - began
        for i in range(kills):
            for name, end in (("attach", attached), ("detach", self.before)):
                with self.subTest(f"{name} {i}, seed {seed}"):
                    self.kill("postfix", name, after=chance.uniform(0, took[name]))
                    self.command(name)
                    self.assertEqual(self.files(), end)
                    if name == "attach":
                        self.taken()
                        self.send("virus@acme.example", rig.infected())
                        self.assertTrue(self.send(f"info{i}@acme.example",
                                                  rig.mail("clean")).accepted)
                        self.customer.wait_for(
                            lambda i=i: self.customer.received(f"info{i}@acme.example"), "mail")
                        self.deliver_all()
        self.assertEqual(self.customer.received("virus@acme.example"), [])

    def test_an_apply_that_is_killed_at_any_point_is_repaired_by_the_next(self):
        kills = int(os.environ.get("MXFEED_KILLS", "4"))
        seed = os.environ.get("MXFEED_SEED", str(random.randrange(1 << 32)))
        chance = random.Random(seed)
        self.command("attach")
        began = time.monotonic()
        self.gateway.apply()
        took = time.monotonic() - began
        self.addCleanup(self.restore, kills)
        for i in range(kills):
            with self.subTest(f"{i}, seed {seed}"):
                self.gateway.configure(DOMAINS, new="".join(
                    rig.feed(f"new{n}.example", "greylist = false") for n in range(i + 1)))
                self.kill("apply", "--host", self.gateway.host,
                          after=chance.uniform(0, took))
                self.taken()
                self.gateway.apply_at_once()
                self.taken(f"info@new{i}.example")
                self.send(f"virus@new{i}.example", rig.infected())
                self.assertTrue(self.send(f"info@new{i}.example", rig.mail("clean")).accepted)
                self.customer.wait_for(
                    lambda i=i: self.customer.received(f"info@new{i}.example"), "mail")
        self.deliver_all()
        self.assertEqual([one for i in range(kills)
                          for one in self.customer.received(f"virus@new{i}.example")], [])

    def restore(self, removals):
        self.gateway.configure(DOMAINS, new="")
        self.gateway.apply("--allow-removals", str(removals))

    def kill(self, *arguments, after):
        with self.begin(*arguments) as process:
            try:
                process.communicate(timeout=after)
            except subprocess.TimeoutExpired:
                process.kill()


if __name__ == "__main__":
    rig.main()
