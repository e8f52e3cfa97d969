# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways, each with a Postfix in a network of its own, share their greylist through a
Redis on TCP."""

import tempfile
import time
import unittest

import gateway as gateways
import networks
import redis_server
import rig
import smtp_client
import smtp_sink

REDIS = "192.0.2.1"  # and the router of both
PASSWORD = "correct-horse"
BUDGET = 0.3  # kRedisBudget of the filter
SLACK = 1  # for Postfix, a sanitizer and a busy machine
ADDRESSES = {"mx1.pair.example": "192.0.2.11", "mx2.pair.example": "192.0.2.12"}
rig.NAMES.update(ADDRESSES)


class Pair:
    """One gateway of the two."""

    def __init__(self, bridge, directory, host, password_file):
        self.address = ADDRESSES[host]
        self.network = bridge.join(f"{self.address}/24")
        # Both use the same port of 127.0.0.1, each in its network.
        self.gateway = gateways.Gateway(directory, f"{self.address}:25", host=host,
                                        transport="inet")
        self.gateway.configure(
            rig.feed("acme.example", 'greylist = { when = "always", delay = "1s" }'),
            '[greylist]\nstore = "redis"\nipv4_prefix = 32\n'
            f'[redis]\nservers = ["{REDIS}:6379"]\npassword_file = "{password_file}"\n')

    def start(self):
        with self.network:
            self.gateway.start(daemons=("greylist",))
            # The other filters do not run.
            only = self.gateway.milters().partition("}")[0] + "}"
            self.gateway.postfix.edit(mxfeed_smtpd_milters=only)
            self.gateway.postfix.reload()

    def stop(self):
        with self.network:
            self.gateway.stop()

    def restart_filter(self):
        """It keeps only what is stored."""
        self.greylist.stop()
        with self.network:
            self.greylist.start()

    @property
    def greylist(self):
        return self.gateway.daemons["greylist"]

    @property
    def uses_redis(self):
        return self.greylist.metric("mxfeed_greylist_redis_up") == 1


class SharedGreylistTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not redis_server.PROGRAM.exists():
            raise unittest.SkipTest("redis-server is not installed")
        world = rig.World.get()
        bridge = networks.Bridge(f"{REDIS}/24")
        cls.redis = redis_server.RedisServer(
            world.directory / "redis",
            (f"bind {REDIS}", "port 6379", f"requirepass {PASSWORD}"))
        cls.addClassCleanup(cls.redis.kill)
        cls.redis.start()
        password_file = world.directory / "redis.password"
        password_file.write_text(PASSWORD + "\n")
        cls.pair = []
        for host in ADDRESSES:
            one = Pair(bridge, tempfile.mkdtemp(dir=world.directory), host, password_file)
            cls.addClassCleanup(one.stop)
            one.start()
            cls.pair.append(one)
        cls.customer = smtp_sink.Sink(rig.CUSTOMER, 25).up()
        cls.addClassCleanup(cls.customer.down)

    def setUp(self):
        self.customer.clear()
        self.longest = 0  # of the commands

    def code(self, host, sender, source=rig.SENDER):
        """Of one try to bring a message from there."""
        with smtp_client.Session(host.address, 25, source=source) as session:
            command = session.command

            def timed(line):
                begin = time.monotonic()
                reply = command(line)
                self.longest = max(self.longest, time.monotonic() - begin)
                return reply

            session.command = timed
            outcome = session.send(sender, ["info@acme.example"], rig.mail("x"))
        return 250 if outcome.accepted else outcome.last.code

    def pass_at(self, host, sender, source):
        rig.eventually(lambda: self.code(host, sender, source) == 250, "the retry passes")

    def learn(self, host, sender, source):
        self.assertEqual(self.code(host, sender, source), 450)
        self.pass_at(host, sender, source)

    def assert_shared(self, one, other, source):
        """What begins to wait at one passes at the other."""
        self.assertEqual(self.code(one, "anna@sender.example", source), 450)
        self.pass_at(other, "anna@sender.example", source)
        self.assertFalse(other.greylist.log_lines("reason=greylist-first-seen",
                                                  f"client={source}"))

    def test_a_retry_at_the_other_gateway_is_delivered(self):
        one, other = self.pair
        source = "198.51.100.30"
        self.assert_shared(one, other, source)
        self.customer.wait_for_count(1)
        # And the first one knows it from now on.
        self.assertEqual(self.code(one, "anna@sender.example", source), 250)
        self.customer.wait_for_count(2)

    def test_a_redis_that_comes_back_empty_costs_no_mail(self):
        for number, host in enumerate(self.pair):
            self.learn(host, f"known@{number}.example", f"198.51.100.4{number}")
        self.longest = 0
        self.redis.kill()
        for number, host in enumerate(self.pair):
            with self.subTest("without Redis", host=host.address):
                host.restart_filter()
                self.assertEqual(
                    self.code(host, f"known@{number}.example", f"198.51.100.4{number}"), 250)
                for i in range(10):
                    self.assertEqual(self.code(host, f"anna@{number}-{i}.example"), 450)
                self.learn(host, f"new@{number}.example", f"198.51.100.5{number}")
                self.assertFalse(host.uses_redis)
        self.redis.start()
        for number, host in enumerate(self.pair):
            with self.subTest("Redis is empty", host=host.address):
                rig.eventually(lambda host=host: host.uses_redis or self.code(
                    host, f"{time.monotonic_ns()}@probe.example") != 450, "Redis is back")
                self.assertTrue(host.uses_redis)
                host.restart_filter()
                for sender, source in ((f"known@{number}.example", f"198.51.100.4{number}"),
                                       (f"new@{number}.example", f"198.51.100.5{number}"),
                                       # Which has waited since Redis was away.
                                       (f"anna@{number}-0.example", rig.SENDER)):
                    self.assertEqual(self.code(host, sender, source), 250, sender)
                self.assertEqual(host.greylist.metric(
                    'mxfeed_greylist_recipients_total{outcome="store-fault"}'), 0)
        self.assertLess(self.longest, BUDGET + SLACK)
        print(f"longest command: {self.longest:.2f} s; the budget of Redis is {BUDGET} s")
        self.assert_shared(*reversed(self.pair), "198.51.100.60")


if __name__ == "__main__":
    rig.main()
