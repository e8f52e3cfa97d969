# SPDX-License-Identifier: GPL-2.0-or-later
"""What a domain's settings do with new mail, and how its mail is delivered."""

import re
import ssl
import subprocess

import rig
from smtp_sink import Sink

OFF = "greylist = false"
LISTED = "198.51.100.66"  # on the block list
OVER_QUOTA = "198.51.100.67"  # the block list answers something else
UNLISTED = "198.51.100.68"
rig.RECORDS += [
    "66.100.51.198.zen.example. 60 A 127.0.0.4",
    "67.100.51.198.zen.example. 60 A 127.255.255.254",
]
BLOCKLISTS = '[blocklists]\nreject = ["zen.example=127.0.0.[2..11]"]\n'
# Of postconf(5), parent_domain_matches_subdomains: with smtpd_access_maps, as a dedicated Postfix
# is set, and without.
WITHOUT_ACCESS_MAPS = "debug_peer_list, mynetworks"


class IntakeTest(rig.TestCase):
    gateway_settings = BLOCKLISTS
    domains = "".join([
        rig.feed("acme.example", OFF),
        rig.feed("suspended.example", OFF, 'state = "suspended"'),
        rig.feed("below.suspended.example", OFF),
        rig.feed("family.example", OFF, 'state = "suspended"', "subdomains = true"),
        rig.feed("own.family.example", OFF),
        rig.feed("listed.example", OFF, 'recipients = ["info", "Sales"]'),
        rig.feed("file.example", OFF, 'recipients = "file:known"'),
        rig.feed("strict.example", OFF, 'blocklist = "reject"', "subdomains = true"),
        rig.feed("both.example", OFF, 'blocklist = "reject"', 'recipients = ["info"]'),
    ])

    @classmethod
    def setUpClass(cls):
        # The gateway's directory is made by its first configure().
        original = rig.gateways.Gateway.configure

        def configure(gateway, *arguments, **files):
            (gateway.config / "known").write_text("# all of them\ninfo\nchef@file.example\n")
            original(gateway, *arguments, **files)

        rig.gateways.Gateway.configure = configure
        cls.addClassCleanup(setattr, rig.gateways.Gateway, "configure", original)
        super().setUpClass()
        cls.gateway.postfix.edit(recipient_delimiter="+")
        cls.gateway.postfix.reload()

    def configure(self, domains):
        self.gateway.configure(domains, self.gateway_settings)
        self.gateway.apply_at_once("--allow-removals", "1")

    def reply(self, recipient, **options):
        return self.send(recipient, rig.mail("probe"), **options).replies[recipient]

    def assert_reply(self, recipient, wanted, **options):
        reply = str(self.reply(recipient, **options))
        self.assertTrue(reply.startswith(wanted), f"{recipient}: {reply}, wanted {wanted}")

    def both_matchings(self):
        """Runs with and without smtpd_access_maps in parent_domain_matches_subdomains."""
        postfix = self.gateway.postfix
        before = postfix.parameter("parent_domain_matches_subdomains")
        self.assertIn("smtpd_access_maps", before)
        yield "with smtpd_access_maps"
        postfix.edit(parent_domain_matches_subdomains=WITHOUT_ACCESS_MAPS)
        postfix.reload()
        yield "without"
        postfix.edit(parent_domain_matches_subdomains=before)
        postfix.reload()

    def test_new_mail_for_a_suspended_domain_is_put_off(self):
        for matching in self.both_matchings():
            with self.subTest(matching):
                self.assert_reply("info@suspended.example", "450 4.3.2")
                self.assert_reply("postmaster@suspended.example", "450 4.3.2")
                self.assert_reply("info@family.example", "450 4.3.2")
                self.assert_reply("info@x.family.example", "450 4.3.2")
                # Domains of their own below one that is suspended.
                self.assert_reply("info@below.suspended.example", "250")
                self.assert_reply("info@own.family.example", "250")

    def test_the_queue_of_a_suspended_domain_is_delivered(self):
        server = Sink("203.0.113.41", 25)
        self.addCleanup(server.down)
        domain = ("later.example", OFF)
        self.configure(self.domains + rig.feed(*domain, deliver_to=("203.0.113.41",)))
        self.accept("info@later.example", rig.mail("waits"))
        rig.eventually(lambda: self.gateway.postfix.waiting("later.example"), "it waits")
        self.configure(self.domains + rig.feed(*domain, 'state = "suspended"',
                                               deliver_to=("203.0.113.41",)))
        self.assert_reply("info@later.example", "450 4.3.2")
        server.up()

        def empty():
            self.gateway.postfix.flush()
            return not self.gateway.postfix.waiting("later.example")

        rig.eventually(empty, "the queue is delivered")
        self.assertEqual(len(server.received()), 1)

    def test_a_domain_that_vanishes_is_put_off_until_the_grace_is_over(self):
        here = self.domains + rig.feed("vanishing.example", OFF, "subdomains = true",
                                       deliver_to=("203.0.113.42",))
        self.configure(here)
        self.accept("info@vanishing.example", rig.mail("waits"))
        rig.eventually(lambda: self.gateway.postfix.waiting("vanishing.example"), "it waits")
        self.configure(self.domains)
        for matching in self.both_matchings():
            with self.subTest(matching):
                self.assert_reply("info@vanishing.example", "450 4.3.2")
                self.assert_reply("info@x.vanishing.example", "450 4.3.2")
        self.gateway.postfix.flush()
        self.accept("info@acme.example", rig.mail("afterwards"))
        self.assertEqual(len(self.gateway.postfix.waiting("vanishing.example")), 1)
        # As if it had vanished 72 hours ago.
        table = self.gateway.state / "current" / "domains.tsv"
        table.write_text(re.sub(r"\tgone\t[^\t]+\t", "\tgone\t2026-01-01T00:00:00Z\t",
                                table.read_text()))
        (table.parent / "sums").unlink()
        self.configure(self.domains)
        reply = self.reply("info@vanishing.example")
        self.assertEqual((reply.code, reply.enhanced), (554, "5.7.1"))
        self.assertEqual(len(self.gateway.postfix.waiting("vanishing.example")), 1)
        self.assertEqual(self.gateway.postfix.log_lines("status=bounced"), [])
        # It comes back, and is delivered.
        server = self.sink("203.0.113.42")
        self.configure(here)
        self.gateway.postfix.flush()
        server.wait_for_count(1)
        self.configure(self.domains)

    def test_a_domain_that_is_removed_is_refused_at_once(self):
        self.configure(self.domains + rig.feed("removed.example", OFF))
        self.assert_reply("info@removed.example", "250")
        self.configure(self.domains + rig.feed("removed.example", 'state = "removed"'))
        self.assert_reply("info@removed.example", "554 5.7.1")

    def test_recipients_that_are_not_listed_are_refused(self):
        for matching in self.both_matchings():
            with self.subTest(matching):
                for address in ("info@listed.example", "SALES@LISTED.example",
                                "postmaster@listed.example", "abuse@listed.example",
                                "info+news@listed.example", "info@file.example",
                                "chef@file.example"):
                    self.assert_reply(address, "250")
                for address in ("nobody@listed.example", "inf@listed.example",
                                "info-x@listed.example", "chef@listed.example",
                                "nobody@file.example"):
                    self.assert_reply(address, "550 5.1.1")

    def test_an_extension_is_no_extension_without_the_delimiter(self):
        self.gateway.postfix.edit(recipient_delimiter="")
        self.gateway.postfix.reload()
        self.assert_reply("info+news@listed.example", "550 5.1.1")
        self.gateway.postfix.edit(recipient_delimiter="+")
        self.gateway.postfix.reload()

    def test_clients_on_a_block_list_are_refused_where_that_is_chosen(self):
        for matching in self.both_matchings():
            with self.subTest(matching):
                for address in ("info@strict.example", "info@x.strict.example",
                                "info@both.example"):
                    self.assert_reply(address, "554 5.7.1", source=LISTED)
                    # An answer that the mask does not have says nothing about the client.
                    self.assert_reply(address, "250", source=OVER_QUOTA)
                    self.assert_reply(address, "250", source=UNLISTED)
                for address in ("postmaster@strict.example", "Abuse@strict.example",
                                "postmaster@x.strict.example", "abuse@both.example",
                                "info@acme.example"):
                    self.assert_reply(address, "250", source=LISTED)
                self.assert_reply("nobody@both.example", "550 5.1.1", source=UNLISTED)

    def test_a_trusted_client_on_a_block_list_is_not_refused(self):
        postfix = self.gateway.postfix
        before = postfix.parameter("mynetworks")
        postfix.edit(mynetworks=f"{before} {LISTED}")
        postfix.reload()
        self.assert_reply("info@strict.example", "250", source=LISTED)
        self.assert_reply("nobody@both.example", "550 5.1.1", source=LISTED)
        postfix.edit(mynetworks=before)
        postfix.reload()


