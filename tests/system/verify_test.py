# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed verify` against real servers: open relays and closed ones, and what else it tells.

All servers are services of one Postfix, each with an address, a domain and rules of its own.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import rig
import smtp_sink
from postfix import Postfix
from service import BUILD, eventually

OUTSIDE = "198.51.100.200"  # not a gateway
CLOSED = "smtpd_relay_restrictions=reject_unauth_destination"


def by_sender(key):
    return f"smtpd_relay_restrictions=check_sender_access,inline:{{{{{key}=OK}}}}," \
           "reject_unauth_destination"


# name -> the options of its smtpd.
OPEN = {
    "everybody": ["smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination",
                  "mynetworks=0.0.0.0/0"],
    "own-sender": [by_sender("own-sender.example")],
    "null-sender": [by_sender("<>")],
    "localhost-sender": [by_sender("localhost")],
    # user%elsewhere@own.example is followed, though it has no such user.
    "routing": [CLOSED, "allow_untrusted_routing=yes",
                "relay_recipient_maps=$known,regexp:$config_directory/routed"],
}
CLOSED_ONES = {
    "plain": [CLOSED],
    "catch-all": [CLOSED, "relay_recipient_maps="],
    "trusts-gateway": ["smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination",
                       f"mynetworks={rig.GATEWAY}/32"],
    "greylists": [CLOSED, "smtpd_recipient_restrictions=defer"],
    "impatient": [CLOSED, "smtpd_hard_error_limit=2", "smtpd_soft_error_limit=1",
                  "smtpd_error_sleep_time=0"],
}
# Servers with one certificate, which they made; what the domains demand.
SERVER = "mail.customers.example"
TLS = {
    "unproved": "",
    "proved": f'tls = {{ level = "verify", name = "{SERVER}" }}',
    "misnamed": 'tls = { level = "verify", name = "mail.other.example" }',
    "pinned": 'tls = { fingerprint = "FINGERPRINT" }',
    "mispinned": f'tls = {{ fingerprint = "{":".join(["AB"] * 32)}" }}',
}
OTHERS = {
    "small": [CLOSED, "message_size_limit=1000000"],
    "spf-trap": [CLOSED, "smtpd_sender_restrictions=check_sender_access,"
                         "inline:{{spf-trap.example=REJECT}}"],
    "locked": [CLOSED, f"smtpd_client_restrictions=check_client_access,"
                       f"inline:{{{{{rig.GATEWAY}=OK}}}},reject", "smtpd_delay_reject=no"],
    **dict.fromkeys(TLS, [CLOSED, "smtpd_tls_security_level=may"]),
    "down": None,
}
ALL = {**OPEN, **CLOSED_ONES, **OTHERS}
ADDRESSES = {name: f"203.0.113.{41 + number}" for number, name in enumerate(ALL)}


class VerifyTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        for name in ALL:
            rig.RECORDS.append(f"{name}.example. MX 10 mx1.gateway.example.")
        rig.RECORDS.append('spf-trap.example. TXT "v=spf1 -all"')
        world = rig.World.get()
        directory = pathlib.Path(tempfile.mkdtemp(prefix="verify-", dir=world.directory))
        directory.chmod(0o755)  # the daemons run as user postfix
        cls.postfix = Postfix(directory / "postfix", "203.0.113.40:25", name="customers")
        domains = ", ".join(f"{name}.example" for name in ALL)
        known = ", ".join(f"{{{local}@{name}.example=x}}" for name in ALL
                          for local in ("postmaster", "info"))
        cls.postfix.configure(
            {"myhostname": SERVER, "relay_domains": domains,
             "smtpd_tls_chain_files": f"{directory}/key.pem, {directory}/certificate.pem",
             "known": f"inline:{{{known}}}", "relay_recipient_maps": "$known",
             "mydestination": "", "message_size_limit": "60000000",
             "smtpd_error_sleep_time": "0", "in_flow_delay": "0",
             "smtpd_delay_open_until_valid_rcpt": "no", "inet_interfaces": "all"},
            [f"{ADDRESSES[name]}:25 inet n - y - - smtpd " +
             " ".join(f"-o {option}" for option in options)
             for name, options in ALL.items() if options is not None])
        (directory / "postfix" / "etc" / "routed").write_text("/%/ x\n")
        fingerprint = cls.make_certificate(directory)
        cls.postfix.start()
        cls.addClassCleanup(cls.postfix.stop)
        cls.directory = directory
        (directory / "domains.d").mkdir()
        (directory / "mxfeed.toml").write_text(
            'mx = ["mx1.gateway.example"]\n[[host]]\nname = "mx1.gateway.example"\n'
            f'addresses = ["{rig.GATEWAY}"]\n'
            f'[alerts]\ncommand = ["/bin/sh", "-c", "cat >> {directory}/alerts"]\n')
        (directory / "domains.d" / "all.toml").write_text("".join(
            rig.feed(f"{name}.example", TLS.get(name, "").replace("FINGERPRINT", fingerprint),
                     deliver_to=[ADDRESSES[name]]) for name in ALL))

    @staticmethod
    def make_certificate(directory):
        """Of the servers; its fingerprint."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9",
                        "-subj", f"/CN={SERVER}", "-addext", f"subjectAltName=DNS:{SERVER}",
                        "-keyout", directory / "key.pem", "-out",
                        directory / "certificate.pem"], check=True, capture_output=True)
        told = subprocess.run(["openssl", "x509", "-in", directory / "certificate.pem", "-noout",
                               "-fingerprint", "-sha256"], check=True, capture_output=True,
                              text=True).stdout
        return told.strip().partition("=")[2]

    def verify(self, name, *options, status, **variables):
        done = subprocess.run(
            [BUILD / "bin" / "mxfeed", "verify", f"{name}.example", "--config", self.directory,
             "--state", self.directory / "state", "--host", "mx1.gateway.example", "--json",
             *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            check=False, env={**os.environ, **variables})
        self.assertIn(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)[0]["checks"]

    def outcomes(self, checks, check):
        return [one["outcome"] for one in checks if one["check"] == check]

    def test_each_open_relay_is_found(self):
        for name in OPEN:
            with self.subTest(name):
                checks = self.verify(name, "--from", OUTSIDE, status=(1,))
                self.assertIn("failed", self.outcomes(checks, "open-relay"), checks)

    def test_no_closed_server_is_accused(self):
        for name in CLOSED_ONES:
            with self.subTest(name):
                checks = self.verify(name, "--from", OUTSIDE, status=(1,))
                relay = self.outcomes(checks, "open-relay")
                # It relays for the gateway, which is told as such.
                expected = ["note", "ok"] if name == "trusts-gateway" else ["ok", "ok"]
                self.assertEqual(relay, expected, checks)

    def test_a_good_server_passes_every_check(self):
        checks = self.verify("locked", "--from", OUTSIDE, "--to", "info@locked.example",
                             status=(0,))
        self.assertEqual({one["check"]: one["outcome"] for one in checks
                          if one["outcome"] != "ok"}, {"starttls": "note"})
        for check in ("mx-ours", "mx-ttl", "mx-address", "connect", "size", "postmaster",
                      "recipient", "catch-all", "open-relay", "bypass"):
            self.assertEqual(self.outcomes(checks, check), ["ok"], check)

    def test_what_is_wrong_is_told_with_what_to_change(self):
        for name, options, check, outcome in (
                ("plain", ["--from", OUTSIDE], "bypass", "failed"),
                ("plain", ["--to", "nobody@plain.example"], "recipient", "failed"),
                ("catch-all", [], "catch-all", "note"),
                ("greylists", [], "postmaster", "failed"),
                ("small", [], "size", "failed"),
                ("spf-trap", [], "spf", "failed"),
                ("down", [], "connect", "failed")):
            with self.subTest(name=name, check=check):
                checks = self.verify(name, *options, status=(0, 1))
                self.assertEqual(self.outcomes(checks, check), [outcome], checks)
                for one in checks:
                    self.assertEqual(one["advice"] is None, one["outcome"] == "ok", one)

    def test_a_certificate_must_be_what_the_domain_demands(self):
        trusted = {"SSL_CERT_FILE": str(self.directory / "certificate.pem")}
        for name, variables, outcome in (
                ("unproved", {}, "ok"), ("proved", trusted, "ok"), ("proved", {}, "failed"),
                ("misnamed", trusted, "failed"), ("pinned", {}, "ok"),
                ("mispinned", trusted, "failed")):
            with self.subTest(name=name, **variables):
                checks = self.verify(name, status=(0, 1), **variables)
                self.assertEqual(self.outcomes(checks, "starttls"), [outcome], checks)

    def changes(self, status):
        done = subprocess.run(
            [BUILD / "bin" / "mxfeed", "verify", "--all", "--changes", "--config", self.directory,
             "--state", self.directory / "daily", "--host", "mx1.gateway.example", "--json"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return [(one["domain"], one["outcome"], one["check"]) for one in json.loads(done.stdout)]

    def alerted(self):
        """The alerts since the last call."""
        file = self.directory / "alerts"
        alerts = [json.loads(line) for line in file.read_text().splitlines()] \
            if file.exists() else []
        file.unlink(missing_ok=True)
        for one in alerts:
            self.assertEqual((one["kind"], one["host"]), ("verify", "mx1.gateway.example"))
        return {one["domain"]: one["text"] for one in alerts}

    def test_only_changes_are_told_each_day(self):
        shutil.rmtree(self.directory / "daily", ignore_errors=True)
        self.alerted()
        first = self.changes(1)
        self.assertIn(("down.example", "failed", "connect"), first)
        self.assertIn(("small.example", "failed", "size"), first)
        self.assertEqual({outcome for _, outcome, _ in first}, {"failed"})
        self.assertEqual(set(self.alerted()), {domain for domain, _, _ in first})
        self.assertEqual(self.changes(0), [])
        self.assertEqual(self.alerted(), {})
        # The server that was down is up: what else is wrong with it is new.
        sink = smtp_sink.Sink(ADDRESSES["down"], 25)
        sink.answers["postmaster@down.example"] = "550 5.1.1 No such user"
        sink.up()
        self.addCleanup(sink.down)
        second = self.changes(1)
        self.assertEqual(second, [("down.example", "failed", "postmaster"),
                                  ("down.example", "ok", "connect")])
        self.assertIn("postmaster", self.alerted()["down.example"])
        sink.down()
        self.assertEqual(self.changes(1), [("down.example", "failed", "connect")])

    def test_an_address_that_this_host_lacks_is_no_fault_of_the_server(self):
        done = subprocess.run(
            [BUILD / "bin" / "mxfeed", "verify", "locked.example", "--config", self.directory,
             "--state", self.directory / "state", "--host", "mx1.gateway.example", "--from",
             "192.0.2.99"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("192.0.2.99 is not an address of this host", done.stderr)

    def test_nothing_is_left_behind(self):
        self.verify("plain", status=(0, 1))
        eventually(lambda: self.postfix.queue() == [], "the queue is empty")


if __name__ == "__main__":
    rig.main()
