# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed greylist simulate --spf` asks a real name server, as /etc/resolv.conf names it."""

import json
import os
import signal
import subprocess
import time
import unittest

import rig
from service import program

SPF_TIMEOUT = 2  # at least
POOL = ("198.51.100.7", "203.0.113.9")

rig.RECORDS += [
    'pool.example. 60 TXT "v=spf1 include:hosts.example -all"',
    f'hosts.example. 60 TXT "v=spf1 ip4:{POOL[0]} ip4:{POOL[1]} -all"',
    'strict.example. 60 TXT "v=spf1 ip4:192.0.2.77 -all"',
]


def accepted(number, address, sender):
    """What Postfix logs of a message that it has taken."""
    def line(rest):
        return f"2026-11-24T{8 + number:02}:00:00+00:00 mx1 postfix/{rest}\n"
    name = f"4X{number:05X}"
    return "".join([
        line(f"smtpd[7]: {name}: client=unknown[{address}]"),
        line(f"qmgr[8]: {name}: from=<{sender}>, size=9, nrcpt=1 (queue active)"),
        line(f"smtp[9]: {name}: to=<info@acme.example>, relay=x[192.0.2.25]:25, delay=1, "
             "delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)"),
        line(f"qmgr[8]: {name}: removed")])


class SimulateTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = rig.World.get()
        cls.state = cls.world.directory / "state"
        (cls.state / "greylist").mkdir(parents=True)

    def simulate(self, *options, domain="pool.example"):
        """Counts by identity of two messages, from two networks."""
        text = "".join(accepted(number, address, f"u{number}@{domain}")
                       for number, address in enumerate(POOL))
        done = subprocess.run(
            [program("mxfeed"), "greylist", "simulate", "--all-domains", "--json", *options,
             "--state", self.state, "-"], input=text, text=True, capture_output=True, timeout=60,
            check=True)
        told = json.loads(done.stdout)
        self.assertEqual(told["spf"], "--spf" in options)
        return told["at_once"], told["delayed"]

    def test_a_pool_is_one_sender_by_spf(self):
        none = {"domain": 0, "name": 0, "network": 0}
        self.assertEqual(self.simulate(), (none, {**none, "network": 2}))
        self.assertEqual(self.simulate("--spf"), ({**none, "domain": 1}, {**none, "domain": 1}))
        for domain in ("strict.example", "unknown.example"):
            with self.subTest(domain):
                self.assertEqual(self.simulate("--spf", domain=domain),
                                 (none, {**none, "network": 2}))

    def test_a_dead_name_server_costs_the_timeout_and_no_more(self):
        os.kill(self.world.resolver.pid, signal.SIGSTOP)
        try:
            begin = time.monotonic()
            self.assertEqual(self.simulate("--spf")[1]["network"], 2)
            took = time.monotonic() - begin
        finally:
            os.kill(self.world.resolver.pid, signal.SIGCONT)
        print(f"a dead name server: {took:.2f} s for 2 checks of at most {SPF_TIMEOUT} s")
        self.assertLess(took, 2 * SPF_TIMEOUT + 3)


if __name__ == "__main__":
    rig.main()
