# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways that share their greylist through a Redis."""

import time

import daemons
import redis_server

SENDER = "news@sender.example"
TO = "info@acme.example"
MESSAGE = b"From: news@sender.example\r\nSubject: x\r\n\r\nbody\r\n"
BUDGET = 0.3  # kRedisBudget


class SharedGreylistTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        if not redis_server.PROGRAM.exists():
            self.skipTest("redis-server is not installed")
        self.redis = redis_server.RedisServer(self.directory / "redis")
        self.addCleanup(self.redis.kill)
        self.redis.start()

    def gateway(self, name, more="", delay="1s"):
        directory = self.directory / name
        directory.mkdir()
        gateway = daemons.Daemon("greylist", directory / "state", directory)
        self.addCleanup(self._end, gateway)
        daemons.apply(gateway.state,
                      daemons.feed("acme.example",
                                   greylist=f'{{ when = "always", delay = "{delay}" }}'),
                      f'{daemons.PLAIN_GREYLIST}store = "redis"\n{more}'
                      f'[redis]\nservers = ["unix:{self.redis.socket}"]\n')
        return gateway.start()

    def code(self, gateway, sender=SENDER, recipient=TO):
        with self.mta(gateway) as mta:
            result = mta.send(sender, [recipient], MESSAGE)
        self.assertFalse(result.milter_failed, gateway.log())
        return result.recipients[0].code

    def test_a_retry_at_the_other_gateway_passes(self):
        one, other = self.gateway("one"), self.gateway("other")
        self.assertEqual(self.code(one), 450)
        self.eventually(lambda: self.code(other) == 250, "the retry passes")
        self.assertEqual(other.log_lines("reason=greylist-first-seen"), [])
        self.assertEqual(self.code(one), 250)
        self.assertTrue(one.log_lines("reason=greylist-known"))

    def test_without_redis_the_own_database_decides(self):
        one, other = self.gateway("one"), self.gateway("other")
        self.assertEqual(self.code(one), 450)
        self.eventually(lambda: self.code(one) == 250, "the retry passes")
        for how, stop, start in (("killed", self.redis.kill, self.redis.start),
                                 ("hangs", self.redis.hang, self.redis.go_on)):
            stop()
            # Known, as it was learned by this gateway.
            self.assertEqual(self.code(one), 250)
            longest = 0
            for i in range(20):
                begin = time.monotonic()
                self.assertEqual(self.code(one, f"anna@{how}{i}.example"), 450,
                                 one.log())
                longest = max(longest, time.monotonic() - begin)
            self.assertLess(longest, BUDGET + 1)
            self.assertEqual(one.metric("mxfeed_greylist_redis_up"), 0)
            self.assertEqual(one.metric("mxfeed_greylist_redis_faults_total") > 0, True)
            sender = f"anna@{how}.example"
            self.assertEqual(self.code(one, sender), 450)
            start()
            # It is asked of senders that are not known.
            self.eventually(lambda: self.code(one, f"{time.monotonic_ns()}@a.example") == 450
                            and one.metric("mxfeed_greylist_redis_up") == 1,
                            "Redis is back", 60)
            # What waited meanwhile need not wait again.
            self.assertEqual(self.code(one, sender), 250)
            self.assertEqual(one.metric('mxfeed_greylist_recipients_total{outcome="store-fault"}'),
                             0)
        self.assertTrue(one.log_lines("event=greylist-redis", "state=away"))
        self.assertTrue(one.log_lines("event=greylist-redis", "state=up"))
        self.assertEqual(self.code(other, f"{time.monotonic_ns()}@new.example"), 450)

    def test_without_a_fallback_mail_passes_meanwhile(self):
        one = self.gateway("one", "fallback = false\n", delay="1h")
        self.assertEqual(self.code(one), 450)
        self.redis.kill()
        self.assertEqual(self.code(one), 250)
        self.assertTrue(one.log_lines("reason=greylist-store-fault"))
        self.redis.start()
        self.eventually(lambda: self.code(one, f"{time.monotonic_ns()}@a.example") == 450,
                        "Redis is back", 60)

    def test_a_redis_that_refuses_costs_no_mail(self):
        one = self.gateway("one", delay="1h")
        self.redis.ask("CONFIG SET maxmemory 1")
        self.redis.ask("CONFIG SET maxmemory-policy noeviction")
        self.assertEqual(self.code(one), 450)
        self.assertEqual(self.code(one), 450)
        self.assertEqual(one.metric('mxfeed_greylist_recipients_total{outcome="too-early"}'), 1)

    def test_the_operator_sees_what_is_shared(self):
        one = self.gateway("one", delay="1h")
        self.assertEqual(self.code(one), 450)
        listed = daemons.subprocess.run(
            [daemons.program("mxfeed"), "greylist", "list", "--state", one.state], text=True,
            capture_output=True, timeout=30, check=False)
        self.assertRegex(listed.stdout, r"network +198\.51\.100\.0/24 +acme\.example +waiting ",
                         listed.stderr)


if __name__ == "__main__":
    daemons.main()
