# SPDX-License-Identifier: GPL-2.0-or-later
"""The customer's server refuses what was taken here: only a verified sender gets a bounce, the
rest is on hold for seven days.

MXFEED_MESSAGES says with how many messages, MXFEED_KILLS how often the keeper is killed.
"""

import json
import os
import random
import subprocess
import time

import queue_files
import recovery_test
import rig
from keeper_test import DAY, KILLS, OFF, KeeperCase

MESSAGES = int(os.environ.get("MXFEED_MESSAGES", "40"))
VERIFIED = 10
NO_SUCH_USER = "550 5.1.1 No such user"
PASSED = "spf=pass smtp.mailfrom=sender.example"
WEEK = 7 * DAY
BATCH = 10  # messages that a keeper that is killed works on

# A sender with SPF, whose mail comes from there only.
rig.RECORDS += [f"proven.example. A {rig.SENDER}",
                f'proven.example. TXT "v=spf1 ip4:{rig.SENDER} -all"']


class RefusalsCase(KeeperCase):
    """The server is up.  acme.example has no on_refusal."""

    domains = "\n".join([
        rig.feed("acme.example", OFF, 'queue_lifetime = "2d"'),
        rig.feed("hold.example", OFF, 'on_refusal = "hold"'),
        rig.feed("bounce.example", OFF, 'on_refusal = "bounce"'),
        rig.feed("protect.example", OFF, 'state = "protect"'),
    ])

    def setUp(self):
        super().setUp()
        self.customer.up()
        self.addCleanup(self.customer.answers.clear)

    def refuse(self, *recipients, reply=NO_SUCH_USER):
        for one in recipients:
            self.customer.answers[one] = reply

    def submit(self, *recipients, sender="anna@sender.example", fields=(PASSED,), text="refused"):
        """A message of a sender with these values of our field, past the filters."""
        header = b"".join(f"X-Mxfeed-Sender: {value}\n".encode() for value in fields)
        self.postfix.submit(sender, recipients, header + rig.mail(text).replace(b"\r\n", b"\n"))

    def put(self, *recipients, count=1, **options):
        """The same, once it has been tried; the queue id."""
        before = {message["queue_id"] for message in self.postfix.queue()}
        self.submit(*recipients, **options)
        (queue_id,) = set(self.wait_for_deferral(len(before) + count)) - before
        return queue_id

    def wait_for_deferral(self, count):
        """As in the base, but what is on hold has been tried as well."""
        def tried():
            queue = self.postfix.queue()
            return len(queue) == count and all(
                message["queue_name"] in ("deferred", "hold") and
                all("delay_reason" in one for one in message["recipients"]) for message in queue)
        rig.eventually(tried, f"{count} messages are tried", 60)
        return [message["queue_id"] for message in self.postfix.queue()]

    def queues(self):
        """{queue id: the queue it is in}"""
        self.at_rest()
        return {message["queue_id"]: message["queue_name"] for message in self.postfix.queue()}

    def keep_later(self, seconds):
        """A run so much later, of a host that was up all the time."""
        since_boot = int(time.clock_gettime(time.CLOCK_BOOTTIME))
        return self.keep(self.clock(seconds, since_boot=since_boot + seconds))

    def shown(self, *domain):
        """The rows of mxfeed queue."""
        return json.loads(self.gateway.mxfeed("queue", *domain, "--json", "--postfix-config",
                                              self.postfix.config).stdout)

    def release(self, queue_id):
        """As the operator does."""
        subprocess.run(["postsuper", "-c", self.postfix.config, "-H", queue_id], check=True,
                       capture_output=True)