def certificate(directory, name):
    """The files of a self-signed certificate and its SHA-256 fingerprint."""
    key, cert = directory / f"{name}.key", directory / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    shown = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"],
                           check=True, capture_output=True, text=True).stdout
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert, shown.strip().partition("=")[2]


class DeliveryTest(rig.TestCase):
    """Each domain has a server of its own at 203.0.113.1NN."""

    servers = {name: f"203.0.113.1{number:02}" for number, name in enumerate(
        ("default", "plain", "encrypt", "verify", "wrong-name", "fingerprint", "wrong-print",
         "second"))}

    @classmethod
    def setUpClass(cls):
        world = rig.World.get()
        context, cert, fingerprint = certificate(world.directory, "mail.customer.example")
        verify = '{{ level = "verify", name = "{}" }}'
        wanted = {
            "default": "", "plain": 'tls = "encrypt"', "encrypt": 'tls = "encrypt"',
            "verify": "tls = " + verify.format("mail.customer.example"),
            "wrong-name": "tls = " + verify.format("other.customer.example"),
            "fingerprint": f'tls = {{ fingerprint = "{fingerprint}" }}',
            "wrong-print": f'tls = {{ fingerprint = "00{fingerprint[2:]}" }}',
        }
        cls.domains = "".join(
            rig.feed(f"{name}.example", OFF, line, deliver_to=(cls.servers[name],))
            for name, line in wanted.items())
        # The second of two servers has a policy too.
        cls.domains += rig.feed("two.example", OFF, 'tls = "encrypt"',
                                deliver_to=("203.0.113.199", cls.servers["second"]))
        super().setUpClass()
        cls.sinks = {name: cls.server(address, None if name == "plain" else context)
                     for name, address in cls.servers.items()}
        # The authority of all, for the time of the test.
        rig.World._run("mount", "--bind", cert, "/etc/ssl/certs/ca-certificates.crt")
        cls.addClassCleanup(rig.World._run, "umount", "/etc/ssl/certs/ca-certificates.crt")

    @classmethod
    def server(cls, address, tls):
        sink = Sink(address, 25, tls=tls).up()
        cls.addClassCleanup(sink.down)
        return sink

    def test_delivery_is_encrypted_as_each_domain_wants(self):
        delivered = ["default", "encrypt", "verify", "fingerprint", "two"]
        waiting = ["plain", "wrong-name", "wrong-print"]
        for name in delivered + waiting:
            self.accept(f"info@{name}.example", rig.mail(name))
        for name in delivered:
            with self.subTest(name):
                sink = self.sinks["second" if name == "two" else name]
                (delivery,) = sink.wait_for_count(1)
                self.assertTrue(delivery.encrypted)
        for name in waiting:
            with self.subTest(name):
                rig.eventually(lambda name=name: self.gateway.postfix.waiting(f"{name}.example"),
                               "it waits")
        self.at_rest()
        for name in waiting:
            self.assertEqual(self.sinks[name].received(), [])
            self.assertEqual(len(self.gateway.postfix.waiting(f"{name}.example")), 1)
        self.assertEqual(self.gateway.postfix.log_lines("status=bounced"), [])


