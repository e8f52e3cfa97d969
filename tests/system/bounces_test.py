# SPDX-License-Identifier: GPL-2.0-or-later
"""What Postfix tells senders: it names the provider, the reason and the last answer, and never
the customer's server.

Notices of every kind, for servers whose names are short, and so long that lines are wrapped.
"""

import email
import email.policy

import rig
from keeper_test import BOUNCE, DAY, OFF, KeeperCase

SHORT = "in.hid.example"
LONG = "the-hidden-mail-server-of-this-customer.datacentre-two.hid.example"
LONG_SERVER = "203.0.113.30"
HIDDEN = (b"hid.example", b"203.0.113.")
PROVIDER = "mx1.gateway.example"
ANSWER = "550 5.7.1 Client host mx1.gateway.example[192.0.2.10] is not welcome here, ask Bob"
# More than cleanup(8) would check by default.
MANY = 500
# Lines that Postfix writes too, and others like them.
BODY = ("Hello,\n\n> host mx.elsewhere.example[198.51.100.200] said: 550 5.1.1 No\n"
        "    name=value\n    a word\nReporting-MTA: dns; mx.elsewhere.example\n"
        ".\n\nconnect to mx.elsewhere.example[198.51.100.200]:25: refused\n-- \nAnna\n")


class BouncesTest(KeeperCase):
    domains = (
        rig.feed("acme.example", OFF, BOUNCE, 'queue_lifetime = "2d"',
                 deliver_to=(f"[{SHORT}]:25",)) +
        rig.feed("long.example", OFF, BOUNCE, 'queue_lifetime = "2d"',
                 deliver_to=(f"[{LONG}]:25",)))
    recipients = ("info@acme.example", "info@long.example",
                  "somebody.with.a.rather.long.name@acme.example",
                  "somebody.with.a.rather.long.name@long.example")

    @classmethod
    def setUpClass(cls):
        rig.NAMES[SHORT] = rig.CUSTOMER
        rig.NAMES[LONG] = LONG_SERVER
        super().setUpClass()
        cls.servers = (cls.customer, cls.sink(LONG_SERVER))

    def setUp(self):
        super().setUp()
        self.sender.clear()
        for server in self.servers:
            server.down()
            server.answers.clear()

    def up(self):
        for server in self.servers:
            server.up()

    def refuse(self, recipient, answer=ANSWER):
        for server in self.servers:
            server.answers[recipient] = answer

    def notice(self):
        """The only one, parsed, once it has come."""
        self.sender.wait_for_count(1)
        (delivery,) = self.sender.received()
        self.sender.clear()
        self.assertEqual(delivery.sender, "")
        return delivery.data

    def check(self, data, action, recipients):
        """A whole report that says who the provider is, and not where the mail should have gone;
        {recipient: fields} and the text for people."""
        for hidden in HIDDEN:
            self.assertNotIn(hidden, data, data.decode())
        report = email.message_from_bytes(data, policy=email.policy.SMTP)
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report.get_param("report-type"), "delivery-status")
        text, status, original = report.iter_parts()
        self.assertEqual([part.get_content_type() for part in (text, status)],
                         ["text/plain", "message/delivery-status"])
        self.assertIn(PROVIDER, text.get_content())
        whole, *each = status.get_payload()
        self.assertEqual(whole["Reporting-MTA"], f"dns; {PROVIDER}")
        for block in (whole, *each):
            self.assertEqual(block.defects, [], data.decode())
            self.assertFalse(block.get_payload(), data.decode())
        found = {block["Final-Recipient"].removeprefix("rfc822; "): block for block in each}
        self.assertEqual(sorted(found), sorted(recipients))
        for block in each:
            self.assertEqual(block["Action"], action)
            self.assertRegex(block["Status"], r"^[245]\.\d+\.\d+$")
            self.assertIsNone(block["Remote-MTA"])
            self.assertEqual(len(block.get_all("Diagnostic-Code")), 1)
        return found, " ".join(text.get_content().split()), original

    def check_original(self, original, message):
        """The whole message came back, byte for byte."""
        self.assertEqual(original.get_content_type(), "message/rfc822")
        body = message.partition(b"\r\n\r\n")[2]
        returned = original.get_payload(0).as_bytes()
        self.assertEqual(returned.replace(b"\r\n", b"\n").partition(b"\n\n")[2].rstrip(),
                         body.replace(b"\r\n", b"\n").rstrip())

    def test_a_refusal_has_the_answer_and_not_the_server(self):
        self.up()
        for recipient in self.recipients:
            with self.subTest(recipient):
                self.refuse(recipient)
                message = rig.mail("refused", BODY)
                self.accept(recipient, message)
                found, text, original = self.check(self.notice(), "failed", [recipient])
                block = found[recipient]
                self.assertEqual(block["Status"], "5.7.1")
                self.assertEqual(" ".join(block["Diagnostic-Code"].split()), f"smtp; {ANSWER}")
                self.assertIn(f"said: {ANSWER} (in reply to RCPT TO command)", text)
                self.check_original(original, message)

    def test_an_expiry_has_the_reason_and_not_the_server(self):
        for recipient in self.recipients:
            with self.subTest(recipient):
                self.put(recipient, 3)
                self.keep()
                found, text, _ = self.check(self.notice(), "failed", [recipient])
                block = found[recipient]
                self.assertEqual(
                    " ".join(block["Diagnostic-Code"].split()),
                    "X-Postfix; connect to [recipient's server]: Connection refused")
                self.assertIn("connect to [recipient's server]: Connection refused", text)
                rig.eventually(lambda: not self.postfix.queue(), "the message is gone")

    def test_a_server_that_greets_with_an_error_is_not_named(self):
        for server in self.servers:
            server.answers["connect"] = "554 5.3.2 Not today"
        self.up()
        for recipient in self.recipients:
            with self.subTest(recipient):
                self.put(recipient, 3)
                self.keep()
                _, text, _ = self.check(self.notice(), "failed", [recipient])
                self.assertIn("554 5.3.2 Not today", text)
                rig.eventually(lambda: not self.postfix.queue(), "the message is gone")

    def test_a_warning_of_a_delay_does_not_name_the_server(self):
        self.postfix.edit(delay_warning_time="1s")
        self.postfix.reload()
        self.addCleanup(self.postfix.reload)
        self.addCleanup(self.postfix.edit, delay_warning_time="0h")
        for recipient in self.recipients:
            with self.subTest(recipient):
                self.accept(recipient, rig.mail("late"))

                def warned():
                    self.postfix.flush()
                    return self.sender.received()
                rig.eventually(warned, "a warning", 60)
                _, text, _ = self.check(self.notice(), "delayed", [recipient])
                self.assertIn("Connection refused", text)
                self.empty_the_queue()
                for server in self.servers:
                    server.down()

    def test_a_report_of_delivery_does_not_name_the_server(self):
        self.up()
        for recipient in self.recipients:
            with self.subTest(recipient), self.session() as session:
                session.command("MAIL FROM:<anna@sender.example>")
                self.assertTrue(
                    session.command(f"RCPT TO:<{recipient}> NOTIFY=SUCCESS").positive)
                session.command("DATA")
                self.assertTrue(session.command(rig.mail("report") + b".").positive)
                found, text, _ = self.check(self.notice(), "relayed", [recipient])
                self.assertEqual(found[recipient]["Status"], "2.0.0")
                self.assertIn("250 2.0.0 Taken", text)

    def test_a_report_about_many_recipients_names_the_server_nowhere(self):
        self.up()
        many = [f"somebody.with.a.long.name.{i}@acme.example" for i in range(MANY)]
        for recipient in many:
            self.refuse(recipient)
        with self.session() as session:
            outcome = session.send("anna@sender.example", many, rig.mail("to many"))
        self.assertTrue(outcome.accepted, outcome.last)
        left = set(many)
        while left:
            data = self.next_notice()
            named = {line.split()[2] for line in data.decode().splitlines()
                     if line.startswith("Final-Recipient: ")}
            self.check(data, "failed", named)
            left -= named

    def next_notice(self):
        rig.eventually(self.sender.received, "a notice", 60)
        first = self.sender.received()[0]
        self.sender.clear()
        return first.data

    def test_the_log_and_the_queue_name_the_server(self):
        self.put("info@acme.example", 1)
        (message,) = self.postfix.queue()
        self.assertIn(f"connect to {SHORT}[{rig.CUSTOMER}]:25: ",
                      message["recipients"][0]["delay_reason"])
        self.assertTrue(self.postfix.log_lines(f"connect to {SHORT}[{rig.CUSTOMER}]:25: "))


if __name__ == "__main__":
    rig.main()
