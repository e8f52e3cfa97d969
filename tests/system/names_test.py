# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers given by name, and backups that follow the domain's own MX records."""

import os
import signal

import rig
from smtp_sink import Sink

OFF = "greylist = false"
# Of [[host]], beside our own.
OTHER_GATEWAY = "192.0.2.20"
ALLOWED, PRIVATE = "10.1.2.3", "10.1.3.3"
OTHER_HOST = f'[[host]]\nname = "mx2.gateway.example"\naddresses = ["{OTHER_GATEWAY}"]\n'


def records(*lines):
    """"NAME TYPE DATA" as the resolver takes them."""
    made = []
    for line in lines:
        name, kind, data = line.split(" ", 2)
        made.append(f"{name}. 60 {kind} {data}")
    return made


def backup(name, *settings):
    return "\n".join(["[[domain]]", f'name = "{name}"', 'service = "backup"', OFF,
                      'requested = "1"', 'acknowledged = "2"', 'deliver_to = "mx"',
                      *settings]) + "\n"


CUSTOMER = '[customer]\nid = "acme"\nmax_backup_domains = 100\n'


class DnsCase(rig.TestCase):
    @classmethod
    def setUpClass(cls):
        world = rig.World.get()
        # Hosts that are not this one.
        for network in (f"{OTHER_GATEWAY}/32", "10.1.0.0/16"):
            world._run("ip", "route", "add", "local", network, "dev", "lo")
            cls.addClassCleanup(world._run, "ip", "route", "del", "local", network, "dev", "lo")
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.bounces_before = len(self.bounces())

    def server(self, address, port=25):
        """A customer's server, up until the test ends."""
        sink = Sink(address, port).up()
        self.addCleanup(sink.down)
        return sink

    def bounces(self):
        return self.gateway.postfix.log_lines("status=bounced")

    def assert_no_bounce(self):
        self.assertEqual(self.bounces()[self.bounces_before:], [])

    def change(self, old, new):
        self.world.change_records(old, new)
        self.addCleanup(self.world.change_records, new, old)

    def try_apply(self, domains):
        """What apply says of other domains."""
        self.gateway.configure(domains, self.gateway_settings)
        self.addCleanup(self.gateway.configure, self.domains, self.gateway_settings)
        return self.gateway.mxfeed("apply", "--host", self.gateway.host,
                                   *self.gateway.for_postfix(), check=False)

    def assert_refused(self, domain, cause):
        before = os.readlink(self.gateway.state / "current")
        done = self.try_apply(self.domains + domain)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(cause, done.stderr)
        self.assertIn("nothing was changed", done.stderr)
        self.assertEqual(os.readlink(self.gateway.state / "current"), before)

    def assert_warned(self, domains, cause):
        done = self.try_apply(domains)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, f"warning: .*{cause}")

    def put_off(self, recipient, reason):
        """Sends a mail that must wait for the reason."""
        self.accept(recipient, rig.mail("waits"))
        rig.eventually(lambda: self.gateway.postfix.log_lines(recipient, "status=deferred", reason),
                       f"it is deferred: {reason}")
        self.assertEqual(len(self.gateway.postfix.waiting(recipient.partition("@")[2])), 1)
        self.assert_no_bounce()

    def deliver(self, domain, server):
        def empty():
            self.gateway.postfix.flush()
            return not self.gateway.postfix.waiting(domain)
        rig.eventually(empty, f"the queue of {domain} is empty")
        self.assertEqual(len(server.received()), 1)
        self.assert_no_bounce()


