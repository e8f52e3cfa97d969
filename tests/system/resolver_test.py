# SPDX-License-Identifier: GPL-2.0-or-later
"""The resolver and the SPF checker of common/net ask a real name server, as
/etc/resolv.conf names it."""

import os
import signal
import subprocess
import time
import unittest

import rig
from service import BUILD

LONG = " ".join(f'"{chr(97 + n % 26) * 200}"' for n in range(20))  # longer than a datagram

rig.RECORDS += [
    "d.example. 300 MX 20 mx2.d.example.",
    "d.example. 300 MX 10 mx1.d.example.",
    "mx1.d.example. 60 A 203.0.113.1",
    "mx1.d.example. 60 AAAA 2001:db8::1",
    "www.d.example. 30 CNAME mx1.d.example.",
    "_25._tcp.mx1.d.example. 60 TLSA 3 1 1 " + "ab" * 32,
    'd.example. 120 TXT "v=spf1 mx include:i.example " "-all exp=why.d.example"',
    'i.example. 120 TXT "v=spf1 exists:%{ir}.list.example -all"',
    "7.100.51.198.list.example. 60 A 127.0.0.2",
    'why.d.example. 120 TXT "%{i} may not send for %{o}"',
    "d.example. 60 NS ns.d.example.",
    f"long.example. 60 TXT {LONG}",
]


def ask(*words, milliseconds=5000):
    """The lines that the program prints, and the seconds that it took."""
    begin = time.monotonic()
    done = subprocess.run([BUILD / "bin" / "ask_dns", str(milliseconds), *words],
                          stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return done.stdout.splitlines(), time.monotonic() - begin


class ResolverTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = rig.World.get()

    def test_records_of_every_type_are_found(self):
        for words, wanted in {
            ("MX", "d.example"): ["found 300", "10 mx1.d.example", "20 mx2.d.example"],
            ("A", "mx1.d.example"): ["found 60", "203.0.113.1"],
            ("AAAA", "mx1.d.example"): ["found 60", "2001:db8::1"],
            ("CNAME", "www.d.example"): ["found 30", "mx1.d.example"],
            ("NS", "d.example"): ["found 60", "ns.d.example"],
            ("TLSA", "_25._tcp.mx1.d.example"): ["found 60", "3 1 1 " + "ab" * 32],
            ("PTR", "7.100.51.198.in-addr.arpa"): ["found 60", "mail.sender.example"],
            ("TXT", "why.d.example"): ["found 120", "%{i} may not send for %{o}"],
        }.items():
            with self.subTest(words):
                self.assertEqual(ask(*words)[0], wanted)

    def test_an_answer_longer_than_a_datagram_comes_whole(self):
        lines, _ = ask("TXT", "long.example")
        self.assertEqual(lines[1], LONG.replace('"', "").replace(" ", ""))

    def test_no_name_and_no_record_are_told_apart(self):
        self.assertEqual(ask("A", "nobody.d.example")[0], ["absent no name"])
        self.assertEqual(ask("TXT", "mx1.d.example")[0], ["absent no record"])

    def test_spf_is_checked(self):
        for sender, address, wanted in (
            ("a@d.example", "203.0.113.1", "pass mx "),
            ("a@d.example", "2001:db8::1", "pass mx "),
            ("a@d.example", "198.51.100.7", "pass include:i.example "),
            ("a@d.example", "198.51.100.8", "fail all 198.51.100.8 may not send for d.example"),
            ("a@mx1.d.example", "198.51.100.8", "none  "),
        ):
            with self.subTest(sender=sender, address=address):
                self.assertEqual(ask("spf", address, "helo.example", sender)[0], [wanted])

    def test_a_stopped_name_server_costs_the_budget_and_no_more(self):
        server = self.world.resolver
        os.kill(server.pid, signal.SIGSTOP)
        try:
            lines, seconds = ask("A", "mx1.d.example", milliseconds=700)
            self.assertEqual(lines, ["temporary timed out"])
            self.assertLess(seconds, 0.7 + 2)
            lines, seconds = ask("spf", "203.0.113.1", "helo.example", "a@d.example",
                                 milliseconds=700)
            self.assertEqual(lines, ["temperror  "])
            self.assertLess(seconds, 0.7 + 2)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        self.assertEqual(ask("A", "mx1.d.example", milliseconds=20000)[0][0], "found 60")


if __name__ == "__main__":
    rig.main()