class RefusalsTest(RefusalsCase):

    def test_a_wave_of_spam_with_forged_senders_causes_no_bounce(self):
        forged = [f"u{i}@acme.example" for i in range(MESSAGES)]
        verified = [f"v{i}@acme.example" for i in range(VERIFIED)]
        self.refuse(*forged, *verified)
        # Some come by SMTP through the filters, the rest says that SPF did not pass.
        with self.session() as session:
            for i, recipient in enumerate(forged):
                if i % 2 == 0:
                    self.assertTrue(session.send(f"f{i}@sender.example", [recipient],
                                                 rig.mail("cheap")).accepted)
                else:
                    self.submit(recipient, sender=f"f{i}@sender.example",
                                fields=("spf=fail smtp.mailfrom=sender.example",))
        for i, recipient in enumerate(verified):
            self.submit(recipient, sender=f"v{i}@sender.example")
        self.wait_for_deferral(MESSAGES + VERIFIED)
        start = time.monotonic()
        said = self.keep()
        took = time.monotonic() - start
        while "hold" in said and "deferred" in self.queues().values():
            said = self.keep()  # it reads a bounded number of messages in a run
        self.wait_for_bounces(*verified)
        self.assertEqual(sorted(one.recipients[0] for one in self.sender.received()),
                         [f"v{i}@sender.example" for i in range(VERIFIED)])
        rig.eventually(lambda: len(self.postfix.queue()) == MESSAGES, "the bounces are gone")
        self.assertEqual(set(self.queues().values()), {"hold"})
        self.assertEqual(self.alerts(), ["held"])
        row, = self.shown()
        self.assertEqual((row["messages"], row["held"], row["held_by_keeper"], row["refused"]),
                         (MESSAGES, MESSAGES, MESSAGES, MESSAGES))

        self.keep()
        self.keep_later(WEEK - 600)
        self.assertEqual(len(self.queues()), MESSAGES)
        said = self.keep_later(WEEK + 60)
        self.assertIn(f"{MESSAGES} deleted", said)
        self.assertEqual(said.count("keeper=discard"), MESSAGES)
        self.assertEqual(self.queues(), {})
        self.assertEqual(self.bounced(), sorted(verified))
        self.assertEqual(self.alerts(), ["held", "discarded"])
        print(f"{MESSAGES} messages of forged senders held, {VERIFIED} bounces, "
              f"the first run took {took:.1f} s")

    def test_a_sender_that_passed_spf_at_reception_gets_the_bounce(self):
        self.refuse("x@acme.example", "y@acme.example")
        self.accept("x@acme.example", rig.mail("true"), sender="anna@proven.example")
        self.accept("y@acme.example", rig.mail("forged", X_Mxfeed_Sender=PASSED),
                    sender="anna@proven.example", source="198.51.100.9")
        self.wait_for_deferral(2)
        self.keep()
        self.wait_for_bounces("x@acme.example")
        self.assertEqual(list(self.queues().values()), ["hold"])

    def test_only_the_recipient_that_was_refused_bounces(self):
        self.refuse("gone@acme.example")
        queue_id = self.put("gone@acme.example", "info@acme.example")
        self.assertEqual(self.postfix.waiting(), {(queue_id, "gone@acme.example")})
        self.keep()
        self.wait_for_bounces("gone@acme.example")
        self.assertEqual(len(self.customer.wait_for_count(1)), 1)
        bounce, = self.sender.received()
        self.assertIn(b"No such user", bounce.data)
        self.assertIn(b"mx1.gateway.example", bounce.data)
        self.assertEqual(self.queues(), {})

    def test_a_recipient_that_is_deferred_is_never_held(self):
        self.refuse("late@acme.example", reply="451 4.3.2 said: 550 5.1.1")
        late = self.put("late@acme.example", fields=())
        self.refuse("gone@acme.example")
        both = self.put("late@acme.example", "gone@acme.example")
        for _ in range(3):
            self.keep()
        self.assertEqual(self.queues(), {late: "deferred", both: "deferred"})
        del self.customer.answers["late@acme.example"]
        self.postfix.flush()
        self.customer.wait_for_count(2)
        self.wait_for_deferral(1)
        self.keep()
        self.wait_for_bounces("gone@acme.example")

    def test_refused_mail_of_two_recipients_has_one_bounce(self):
        self.refuse("a@acme.example", "b@acme.example")
        self.put("a@acme.example", "b@acme.example")
        self.keep()
        self.wait_for_bounces("a@acme.example", "b@acme.example")
        self.assertEqual(len(self.sender.received()), 1)
        self.assertEqual(self.queues(), {})

    def test_the_rule_of_the_domain_decides(self):
        self.refuse("x@hold.example", "x@bounce.example", "x@protect.example")
        self.submit("x@bounce.example")
        self.wait_for_bounces("x@bounce.example")  # Postfix itself
        rig.eventually(lambda: not self.postfix.queue(), "the bounce has left the queue")
        held = self.put("x@hold.example")
        protected = self.put("x@protect.example")
        self.keep()
        self.keep()
        self.assertEqual(self.queues(), {held: "hold", protected: "deferred"})
        self.assertEqual(self.bounced(), ["x@bounce.example"])

    def test_what_was_refused_in_protect_is_tried_again_before_it_ends(self):
        file = self.gateway.config / "domains.d" / "domains.toml"
        before = file.read_text()
        self.addCleanup(self.gateway.apply_at_once)
        self.addCleanup(file.write_text, before)
        self.refuse("x@protect.example")
        self.put("x@protect.example")
        self.keep()
        self.customer.answers.clear()
        file.write_text(before.replace('state = "protect"', 'state = "active"'))
        self.gateway.apply_at_once()
        self.keep_later(600)
        self.customer.wait_for_count(1)
        self.assertEqual(self.bounced(), [])

    def test_the_field_must_be_there_once_and_be_ours(self):
        cases = {"none": (), "two": (PASSED, PASSED), "another result":
                 ("spf=softfail smtp.mailfrom=sender.example",), "by HELO":
                 ("spf=pass smtp.helo=sender.example",), "malformed": ("yes",)}
        for i, (name, fields) in enumerate(cases.items()):
            with self.subTest(name):
                recipient = f"x{i}@acme.example"
                self.refuse(recipient)
                self.put(recipient, fields=fields)
        self.refuse("null@acme.example")
        self.put("null@acme.example", sender="<>")
        self.keep()
        self.assertEqual(list(self.queues().values()), ["hold"] * (len(cases) + 1))
        self.assertEqual(self.bounced(), [])
        self.refuse("own@acme.example")
        self.put("own@acme.example", fields=("own",))
        self.keep()
        self.wait_for_bounces("own@acme.example")

    def test_our_field_stays_here(self):
        for domain in ("acme.example", "bounce.example"):
            self.customer.clear()
            self.submit(f"x@{domain}", text="kept subject")
            (delivery,) = self.customer.wait_for_count(1)
            self.assertEqual(delivery.header("X-Mxfeed-Sender"), [])
            self.assertEqual(delivery.header("Subject"), [b" kept subject"])

    def test_mail_that_the_operator_releases_is_handled_anew(self):
        self.refuse("x@acme.example", "y@acme.example")
        good = self.put("x@acme.example", fields=())
        bad = self.put("y@acme.example", fields=())
        self.keep()
        self.assertEqual(self.queues(), {good: "hold", bad: "hold"})
        del self.customer.answers["x@acme.example"]
        tries = len(self.postfix.log_lines(bad, "SOFTBOUNCE"))
        self.release(good)
        self.release(bad)
        self.keep()
        self.customer.wait_for_count(1)
        rig.eventually(lambda: len(self.postfix.log_lines(bad, "SOFTBOUNCE")) > tries,
                       "it is tried again")
        self.wait_for_deferral(1)
        self.keep()
        self.assertEqual(self.queues(), {bad: "hold"})
        # Its time begins anew; nothing is left of the other.
        self.keep_later(WEEK + 60)
        self.assertEqual(self.queues(), {})
        self.assertEqual(self.bounced(), [])

    def test_what_somebody_else_holds_is_left_alone(self):
        self.refuse("x@acme.example", "y@acme.example")
        foreign = self.put("x@acme.example", fields=())
        subprocess.run(["postsuper", "-c", self.postfix.config, "-h", foreign], check=True,
                       capture_output=True)
        ours = self.put("y@acme.example", fields=())
        self.keep()
        self.assertEqual(self.queues(), {foreign: "hold", ours: "hold"})
        self.release(ours)
        self.keep()
        self.wait_for_deferral(2)
        subprocess.run(["postsuper", "-c", self.postfix.config, "-h", ours], check=True,
                       capture_output=True)
        self.keep_later(2 * WEEK)
        self.assertEqual(self.queues(), {foreign: "hold", ours: "hold"})

    def test_expired_mail_follows_the_rule(self):
        self.customer.down()
        self.submit("v@acme.example", sender="v@sender.example")
        self.submit("f@acme.example", sender="f@sender.example", fields=())
        self.submit("n@acme.example", sender="<>")
        for queue_id in self.wait_for_deferral(3):
            queue_files.set_age(self.postfix, queue_id, 3 * DAY)
        self.keep()
        self.wait_for_bounces("v@acme.example")
        rig.eventually(lambda: len(self.postfix.queue()) == 2, "the bounce is gone")
        self.assertEqual(set(self.queues().values()), {"hold"})
        self.assertIn("2 deleted", self.keep_later(WEEK + 60))
        self.assertEqual(self.queues(), {})
        self.assertEqual(self.bounced(), ["v@acme.example"])

    def test_many_bounces_wait_for_the_operator_and_the_rest_is_held(self):
        count = 101
        bounced = [f"v{i}@acme.example" for i in range(count)]
        self.refuse(*bounced, "f@acme.example")
        for one in bounced:
            self.submit(one)
        self.submit("f@acme.example", fields=())
        self.wait_for_deferral(count + 1)
        self.assertIn(f"refused: {count} of {count + 1}", self.keep(status=1))
        self.assertEqual(sorted(self.queues().values()), ["deferred"] * count + ["hold"])
        self.assertEqual(self.alerts(), ["brake", "held"])
        self.keep(allow=str(count))
        self.wait_for_bounces(*bounced)


