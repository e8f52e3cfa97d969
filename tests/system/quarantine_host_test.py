# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways, one of which holds the mail of both."""

import json
import socket
import subprocess
import tempfile

import gateway as gateways
import postfix
import rig
import smtp_client

HOST, OTHER = "mx1.gateway.example", "mx2.gateway.example"
OTHER_ADDRESS = "192.0.2.11"
PORT = 2424
HOLDS = '  [domain.virus]\n  infected = "quarantine"\n'
QUARANTINE = "quarantine.mxfeed.invalid"
rig.NAMES[OTHER] = OTHER_ADDRESS


def settings(other, address):
    """Of a gateway: the other one, and who holds."""
    return (f'[[host]]\nname = "{other}"\naddresses = ["{address}"]\n'
            f'[quarantine]\nhost = "{HOST}"\n')


class QuarantineHostTest(rig.TestCase):
    daemons = (*rig.TestCase.daemons, "quarantine")
    domains = "".join([rig.feed("holds.example", "greylist = false", tables=HOLDS),
                       rig.feed("deletes.example", "greylist = false")])
    gateway_settings = settings(OTHER, OTHER_ADDRESS)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run(["ip", "address", "add", f"{OTHER_ADDRESS}/32", "dev", "lo"], check=True)
        cls.other = gateways.Gateway(
            tempfile.mkdtemp(prefix="other-", dir=cls.world.directory),
            f"{OTHER_ADDRESS}:25", host=OTHER)
        cls.other.postfix = postfix.Postfix(cls.other.directory / "postfix", cls.other.listen,
                                            name="postfix-other")
        cls.addClassCleanup(cls.other.stop)
        cls.other.configure(cls.domains, settings(HOST, rig.GATEWAY))
        cls.other.start()

    def setUp(self):
        super().setUp()
        if (self.gateway.state / "quarantine" / "quarantine.db").exists():
            self.quarantine("delete", "holds.example", "all")
        self.assertEqual(self.other.postfix.queue(), [])

    def quarantine(self, verb, *arguments, at=None, check=True):
        at = at or self.gateway
        more = ("--postfix-config", at.postfix.config) if verb == "release" else ()
        return at.mxfeed("quarantine", verb, *arguments, *more, check=check)

    def held(self, *arguments):
        if not (self.gateway.state / "quarantine" / "quarantine.db").exists():
            return []
        return json.loads(self.quarantine("list", "holds.example", "--json", *arguments).stdout)

    def wait_for_held(self, count=1):
        return rig.eventually(lambda: len(found := self.held()) == count and found,
                              f"{count} held")

    def bring_to_other(self, recipients, message):
        with smtp_client.Session(OTHER_ADDRESS, 25, source=rig.SENDER) as session:
            outcome = session.send("anna@sender.example", recipients, message)
        self.assertEqual(outcome.accepted, recipients, str(outcome.last))

    def assert_nothing_else_arrives(self, before):
        """What is sent now is the next that arrives."""
        self.accept("after@deletes.example", rig.mail("after"))
        got = self.customer.wait_for_count(before + 1)
        self.assertEqual(got[-1].recipients, ("after@deletes.example",))
        self.at_rest()
        self.assertEqual(self.gateway.postfix.queue(), [])
        self.assertEqual(self.other.postfix.queue(), [])

    def test_what_the_other_holds_is_held_here_and_released_once(self):
        # A long line, and eight bits.
        odd = "x" * 3000 + " grüße\n"
        self.bring_to_other(["info@holds.example", "Sales@holds.example"],
                            rig.infected(text=odd))
        held = sorted(self.wait_for_held(2), key=lambda item: item["to"].lower())
        self.assertEqual([(item["kind"], item["state"], item["from"], item["to"])
                          for item in held],
                         [("virus", "held", "anna@sender.example", "info@holds.example"),
                          ("virus", "held", "anna@sender.example", "Sales@holds.example")])
        content = self.quarantine("show", "holds.example", str(held[0]["id"]), "--content").stdout
        self.assertIn(odd.strip(), content)
        self.assertIn(f"by {OTHER} ", content)
        self.quarantine("release", "holds.example", str(held[0]["id"]), "--force")
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.recipients, ("info@holds.example",))
        self.assertEqual([f for f in delivery.headers if f[0].lower().startswith(b"x-mxfeed")], [])
        again = self.quarantine("release", "holds.example", str(held[0]["id"]), "--force",
                                check=False)
        self.assertIn("it is released", again.stderr)
        self.assert_nothing_else_arrives(1)
        self.assertEqual([item["to"] for item in self.held()], ["Sales@holds.example"])

    def test_what_this_host_holds_itself_is_held_too(self):
        self.accept("info@holds.example", rig.infected())
        self.wait_for_held()
        self.assert_nothing_else_arrives(0)

    def test_the_other_says_where_the_quarantine_is(self):
        for verb, *more in (("list",), ("show", "1"), ("release", "1"), ("delete", "1")):
            with self.subTest(verb):
                done = self.quarantine(verb, "holds.example", *more, at=self.other, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(
                    done.stderr.removeprefix("mxfeed: "),
                    "holds.example: nothing is held on this host: the quarantine of all gateways "
                    f"is on {HOST}: run the command there\n")

    def status(self, at):
        return at.mxfeed("status", "--postfix-config", at.postfix.config, check=False)

    def test_mail_waits_while_the_host_is_away_and_comes_once(self):
        self.assertNotIn("quarantine", self.status(self.other).stderr)
        self.gateway.postfix.stop()
        try:
            self.bring_to_other(["info@holds.example"], rig.infected())
            rig.eventually(lambda: [m["queue_name"] for m in self.other.postfix.queue()] ==
                           ["deferred"], "it waits")
            ((_, address),) = self.other.postfix.waiting()
            self.assertTrue(address.endswith(f"@{QUARANTINE}"))
            status = self.status(self.other)
            self.assertNotEqual(status.returncode, 0)
            self.assertIn(f"{HOST}: the quarantine host takes no mail: ", status.stderr)
        finally:
            self.gateway.postfix.start()
        self.other.postfix.flush()
        self.wait_for_held()
        rig.eventually(lambda: self.other.postfix.queue() == [], "nothing waits")
        self.assert_nothing_else_arrives(0)
        self.assertEqual(len(self.held("--ended")), len({i["id"] for i in self.held("--ended")}))
        self.assertEqual(len(self.held()), 1)

    def test_a_message_as_large_as_the_limit_is_held_too(self):
        # Of both; the second gateway adds a Received.
        limit = int(self.other.postfix.parameter("message_size_limit"))
        for at in (self.other, self.gateway):
            at.postfix.edit(message_size_limit="60000")
            at.postfix.reload()
        try:
            # As large as the first one takes.
            for size in range(60000, 55000, -100):
                message = rig.infected(text="x" * 70 + "\n" + "".join(
                    ["y" * 69 + "\n"] * (size // 70 - 20)))
                with smtp_client.Session(OTHER_ADDRESS, 25, source=rig.SENDER) as session:
                    outcome = session.send("anna@sender.example", ["info@holds.example"], message)
                if outcome.accepted:
                    break
            self.assertTrue(outcome.accepted)
            self.assertLess(60000 - len(message), 5000)
            self.wait_for_held()
        finally:
            for at in (self.other, self.gateway):
                at.postfix.edit(message_size_limit=str(limit))
                at.postfix.reload()

    def intake(self, source, port=PORT):
        session = smtp_client.Session(rig.GATEWAY, port, source=source)
        self.addCleanup(session.abort)
        return session

    def test_a_stranger_is_refused_and_a_gateway_brings_nothing_else(self):
        for source in (rig.SENDER, rig.GATEWAY):
            with self.subTest(source):
                stranger = self.intake(source)
                # Perhaps a gateway that is not configured here yet.
                self.assertTrue(stranger.greeting.temporary, str(stranger.greeting))
        token = "0" * 32
        for recipient in ("info@holds.example", f"info@{rig.STRANGER}.example",
                          f"released.{token}@{QUARANTINE}", f"x@{QUARANTINE}.example",
                          f"x@y.{QUARANTINE}", f"x%stranger.example@{QUARANTINE}.stranger.example",
                          f"@{QUARANTINE}:info@stranger.example"):
            with self.subTest(recipient):
                other = self.intake(OTHER_ADDRESS)
                self.assertTrue(other.greeting.positive)
                outcome = other.send("anna@sender.example", [recipient], rig.mail("x"))
                self.assertEqual(outcome.accepted, [])
                self.assertGreaterEqual(outcome.last.code, 500)
        held = f"virus.{token}.{b'holds.example'.hex()}.00.{b'info@holds.example'.hex()}"
        outcome = self.intake(OTHER_ADDRESS).send("", [f"{held}@{QUARANTINE}"], rig.mail("x"))
        self.assertTrue(outcome.accepted, str(outcome.last))
        self.wait_for_held()
        self.assert_nothing_else_arrives(0)

    def test_attach_refuses_a_port_that_another_program_has(self):
        port = PORT + 1
        self.gateway.configure(self.domains, f"{self.gateway_settings}port = {port}\n")
        try:
            with socket.create_server((rig.GATEWAY, port)):
                self.apply()
                files = self.postfix_files()
                done = self.attach()
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"another program listens at the port {port}", done.stderr)
                self.assertEqual(self.postfix_files(), files)
            self.assertEqual(self.attach().returncode, 0)
            self.assertTrue(self.intake(OTHER_ADDRESS, port).greeting.positive)
        finally:
            self.gateway.configure(self.domains, self.gateway_settings)
            self.apply()
            self.assertEqual(self.attach().returncode, 0)
        rig.eventually(lambda: self.intake(OTHER_ADDRESS).greeting.positive, "the port is back")

    def apply(self):
        self.gateway.mxfeed("apply", "--host", HOST, *self.gateway.for_postfix(), check=False)

    def attach(self):
        return self.gateway.mxfeed("postfix", "attach", "--postfix-config",
                                   self.gateway.postfix.config, check=False)

    def postfix_files(self):
        return [(self.gateway.postfix.config / name).read_text()
                for name in ("main.cf", "master.cf")]

    def test_port_25_takes_nothing_for_the_quarantine_from_a_gateway(self):
        outcome = self.send(f"info@{QUARANTINE}", rig.mail("x"), source=OTHER_ADDRESS)
        self.assertFalse(outcome.accepted)
        self.assertGreaterEqual(outcome.last.code, 500)


if __name__ == "__main__":
    rig.main()