class SizeTest(rig.TestCase):
    domains = "".join([
        rig.feed("small.example", OFF, 'max_size = "64K"'),
        rig.feed("large.example", OFF, 'max_size = "1M"'),
        rig.feed("large2.example", OFF, 'max_size = "1M"'),
    ])

    @staticmethod
    def message(size):
        return rig.mail("large", "x" * 70 + "\n" + ("y" * 70 + "\n") * (size // 72))

    def begin(self, sender):
        session = self.session()
        self.assertTrue(session.command(f"MAIL FROM:<anna@sender.example>{sender}").positive)
        return session

    def test_a_recipient_is_refused_by_the_size_that_is_declared(self):
        for size, recipient, wanted in (
                (65536, "small", 250), (65537, "small", 552), (1 << 20, "large", 250),
                (("x"), "small", 501)):
            with self.subTest(f"{size} {recipient}"):
                session = self.session()
                reply = session.command(f"MAIL FROM:<anna@sender.example> SIZE={size}")
                if reply.positive:
                    reply = session.command(f"RCPT TO:<info@{recipient}.example>")
                self.assertEqual(reply.code, wanted, str(reply))
                if wanted == 552:
                    self.assertEqual(reply.enhanced, "5.3.4")
                    # Others of the transaction are not.
                    reply = session.command("RCPT TO:<info@large.example>")
                    self.assertEqual(reply.code, 250, str(reply))

    def test_a_message_is_refused_by_the_size_that_it_has(self):
        outcome = self.send("info@small.example", self.message(70_000))
        self.assertEqual((outcome.final.code, outcome.final.enhanced), (552, "5.3.4"))
        self.accept("info@small.example", self.message(60_000))
        self.accept("info@large.example", self.message(70_000))
        self.customer.wait_for_count(2)

    def test_domains_of_different_limits_do_not_share_a_transaction(self):
        outcome = self.send(["a@large.example", "b@small.example"], self.message(1000))
        self.assertEqual([r.code for r in outcome.replies.values()], [250, 452])
        self.accept(["a@large.example", "b@large2.example"], self.message(1000))


class EtrnTest(rig.TestCase):
    domains = rig.feed("acme.example", OFF, deliver_to=("203.0.113.60",))

    def test_only_a_customers_server_may_ask_for_its_mail(self):
        server = Sink("203.0.113.60", 25)
        self.addCleanup(server.down)
        self.accept("info@acme.example", rig.mail("waits"))
        rig.eventually(lambda: self.gateway.postfix.waiting("acme.example"), "it waits")
        self.at_rest()
        server.up()
        for source in (rig.SENDER, "203.0.113.61"):
            reply = self.session(source=source).command("ETRN acme.example")
            self.assertEqual(reply.code // 100, 5, str(reply))
        reply = self.session(source="203.0.113.60").command("ETRN acme.example")
        self.assertEqual(reply.code, 250, str(reply))
        server.wait_for_count(1)


class HostsTest(rig.TestCase):
    """Several servers in order: which answers move on to the next."""

    FIRST, SECOND = "203.0.113.70", "203.0.113.71"
    domains = "".join([
        rig.feed("two.example", OFF, 'on_refusal = "bounce"', deliver_to=(FIRST, SECOND)),
        rig.feed("default.example", OFF, deliver_to=(FIRST, SECOND)),
        rig.feed("soft.example", OFF, 'state = "protect"', deliver_to=(FIRST, SECOND)),
    ])

    def setUp(self):
        super().setUp()
        self.first, self.second = self.sink(self.FIRST), self.sink(self.SECOND)
        self.addCleanup(self.first.down)
        self.addCleanup(self.second.down)

    def outcome(self, domain="two.example"):
        """Where a mail for it goes: "first", "second", "bounced" or "waits"."""
        postfix = self.gateway.postfix
        bounced = len(postfix.log_lines("status=bounced"))
        waiting = len(postfix.waiting(domain))
        self.first.clear()
        self.second.clear()
        self.accept(f"info@{domain}", rig.mail("where to"))

        def where():
            if self.first.received():
                return "first"
            if self.second.received():
                return "second"
            if len(postfix.log_lines("status=bounced")) > bounced:
                return "bounced"
            self.at_rest()
            return "waits" if len(postfix.waiting(domain)) > waiting else None

        return rig.eventually(where, "it has gone somewhere")

    def test_no_answer_and_4xx_at_any_stage_before_the_recipient_move_on(self):
        for stage, reply in (("connect", "421 4.3.2 Not now"), ("connect", "554 5.3.2 Go away"),
                             ("mail", "451 4.3.0 Not now"),
                             ("info@two.example", "450 4.2.0 Not now"),
                             ("data", "451 4.3.0 Not now")):
            with self.subTest(f"{stage} {reply}"):
                self.first.answers = {stage: reply}
                self.assertEqual(self.outcome(), "second")

    def test_5xx_for_the_mail_is_final(self):
        for stage, reply in (("mail", "550 5.7.1 Not you"),
                             ("info@two.example", "550 5.1.1 No such user"),
                             ("data", "554 5.7.1 No"), ("end", "554 5.6.0 Spam")):
            with self.subTest(f"{stage} {reply}"):
                self.first.answers = {stage: reply}
                self.assertEqual(self.outcome(), "bounced")

    def test_the_next_server_is_asked_after_5xx_unless_it_is_to_bounce(self):
        for domain in ("soft.example", "default.example"):
            with self.subTest(domain):
                refusal = {f"info@{domain}": "550 5.1.1 No such user"}
                self.first.answers = refusal
                self.assertEqual(self.outcome(domain), "second")
                self.second.answers = refusal
                self.assertEqual(self.outcome(domain), "waits")
                self.second.answers = {}
                self.assertEqual(self.gateway.postfix.log_lines(domain, "status=bounced"), [])


if __name__ == "__main__":
    rig.main()