class RecoveryTest(recovery_test.RecoveryTest):
    """The same with the rule that a domain has by default: nothing ends in a trial."""

    domains = rig.feed("acme.example", OFF, 'queue_lifetime = "2d"')

    def tearDown(self):
        self.assertNotIn("hold", {message["queue_name"] for message in self.postfix.queue()})
        super().tearDown()


class KilledKeeperTest(RefusalsCase):

    def test_a_keeper_that_is_killed_at_any_point_knows_what_it_holds(self):
        chance = random.Random(int(os.environ.get("MXFEED_SEED", "8")))
        wanted, kills, sent = [], 0, 0
        longest = 1.0
        while kills < KILLS:
            if "deferred" not in self.queues().values():
                for _ in range(BATCH):
                    recipients = [f"{name}{sent}@acme.example" for name in "ab"[:1 + sent % 2]]
                    self.refuse(*recipients)
                    is_verified = sent % 3 == 0
                    self.submit(*recipients, sender=f"s{sent}@sender.example",
                                fields=(PASSED,) if is_verified else ())
                    wanted += recipients if is_verified else []
                    sent += 1
                self.at_rest()
            start = time.monotonic()
            run = subprocess.Popen(self.command(allow="100"), stdout=subprocess.DEVNULL,
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
            self.keep(allow="100")
            return set(self.queues().values()) == {"hold"}
        rig.eventually(ended, "all have ended", 60)
        self.wait_for_bounces(*wanted)
        self.assertEqual(len(self.queues()), sent - (sent + 2) // 3)
        # Each of them is known: none stays.
        self.keep_later(WEEK + 60)
        self.assertEqual(self.queues(), {})
        self.assertEqual(self.bounced(), sorted(wanted))
        print(f"killed {kills} times with {sent} messages")


if __name__ == "__main__":
    rig.main()