class NamesTest(DnsCase):
    gateway_settings = 'allow_private = ["10.1.2.0/24"]\n' + OTHER_HOST
    good = records(
        "mail.names.example A 203.0.113.60", "two.names.example A 203.0.113.60",
        "mail.names.example MX 5 mail.other.example.")
    moving = records("moving.names.example A 203.0.113.61")
    wrong = {
        "us": (f"A {rig.GATEWAY}", 'gateway host "mx1.gateway.example": mail would loop'),
        "them": (f"A {OTHER_GATEWAY}", 'gateway host "mx2.gateway.example": mail would loop'),
        "loop": ("A 127.0.0.2", "loopback"),
        "ten": (f"A {PRIVATE}", "private address"),
        "shared": ("A 100.64.0.1", "private address"),
        "mapped": ("AAAA ::ffff:10.1.3.3", "private address"),
        "local6": ("AAAA fd00::1", "private address"),
        "link": ("A 169.254.1.1", "link-local"),
        "zero": ("A 0.0.0.0", "unspecified"),
        "many": ("A 224.0.0.1", "multicast"),
        "text": ("TXT nothing", "does not exist, or has no A or AAAA record"),
    }
    for label, (data, _) in wrong.items():
        good += records(f"{label}.wrong.example {data}")
    good += records(f"mixed.wrong.example A {PRIVATE}", "mixed.wrong.example A 203.0.113.62",
                    f"allowed.names.example A {ALLOWED}")
    rig.RECORDS += good + moving
    domains = "".join([
        rig.feed("named.example", OFF, deliver_to=("[mail.names.example]:25",)),
        rig.feed("bounce.example", OFF, 'on_refusal = "bounce"',
                 deliver_to=("[mail.names.example]:25",)),
        rig.feed("port.example", OFF, deliver_to=("[two.names.example]:2525",)),
        rig.feed("second.example", OFF,
                 deliver_to=("203.0.113.63", "[mail.names.example]")),
        rig.feed("moving.example", OFF, deliver_to=("[moving.names.example]",)),
        rig.feed("allowed.example", OFF, deliver_to=("[allowed.names.example]",)),
    ])

    def test_mail_goes_to_the_address_records_of_a_name(self):
        self.assertEqual(self.gateway.postfix.lookup(
            f"cdb:{self.gateway.state}/current-postfix/transport", "port.example"),
            "mxfeed-soft:[two.names.example]:2525")
        server = self.server("203.0.113.60")
        self.accept("info@named.example", rig.mail("by name"))
        server.wait_for_count(1)
        self.accept("info@second.example", rig.mail("the second is a name"))
        server.wait_for_count(2)
        other_port = self.server("203.0.113.60", 2525)
        self.accept("info@port.example", rig.mail("to the port"))
        other_port.wait_for_count(1)

    def test_a_private_address_is_delivered_to_where_that_is_allowed(self):
        server = self.server(ALLOWED)
        self.accept("info@allowed.example", rig.mail("private line"))
        server.wait_for_count(1)

    def test_apply_refuses_a_name_that_leads_where_mail_must_not_go(self):
        for label, (_, cause) in [*self.wrong.items(), ("mixed", ("", "private address")),
                                  ("nobody", ("", "does not exist"))]:
            with self.subTest(label):
                self.assert_refused(
                    rig.feed("new.example", deliver_to=(f"[{label}.wrong.example]",)), cause)

    def test_apply_warns_while_the_dns_does_not_answer(self):
        os.kill(self.world.resolver.pid, signal.SIGSTOP)
        try:
            self.assert_warned(
                self.domains + rig.feed("new.example", OFF, deliver_to=("[new.names.example]",)),
                "not checked: the DNS does not answer")
        finally:
            os.kill(self.world.resolver.pid, signal.SIGCONT)
        self.gateway.postfix.reload()
        # The name turned out not to exist: mail waits, and another apply goes through.
        self.put_off("info@new.example", "Host not found")
        self.gateway.configure(self.domains, self.gateway_settings)
        self.gateway.apply_at_once()

    def test_mail_waits_while_a_name_in_use_leads_where_it_must_not_go(self):
        servers = {address: self.server(address) for address in (PRIVATE, OTHER_GATEWAY)}
        server = self.server("203.0.113.61")
        for data, reason, cause in (
                (f"A {PRIVATE}", "DNS reply filter", "private address"),
                (f"A {rig.GATEWAY}", "loops back to myself", "mail would loop"),
                (f"A {OTHER_GATEWAY}", "loops back to myself", "mail would loop"),
                ("A 127.0.0.2", "DNS reply filter", "loopback"),
                ("TXT gone", "not found", "does not exist")):
            with self.subTest(data):
                self.world.change_records(self.moving, new := records("moving.names.example " +
                                                                      data))
                try:
                    self.put_off("info@moving.example", reason)
                    # Other domains can be changed meanwhile.
                    self.assert_warned(self.domains, cause)
                finally:
                    self.world.change_records(new, self.moving)
                self.deliver("moving.example", server)
                for one in servers.values():
                    self.assertEqual(one.received(), [])
                server.clear()

    def test_what_the_customers_server_says_still_bounces(self):
        server = self.server("203.0.113.60")
        sender = self.server(rig.SENDER)
        server.answers["info@bounce.example"] = "550 5.4.4 Host or domain name not found"
        self.accept("info@bounce.example", rig.mail("refused"))
        sender.wait_for_count(1)


