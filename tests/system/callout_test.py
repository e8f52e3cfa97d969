# SPDX-License-Identifier: GPL-2.0-or-later
"""Recipients that the customer's server decides about, also while it is down."""

import json
import subprocess
import sys

import rig
import smtp_sink
from service import eventually

OFF = "greylist = false"
CALLOUT = 'recipients = "callout"'
UNKNOWN = "550 5.1.1"
TRY_AGAIN = "450 4.1.1"


class CalloutTest(rig.TestCase):
    daemons = (*rig.TestCase.daemons, "recipients")
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

    def keep(self):
        """A run of the keeper; what it says."""
        return self.gateway.mxfeed("keeper", "run", *self.gateway.for_postfix()).stderr

    def deliver(self, recipient, server=None):
        """Has the customer's server take a message for whom it was never asked about."""
        server = server or self.customer
        self.customer.answers.known.add(recipient)
        self.stop_recipients()
        self.gateway.postfix.submit("anna@sender.example", [recipient],
                                    b"Subject: greetings\n\nHello.\n")

        def arrived():
            # Postfix may still take the server to be away.
            self.gateway.postfix.flush()
            return server.received(recipient)
        eventually(arrived, f"{recipient} has mail", 120)
        eventually(lambda: any("status=sent" in line for line in
                               self.gateway.log_lines(f"to=<{recipient}>")), "it is logged")
        self.gateway.start_daemon("recipients")

    def teach(self, recipient, user):
        """Says as that user that a message was delivered; the answer, or what went wrong."""
        program = f"""
import grp, os, pwd, socket
user = pwd.getpwnam("{user}")
os.setgroups([]); os.setgid(user.pw_gid); os.setuid(user.pw_uid)
client = socket.socket(socket.AF_UNIX)
client.settimeout(30)
try:
    client.connect("{self.gateway.postfix.spool}/mxfeed/recipients.sock")
    client.sendall(b"request=mxfeed_delivered\\nrecipient={recipient}\\n\\n")
    print(client.recv(100).decode().strip() or "closed")
except PermissionError:
    print("not allowed")
"""
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True,
                              text=True, timeout=60)
        return done.stdout.strip()

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

    def dangers(self):
        """What `mxfeed status` says of call-outs."""
        done = self.gateway.mxfeed("status", "--json", *self.gateway.for_postfix(), check=False)
        return [one["text"] for one in json.loads(done.stdout)["dangers"]
                if 'recipients = "callout"' in one["text"]]

    def test_status_tells_that_the_daemon_does_not_serve(self):
        self.assertEqual(self.dangers(), [])
        self.stop_recipients()
        (danger,) = self.dangers()
        self.assertIn("new mail for 3 domains", danger)
        self.assertIn("acme.example", danger)

    def test_deliveries_make_recipients_known_for_an_outage(self):
        known, family = "colleague@defer.example", "cousin@sub.family.example"
        self.keep()
        self.deliver(known)
        self.deliver(family)
        self.deliver("info@other.example", self.other)
        self.assertNotIn("warning", self.keep())
        self.customer.down()
        self.addCleanup(self.customer.up)
        self.assertEqual(self.customer.answers.asked.count(known), 1)  # for its message
        self.assertTrue(self.reply(known).startswith("250 "))
        self.assertTrue(self.reply("nobody@defer.example").startswith(TRY_AGAIN))
        self.assertTrue(self.reply(family).startswith("250 "))
        for one in (known, family):
            self.assertEqual(len(self.recipients.log_lines("reason=delivered", one)), 1)

    def test_deliveries_wait_for_the_daemon(self):
        self.keep()
        self.deliver("colleague@defer.example")
        self.stop_recipients()
        (self.gateway.state / "keeper" / "keeper.db").unlink()
        self.assertIn("recipients are not learned from deliveries", self.keep())
        self.assertNotIn("recipients are not learned", self.keep())
        self.recipients = self.gateway.start_daemon("recipients")
        self.keep()
        self.customer.down()
        self.addCleanup(self.customer.up)
        self.assertTrue(self.reply("colleague@defer.example").startswith("250 "))

    def test_what_was_not_delivered_is_not_learned(self):
        self.keep()
        self.customer.down()
        self.addCleanup(self.customer.up)
        self.assertTrue(self.reply("new@acme.example").startswith("250 "))
        eventually(lambda: self.gateway.log_lines("to=<new@acme.example>"), "it is deferred")
        self.keep()
        self.assertTrue(self.reply("new@acme.example").startswith("250 "))
        self.assertEqual(
            self.recipients.log_lines("reason=delivered", "new@acme.example"), [])

    def test_only_the_superuser_tells_of_deliveries(self):
        self.customer.down()
        self.addCleanup(self.customer.up)
        new = "new@defer.example"
        # As Postfix's own processes, and those of strangers.
        self.assertEqual(self.teach(new, "postfix"), "closed")
        self.assertEqual(self.teach(new, "nobody"), "not allowed")
        self.assertTrue(self.reply(new).startswith(TRY_AGAIN))
        self.assertEqual(self.teach(new, "root"), "action=DUNNO")
        eventually(lambda: self.reply(new).startswith("250 "), "it is known")


if __name__ == "__main__":
    rig.main()
