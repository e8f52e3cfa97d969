# SPDX-License-Identifier: GPL-2.0-or-later
"""The milters in a real Postfix that has mail of its own, for site.example."""

import subprocess
import time

import rig

FORGED = {"X_Mxfeed_Virus": "clean", "X_Mxfeed_Spam": "none"}
TRUSTED = "198.51.100.77"


class SharedPostfixTest(rig.TestCase):
    dedicated = False
    domains = (rig.feed("acme.example", "greylist = false",
                        tables="[domain.spam]\nenabled = true\n") +
               rig.feed("grey.example"))
    gateway_settings = f'trusted_networks = ["{TRUSTED}/32"]\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = cls.sink(rig.STRANGER)
        cls.gateway.postfix.edit(
            virtual_mailbox_domains="site.example",
            virtual_transport=f"smtp:[{rig.STRANGER}]",
            smtpd_discard_ehlo_keywords="")  # SMTPUTF8 is announced
        cls.gateway.postfix.reload()

    def setUp(self):
        super().setUp()
        self.site.clear()
        self.customer.extensions = ("PIPELINING", "8BITMIME")

    def test_other_mail_arrives_as_it_was_sent(self):
        for message in (rig.mail(**FORGED), rig.infected()):
            self.site.clear()
            self.accept("local@site.example", message)
            (delivery,) = self.site.wait_for_count(1)
            # Below what Postfix puts above it.
            self.assertTrue(delivery.data.endswith(message), delivery.data)
            added = delivery.data[:-len(message)]
            self.assertNotIn(b"X-Mxfeed", added)

    def test_a_stranger_brings_our_mail_apart(self):
        outcome = self.send(["local@site.example", "info@acme.example"], rig.infected())
        self.assertEqual([reply.code for reply in outcome.replies.values()], [250, 452])
        self.assertTrue(outcome.final.positive)
        self.site.wait_for_count(1)
        outcome = self.send(["info@grey.example", "local@site.example"], rig.mail())
        # Greylisted, so the other one is alone.
        self.assertEqual([reply.code for reply in outcome.replies.values()], [450, 250])
        self.site.wait_for_count(2)
        self.assertEqual(self.customer.received(), [])

    def test_a_message_without_a_header_is_looked_at(self):
        for message in (b"", b"\r\n", b"\r\nhello\r\n"):
            self.customer.clear()
            self.accept("info@acme.example", message)
            (delivery,) = self.customer.wait_for_count(1)
            self.assertEqual(delivery.header("X-Mxfeed-Virus"), [b" clean"])

    def test_a_trusted_client_sends_to_all_at_once(self):
        both = ["local@site.example", "info@acme.example"]
        self.accept(both, rig.mail(**FORGED), source=TRUSTED)
        for sink in (self.site, self.customer):
            (delivery,) = sink.wait_for_count(1)
            self.assertEqual(delivery.header("X-Mxfeed-Virus"), [b" clean"])
            self.assertEqual(delivery.header("X-Mxfeed-Spam"), [])
            self.assertEqual(delivery.header("X-Mxfeed-Spam-Status"), [])
        outcome = self.send(both, rig.infected(), source=TRUSTED)
        self.assertEqual((outcome.final.code, outcome.final.enhanced), (550, "5.7.1"))

    def test_an_extension_ends_at_the_sites_lifetime_and_says_how_to_raise_it(self):
        postfix = self.gateway.postfix
        file = self.gateway.config / "domains.d" / "domains.toml"
        before = file.read_text()
        self.addCleanup(file.write_text, before)
        until = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 6 * 86400))

        def extend():
            return self.gateway.mxfeed("queue", "extend", "acme.example", "--until", until,
                                       "--postfix-config", postfix.config, check=False)
        done = extend()
        self.assertEqual(done.returncode, 1)
        for said in ("Postfix returns the oldest mail at ",
                     f"maximal_queue_lifetime in {postfix.config}/main.cf is 5d",
                     "for all mail of this Postfix: "
                     "postconf -e maximal_queue_lifetime=7d; postfix reload"):
            self.assertIn(said, done.stderr)
        self.assertEqual(file.read_text(), before)
        postfix.edit(maximal_queue_lifetime="7d")
        self.addCleanup(subprocess.run, ["postconf", "-c", postfix.config, "-X",
                                         "maximal_queue_lifetime"], check=True)
        done = extend()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f'extend_until = "{until}"', file.read_text())

    def test_what_needs_smtputf8_is_not_taken_and_the_rest_arrives(self):
        with self.session(source=TRUSTED) as session:
            self.assertIn("SMTPUTF8", session.hello.text.split())
            # Postfix delivers what only announces it without SMTPUTF8.
            plain = session.send("anna@sender.example", ["info@acme.example"], rig.mail(),
                                 " SMTPUTF8")
            self.assertTrue(plain.accepted, plain.last)
            (delivery,) = self.customer.wait_for_count(1)
            self.assertNotIn("SMTPUTF8", delivery.options)
            header = session.send("anna@sender.example", ["info@acme.example"],
                                  rig.mail("Grüße"), " SMTPUTF8")
            self.assertEqual((header.final.code, header.final.enhanced), (550, "5.6.7"))
            sender = session.send("jörg@sender.example", ["info@acme.example"], rig.mail(),
                                  " SMTPUTF8")
            reply = sender.replies["info@acme.example"]
            self.assertEqual((reply.code, reply.enhanced), (550, "5.6.7"))
            other = session.send("jörg@sender.example", ["local@site.example"],
                                 rig.mail("Grüße"), " SMTPUTF8")
            self.assertTrue(other.accepted, other.last)
            (delivery,) = self.site.wait_for_count(1)
            self.assertIn("SMTPUTF8", delivery.options)
        self.at_rest()
        self.assertEqual(self.gateway.postfix.queue(), [])


if __name__ == "__main__":
    rig.main()
