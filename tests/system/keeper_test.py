# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail expires by the lifetime of its domain, and never before an attempt that failed."""

import http.server
import json
import os
import pathlib
import random
import subprocess
import threading
import time

import queue_files
import rig
import service

DAY = 86400
OFF = "greylist = false"
BOUNCE = 'on_refusal = "bounce"'
ALERTS = pathlib.Path(os.environ.get("MXFEED_RIG", "/nonexistent")) / "alerts"
WEBHOOK_PORT = 8099

# How often the keeper is killed, and with how many messages at once.
KILLS = int(os.environ.get("MXFEED_KILLS", "6"))
MESSAGES = int(os.environ.get("MXFEED_MESSAGES", "12"))


class KeeperCase(rig.TestCase):
    """Servers of acme.example (2 d) and slow.example (5 d) are down, that of the sender is up."""

    domains = rig.feed("acme.example", OFF, BOUNCE, 'queue_lifetime = "2d"') + \
        rig.feed("slow.example", OFF, BOUNCE, 'queue_lifetime = "5d"',
                 deliver_to=("203.0.113.30",)) + \
        rig.feed("paused.example", OFF, 'state = "paused"')
    gateway_settings = f"""
[alerts]
command = ["/bin/sh", "-c", "cat >> {ALERTS}"]
webhook = "http://127.0.0.1:{WEBHOOK_PORT}/alerts"
"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sender = cls.sink(rig.SENDER)
        # Each message is tried, even if the server did not answer a moment ago.
        cls.gateway.postfix.edit(minimal_backoff_time="1s")
        # Once more, with Postfix running.
        cls.gateway.apply_at_once()

    def setUp(self):
        super().setUp()
        self.postfix = self.gateway.postfix
        self.customer.down()
        self.addCleanup(self.empty_the_queue)

    def empty_the_queue(self):
        self.customer.down()
        self.customer.up()
        subprocess.run(["postsuper", "-c", self.postfix.config, "-d", "ALL"], check=True,
                       capture_output=True)
        self.sender.clear()
        self.forget()
        self.keep()  # The route of a server that was away is open again.
        self.forget()

    def forget(self):
        for book in ("keeper.db", "held.db"):
            for file in (self.gateway.state / "keeper").glob(f"{book}*"):
                file.unlink()
        ALERTS.unlink(missing_ok=True)

    def clock(self, later=0, boot="-", since_boot=None, synchronised="yes"):
        """What keeper_at takes the clocks of the host to be."""
        if since_boot is None:
            since_boot = int(time.clock_gettime(time.CLOCK_BOOTTIME))
        return f"{int(time.time()) + later} {since_boot} {boot} {synchronised}"

    def command(self, clock=None, allow="0"):
        return [service.program("keeper_at"), self.gateway.config, self.gateway.state,
                self.postfix.config, clock or self.clock(), allow]

    def keep(self, clock=None, allow="0", status=0):
        """A run of the keeper; what it said."""
        done = subprocess.run(self.command(clock, allow), capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def alerts(self):
        return [json.loads(line)["kind"] for line in ALERTS.read_text().splitlines()] \
            if ALERTS.exists() else []

    def wait_for_deferral(self, count):
        def deferred():
            queue = self.postfix.queue()
            return len(queue) == count and all(
                message["queue_name"] == "deferred" and
                all("delay_reason" in one for one in message["recipients"]) for message in queue)
        rig.eventually(deferred, f"{count} messages are deferred")
        return [message["queue_id"] for message in self.postfix.queue()]

    def put(self, recipients, days, sender="anna@sender.example"):
        """A message that is deferred and arrived that many days ago; its queue id."""
        before = {message["queue_id"] for message in self.postfix.queue()}
        self.accept(recipients, rig.mail("wait"), sender=sender)
        (queue_id,) = set(self.wait_for_deferral(len(before) + 1)) - before
        queue_files.set_age(self.postfix, queue_id, int(days * DAY))
        return queue_id

    def bounced(self):
        """The recipients that the bounces name, each as often as it is named."""
        return sorted(word for bounce in self.sender.received() if bounce.sender == ""
                      for line in bounce.data.decode().splitlines()
                      if line.startswith("Final-Recipient: rfc822; ")
                      for word in line.split()[2:])

    def wait_for_bounces(self, *recipients):
        rig.eventually(lambda: self.bounced() == sorted(recipients), f"bounces {recipients}")

    def assert_waiting(self, *ids):
        self.at_rest()
        self.assertEqual({message["queue_id"] for message in self.postfix.queue()}, set(ids))
        self.assertEqual(self.bounced(), [])


class KeeperTest(KeeperCase):

    def test_mail_expires_after_the_lifetime_of_its_domain(self):
        self.put("a@acme.example", 3)
        young = self.put("b@acme.example", 1)
        slow = self.put("c@slow.example", 3)
        paused = self.put("d@paused.example", 90)
        self.keep()
        self.wait_for_bounces("a@acme.example")
        self.at_rest()
        self.assertEqual({message["queue_id"] for message in self.postfix.queue()},
                         {young, slow, paused})

    def test_a_message_expires_when_the_last_recipient_is_due(self):
        both = self.put(["a@acme.example", "b@slow.example"], 3)
        self.keep()
        self.assert_waiting(both)
        queue_files.set_age(self.postfix, both, 3 * DAY)
        self.keep()
        self.wait_for_bounces("a@acme.example", "b@slow.example")
        self.assertEqual(self.postfix.queue(), [])

    def test_a_recipient_that_the_defer_log_has_lost_is_not_lost(self):
        both = self.put(["a@acme.example", "b@acme.example"], 3)
        queue_files.forget_in_defer_log(self.postfix, both, "b@acme.example")
        queue_files.set_last_attempt(self.postfix, both, 600)
        (message,) = self.postfix.queue()
        self.assertEqual([("delay_reason" in one) for one in message["recipients"]], [True, False])
        # An attempt first; it completes the log.
        self.assertIn("1 with an incomplete defer log", self.keep())
        self.wait_for_deferral(1)
        self.assertEqual(self.bounced(), [])
        self.keep()
        self.wait_for_bounces("a@acme.example", "b@acme.example")

    def test_postsuper_alone_would_lose_it(self):
        # What the keeper guards against; if Postfix does better one day, it may be simpler.
        both = self.put(["a@acme.example", "b@acme.example"], 3)
        queue_files.forget_in_defer_log(self.postfix, both, "b@acme.example")
        for command in (["postsuper", "-c", self.postfix.config, "-e", both, "deferred"],
                        ["postqueue", "-c", self.postfix.config, "-i", both]):
            subprocess.run(command, check=True, capture_output=True)
        self.wait_for_bounces("a@acme.example")
        rig.eventually(lambda: not self.postfix.queue(), "the message is gone")
        self.assertEqual(self.bounced(), ["a@acme.example"])

    def test_nothing_expires_without_an_attempt_after_the_deadline(self):
        waiting = self.put("a@acme.example", 3)
        queue_files.set_last_attempt(self.postfix, waiting, 2 * DAY)
        self.customer.up()
        self.assertIn("1 without an attempt after the deadline", self.keep())
        self.customer.wait_for_count(1)
        self.assertEqual(self.bounced(), [])

    def test_a_host_that_was_off_tries_before_it_bounces(self):
        waiting = self.put(["a@acme.example", "b@acme.example"], 6)
        queue_files.set_last_attempt(self.postfix, waiting, 4 * DAY)
        # It has just started, with an old log and the apply of the unit.
        self.keep(self.clock(since_boot=30))
        self.wait_for_deferral(1)
        self.assertEqual(self.bounced(), [])
        self.keep(self.clock(since_boot=60))
        self.wait_for_bounces("a@acme.example", "b@acme.example")

    def test_an_attempt_before_the_start_of_the_host_does_not_count(self):
        waiting = self.put("a@acme.example", 6)
        queue_files.set_last_attempt(self.postfix, waiting, 2 * 3600)
        self.customer.up()
        self.assertIn("1 without an attempt", self.keep(self.clock(since_boot=3600)))
        self.customer.wait_for_count(1)
        self.assertEqual(self.bounced(), [])

    def test_nothing_expires_before_an_apply(self):
        waiting = self.put("a@acme.example", 3)
        self.assertIn("no mxfeed apply since this host started", self.keep(self.clock(boot="other")))
        self.assert_waiting(waiting)

    def test_nothing_expires_while_the_clock_is_wrong(self):
        waiting = self.put("a@acme.example", 1)
        self.keep(self.clock(since_boot=10000))
        for name, clock in {
            "ten days forward": self.clock(10 * DAY, since_boot=10060),
            "still so": self.clock(10 * DAY + 60, since_boot=10120),
            "and back": self.clock(120, since_boot=10180),
            "not synchronised": self.clock(10 * DAY, since_boot=10240, synchronised="no"),
        }.items():
            with self.subTest(name):
                self.keep(clock)
                self.wait_for_deferral(1)
                self.assertEqual(self.bounced(), [])
        self.assert_waiting(waiting)

    def test_many_messages_expire_only_if_that_is_allowed(self):
        count = 101
        with self.session() as session:
            for i in range(count):
                self.assertTrue(session.send("anna@sender.example", [f"u{i}@acme.example"],
                                             rig.mail("many")).accepted)
        ids = self.wait_for_deferral(count)
        for queue_id in ids:
            queue_files.set_age(self.postfix, queue_id, 3 * DAY)
        said = self.keep(status=1)
        self.assertIn(f"refused: {count} of {count} messages would expire", said)
        self.assert_waiting(*ids)
        self.assertIn('"kind": "brake"', ALERTS.read_text())
        self.keep(allow=str(count))
        self.wait_for_bounces(*(f"u{i}@acme.example" for i in range(count)))

    def test_what_somebody_else_holds_is_left_alone(self):
        held = self.put(["a@acme.example", "b@acme.example"], 3)
        subprocess.run(["postsuper", "-c", self.postfix.config, "-h", held], check=True,
                       capture_output=True)
        self.keep()
        self.assert_waiting(held)
        self.assertEqual(self.postfix.queue()[0]["queue_name"], "hold")

    def test_two_runs_do_not_meet(self):
        self.put("a@acme.example", 3)
        runs = [subprocess.Popen(self.command(), stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True) for _ in range(4)]
        said = [run.communicate(timeout=120)[0] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0] * 4, said)
        self.wait_for_bounces("a@acme.example")
        self.at_rest()
        self.assertEqual(self.bounced(), ["a@acme.example"])

    def test_the_queue_is_shown_by_domain_and_by_message(self):
        waiting = self.put(["a@acme.example", "b@slow.example"], 1)
        for_postfix = ("--postfix-config", self.postfix.config)
        rows = {row["domain"]: row for row in
                json.loads(self.gateway.mxfeed("queue", "--json", *for_postfix).stdout)}
        self.assertEqual(set(rows), {"acme.example", "slow.example"})
        row = rows["acme.example"]
        self.assertEqual((row["messages"], row["held"]), (1, 0))
        self.assertIn("Connection refused", row["last_error"])
        # When the slower of the two is due.
        self.assertEqual(row["expires"], rows["slow.example"]["expires"])
        (row,) = json.loads(self.gateway.mxfeed("queue", "slow.example", "--json",
                                                *for_postfix).stdout)
        self.assertEqual((row["id"], row["recipient"]), (waiting, "b@slow.example"))
        self.assertIn("acme.example", self.gateway.mxfeed("queue", *for_postfix).stdout)

    def test_an_extension_keeps_mail_and_every_other_byte_of_the_file(self):
        waiting = self.put("a@acme.example", 3)
        file = self.gateway.config / "domains.d" / "domains.toml"
        before = file.read_bytes()
        self.addCleanup(self.gateway.apply_at_once)
        self.addCleanup(file.write_bytes, before)
        for_postfix = ("--postfix-config", self.postfix.config)

        def extend(hours):
            until = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + hours * 3600))
            return until, self.gateway.mxfeed("queue", "extend", "acme.example", "--until", until,
                                              *for_postfix, check=False)

        for hours, why in ((-1, "in the past"), (24 * 101, "more than 100 days"),
                           (24 * 98, "Postfix returns the oldest mail at")):
            with self.subTest(hours):
                _, done = extend(hours)
                self.assertEqual(done.returncode, 1)
                self.assertIn(why, done.stderr)
                self.assertEqual(file.read_bytes(), before)
        for hours in (48, 72):  # the second replaces the first
            until, done = extend(hours)
            self.assertEqual(done.returncode, 0, done.stderr)
            line = f'extend_until = "{until}"\n'.encode()
            self.assertEqual(file.read_bytes().replace(line, b"", 1), before)
        self.gateway.apply_at_once()
        self.keep()
        self.assert_waiting(waiting)

    def test_a_domain_can_be_flushed(self):
        self.put("a@acme.example", 0)
        other = self.put("b@slow.example", 0)
        path = queue_files.path_of(self.postfix, "deferred", other)
        before = path.stat().st_mtime
        self.customer.up()
        done = self.gateway.mxfeed("queue", "flush", "acme.example", "--postfix-config",
                                   self.postfix.config)
        self.assertIn("1 of 1 message are tried again", done.stdout)
        self.customer.wait_for_count(1)
        self.assertEqual(path.stat().st_mtime, before)

    def test_status_tells_that_the_keeper_does_not_run(self):
        run = self.gateway.state / "keeper" / "last_run"
        run.unlink(missing_ok=True)
        applied = self.gateway.state / "applied"
        os.utime(applied, (time.time() - 400, time.time() - 400))
        arguments = ("status", "--postfix-config", self.postfix.config)
        self.assertIn("the keeper has never run",
                      self.gateway.mxfeed(*arguments, check=False).stderr)
        self.keep()
        self.assertNotIn("keeper", self.gateway.mxfeed(*arguments).stderr)
        run.write_text(f"{int(time.time()) - 400}\n")
        self.assertIn("the keeper has not run since",
                      self.gateway.mxfeed(*arguments, check=False).stderr)


class NewsTest(KeeperCase):
    """Contacts are warned and the operator is told."""

    domains = "\n".join([
        '[customer]\nid = "acme"',
        'contacts = ["boss@sender.example", "it@acme.example"]',
        rig.feed("acme.example", OFF, 'queue_lifetime = "2d"')])

    def test_contacts_are_warned_once_by_a_way_that_is_not_hosted_here(self):
        posts = []

        class Webhook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", WEBHOOK_PORT), Webhook)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        for i in range(3):
            self.put(f"u{i}@acme.example", 1.5)
        self.keep()
        self.keep()
        (warning,) = self.sender.wait_for_count(1)
        self.assertEqual(warning.recipients, ("boss@sender.example",))
        self.assertEqual(warning.sender, "postmaster@mx1.gateway.example")
        self.assertIn(b"Mail for acme.example will be returned", warning.data)
        self.assertIn(b"3 messages will be returned", warning.data)
        self.assertIn(b"Connection refused", warning.data)
        self.assertEqual([(post["kind"], post["domain"]) for post in posts],
                         [("expiring", "acme.example")])
        self.assertEqual(ALERTS.read_text().count('"kind": "expiring"'), 1)


class KilledKeeperTest(KeeperCase):

    def batch(self, number):
        """Messages to two recipients each that are due; {sender: recipients}."""
        wanted = {}
        with self.session() as session:
            for i in range(MESSAGES):
                name = f"s{number}-{i}"
                recipients = [f"{name}a@acme.example", f"{name}b@acme.example"][:1 + i % 4 % 3]
                outcome = session.send(f"{name}@sender.example", recipients, rig.mail("due"))
                self.assertTrue(outcome.accepted, outcome.last)
                wanted[f"{name}@sender.example"] = recipients
        for queue_id in self.wait_for_deferral(MESSAGES):
            queue_files.set_age(self.postfix, queue_id, 3 * DAY)
        return wanted

    def test_a_keeper_that_is_killed_at_any_point_loses_nothing(self):
        chance = random.Random(int(os.environ.get("MXFEED_SEED", "8")))
        allow = str(MESSAGES)
        wanted, batches, kills = {}, 0, 0
        longest = 1.0
        while kills < KILLS:
            if not self.postfix.queue():
                wanted.update(self.batch(batches))
                batches += 1
            start = time.monotonic()
            run = subprocess.Popen(self.command(allow=allow), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
            try:
                run.wait(chance.uniform(0.0, longest))
                self.assertEqual(run.returncode, 0)
                longest = time.monotonic() - start
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
                kills += 1

        def ended():
            self.keep(allow=allow)
            return not self.postfix.queue()
        rig.eventually(ended, "all have expired", 60)
        expected = sorted(one for recipients in wanted.values() for one in recipients)
        rig.eventually(lambda: len(self.bounced()) >= len(expected), "all bounces came")
        self.at_rest()
        self.assertEqual(self.bounced(), expected)
        for bounce in self.sender.received():
            for line in bounce.data.decode().splitlines():
                if line.startswith("Final-Recipient: rfc822; "):
                    self.assertIn(line.split()[2], wanted[bounce.recipients[0]])
        # One bounce for each message.
        self.assertEqual(len(self.sender.received()), len(wanted))
        print(f"killed {kills} times with {len(wanted)} messages")


if __name__ == "__main__":
    rig.main()
