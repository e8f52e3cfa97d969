# SPDX-License-Identifier: GPL-2.0-or-later
"""Recipients that the customer's server decides about, also while it is down."""

import rig
import smtp_sink
from service import eventually

OFF = "greylist = false"
CALLOUT = 'recipients = "callout"'
UNKNOWN = "550 5.1.1"
TRY_AGAIN = "450 4.1.1"


class CalloutTest(rig.TestCase):
    domains = "".join([
        rig.feed("acme.example", OFF, CALLOUT),
        rig.feed("family.example", OFF, CALLOUT, "subdomains = true"),
        rig.feed("defer.example", OFF, CALLOUT, 'callout_while_down = "defer"'),
        rig.feed("other.example", OFF, deliver_to=(rig.OTHER_CUSTOMER,)),
    ])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.sink(rig.OTHER_CUSTOMER)

    def setUp(self):
        super().setUp()
        self.customer.answers = smtp_sink.Mailboxes(
            *(f"{local_part}@{domain}" for local_part in ("info", "postmaster")
              for domain in ("acme.example", "defer.example", "sub.family.example")))
        # What was learned in another test does not count.
        self.stop_recipients()
        for file in (self.gateway.state / "recipients").glob("recipients.db*"):
            file.unlink()
        self.recipients = self.gateway.start_daemon("recipients")

    def stop_recipients(self):
        if "recipients" in self.gateway.daemons:
            self.gateway.daemons["recipients"].stop()

    def reply(self, recipient):
        return str(self.send(recipient, rig.mail("probe")).replies[recipient])

    def test_the_customers_server_decides(self):
        for _ in range(2):
            self.assertTrue(self.reply("info@acme.example").startswith("250 "))
            self.assertTrue(self.reply("nobody@acme.example").startswith(UNKNOWN))
        self.assertNotIn("mail.acme.example", self.reply("nobody@acme.example"))
        self.assertEqual(self.customer.answers.asked.count("nobody@acme.example"), 1)

    def test_names_below_a_domain_are_asked_about_too(self):
        self.assertTrue(self.reply("info@sub.family.example").startswith("250 "))
        self.assertTrue(self.reply("nobody@sub.family.example").startswith(UNKNOWN))

    def test_roles_are_taken_without_a_question(self):
        self.assertTrue(self.reply("abuse@acme.example").startswith("250 "))

    def test_an_outage_neither_loses_nor_invents_recipients(self):
        for domain in ("acme.example", "defer.example"):
            self.assertTrue(self.reply(f"info@{domain}").startswith("250 "))
            self.assertTrue(self.reply(f"nobody@{domain}").startswith(UNKNOWN))
        self.at_rest()
        self.customer.down()
        try:
            for domain in ("acme.example", "defer.example"):
                self.assertTrue(self.reply(f"info@{domain}").startswith("250 "))
                self.assertTrue(self.reply(f"nobody@{domain}").startswith(UNKNOWN))
            self.assertTrue(self.reply("new@acme.example").startswith("250 "))
            self.assertTrue(self.reply("new@defer.example").startswith(TRY_AGAIN))
            self.assertTrue(self.reply("info@other.example").startswith("250 "))
        finally:
            self.customer.up()
        # Not poisoned: the outage is forgotten within a minute.
        eventually(lambda: self.reply("new@defer.example").startswith(UNKNOWN),
                   "the server decides again", seconds=60)

    def test_without_the_daemon_only_its_domains_wait(self):
        self.stop_recipients()
        self.assertTrue(self.reply("info@acme.example").startswith("450 4.3.0 "))
        self.assertTrue(self.reply("info@other.example").startswith("250 "))
        self.assertTrue(self.reply("postmaster@acme.example").startswith("250 "))


if __name__ == "__main__":
    rig.main()