class MxTest(DnsCase):
    gateway_settings = OTHER_HOST
    moving = records("moves.example MX 10 mail.moves.example.")
    fixed = records(
        "mail.follow.example A 203.0.113.70", "worse.follow.example A 203.0.113.71",
        "follow.example MX 10 mail.follow.example.", "follow.example MX 20 mx1.gateway.example.",
        "follow.example MX 30 worse.follow.example.",
        "between.example MX 10 mail.follow.example.",
        "between.example MX 20 mx2.gateway.example.",
        "between.example MX 30 mx1.gateway.example.",
        f"mx2.gateway.example A {OTHER_GATEWAY}",
        "moves.example MX 20 mx1.gateway.example.",
        "mail.moves.example A 203.0.113.72", "new.moves.example A 203.0.113.73",
        "unnamed.example MX 10 mail.follow.example.",
        # For apply to refuse.
        "only.example MX 10 mx1.gateway.example.",
        "only.example MX 20 mx2.gateway.example.",
        "first.example MX 10 mx1.gateway.example.",
        "first.example MX 20 mail.follow.example.",
        "equal.example MX 10 mx2.gateway.example.",
        "equal.example MX 10 mail.follow.example.",
        "private.example MX 10 ten.private.example.", f"ten.private.example A {PRIVATE}",
        "private.example MX 20 mx1.gateway.example.",
        "null.example MX 0 .", "none.example A 203.0.113.70",
        "missing.example MX 10 nobody.missing.example.",
        "missing.example MX 20 mx1.gateway.example.",
        f"ourname.example A {rig.GATEWAY}", "byaddress.example MX 10 ourname.example.")
    rig.RECORDS += moving + fixed
    domains = CUSTOMER + "".join(
        backup(f"{name}.example") for name in ("follow", "between", "moves", "unnamed"))

    def test_mail_goes_to_the_hosts_before_ours_and_to_no_other(self):
        others = [self.server(address) for address in ("203.0.113.71", OTHER_GATEWAY)]
        for domain in ("follow.example", "between.example"):
            with self.subTest(domain):
                self.put_off(f"info@{domain}", "Connection refused")
                server = self.server("203.0.113.70")
                self.deliver(domain, server)
                # Once through the gateway.
                received = [one for one in server.received()[0].header("Received")
                            if b"mx1.gateway.example" in one]
                self.assertEqual(len(received), 1)
                server.down()
                for other in others:
                    self.assertEqual(other.received(), [])

    def test_a_change_of_the_records_needs_no_apply(self):
        self.put_off("info@moves.example", "Connection refused")
        self.change(self.moving, records("moves.example MX 5 new.moves.example."))
        self.deliver("moves.example", self.server("203.0.113.73"))

    def test_mail_waits_while_the_records_lead_nowhere(self):
        server = self.server("203.0.113.72")
        ours = [line for line in self.fixed if line.startswith("moves.example.")]
        for new, reason, cause in (
                ([], "loops back to myself", "no MX record names a server"),
                (records("moves.example MX 10 mx2.gateway.example."), "loops back to myself",
                 "no MX record names a server"),
                (records("moves.example MX 10 nobody.moves.example."),
                 "unable to find primary relay", "does not exist"),
                (records("moves.example MX 0 ."), "nullMX", "takes no mail"),
                (records("moves.example MX 10 ten.private.example."),
                 "unable to find primary relay", "private address")):
            with self.subTest(str(new)):
                old = self.moving + (ours if "nullMX" in reason else [])
                self.world.change_records(old, new)
                try:
                    self.put_off("info@moves.example", reason)
                    self.assert_warned(self.domains, cause)
                finally:
                    self.world.change_records(new, old)
                self.deliver("moves.example", server)
                server.clear()

    def test_a_domain_whose_records_do_not_name_us_is_delivered_with_a_warning(self):
        server = self.server("203.0.113.70")
        self.accept("info@unnamed.example", rig.mail("as an early sender"))
        server.wait_for_count(1)
        self.assert_warned(self.domains, "no MX record names a gateway")

    def test_apply_refuses_records_that_give_no_way_to_the_customer(self):
        for name, cause in {
            "only": "no MX record names a server that comes before the gateways",
            "first": "no MX record names a server that comes before the gateways",
            "equal": "no MX record names a server that comes before the gateways",
            "byaddress": "no MX record names a server that comes before the gateways",
            "private": "private address",
            "null": "null MX",
            "none": "has no MX record",
            "missing": "does not exist",
        }.items():
            with self.subTest(name):
                self.assert_refused(backup(f"{name}.example"), cause)

    def test_apply_refuses_a_gateway_whose_address_is_not_known(self):
        # Another host would not know itself in the records.
        old = [f"mx2.gateway.example. 60 A {OTHER_GATEWAY}"]
        self.change(old, ["mx2.gateway.example. 60 A 192.0.2.99"])
        self.assert_warned(self.domains, "mx2.gateway.example is a gateway with an address")


if __name__ == "__main__":
    rig.main()
