# SPDX-License-Identifier: GPL-2.0-or-later
"""The milters on a Postfix that has other uses: other mail passes as it is, mail of trusted
clients is not sent back, and mail that needs SMTPUTF8 is refused."""

import daemons
import scan_service
from scan_service import EICAR, NAME, encrypted_zip, file_part, mail, text_part

SENDER = "someone@sender.example"
CLEAN = mail(text_part("Clean"))
INFECTED = mail(text_part(), file_part(EICAR))
ENCRYPTED = mail(text_part(), file_part(encrypted_zip()))
FORGED = b"X-Mxfeed-Virus: clean\r\nX-Mxfeed-Spam: none\r\n"
OTHER, OTHER2 = "local@site.example", "root@site2.example"
DELETES, REJECTS, HOLDS = "x@delete.example", "x@reject.example", "x@hold.example"

SPAM = "  [domain.spam]\n  enabled = true\n"
DOMAINS = "".join([
    daemons.feed("delete.example") + SPAM,
    daemons.feed("reject.example", virus='{ infected = "reject", encrypted = "reject" }'),
    daemons.feed("hold.example", virus='{ infected = "quarantine" }'),
])
TRUSTED_NETWORK = 'trusted_networks = ["203.0.113.0/24"]\n'
SCANS_OTHER = "[postfix]\nscan_other_mail = true\n"
DEDICATED = "[postfix]\ndedicated = true\n"

# Each is a trusted client.
CLIENTS = ({"macros": {"{auth_authen}": "jane", "{auth_type}": "PLAIN"}},
           {"macros": {"{auth_type}": "EXTERNAL"}},
           {"address": "203.0.113.7"}, {"address": None})


def codes(result):
    return [reply.code for reply in result.recipients]


class SharedPostfixTest(scan_service.ServiceTestCase):
    def begin(self, *names, gateway="", scan=True):
        """The milters of that names, with the scan service unless it is not needed."""
        if scan:
            self.service(domains=DOMAINS, gateway=gateway, keys=TRUSTED_NETWORK)
        else:
            self.configure(domains=DOMAINS, gateway=gateway, keys=TRUSTED_NETWORK)
        return [self.start(name) for name in names]

    def send(self, milter, message, *recipients, sender=SENDER, mail_args=(), **client):
        with self.mta(milter, **client) as mta:
            result = mta.send(sender, list(recipients), message, mail_args)
        self.assertEqual(result.milter_failed, "", milter.log())
        return result

    def ends_at_data(self, milter, *recipients, **client):
        """Whether the milter needs nothing of the message after its recipients."""
        with self.mta(milter, **client) as mta:
            mta.mail(SENDER)
            for recipient in recipients:
                mta.rcpt(recipient)
            self.assertEqual(mta.data().code, 354)
            return mta.settled == "accept"

    # Other mail.

    def test_other_mail_passes_as_it_is(self):
        message = FORGED + INFECTED
        milters = self.begin("greylist", "virus", "spam", scan=False)
        for milter in milters:
            for recipients in ([OTHER], [OTHER, OTHER2], ["postmaster"]):
                with self.subTest(milter=milter.name, recipients=recipients):
                    result = self.send(milter, message, *recipients)
                    self.assertEqual(codes(result), [250] * len(recipients))
                    self.assertTrue(result.accepted, result)
                    self.assertEqual((result.edits, result.message), ([], message))
                    self.assertTrue(self.ends_at_data(milter, *recipients))
            self.assertEqual(milter.log_lines("verdict="), [])
        self.assertEqual(milters[1].metric("mxfeed_virus_other_mail_total"), 6)

    def test_our_mail_goes_on_after_data(self):
        for milter in self.begin("virus", "spam", scan=False):
            self.assertFalse(self.ends_at_data(milter, REJECTS))
            # The first recipient is another one.
            self.assertFalse(self.ends_at_data(milter, OTHER, REJECTS, **CLIENTS[0]))

    def test_other_mail_is_scanned_if_that_is_asked_for(self):
        for gateway in (SCANS_OTHER, DEDICATED):
            with self.subTest(gateway):
                [virus] = self.begin("virus", gateway=gateway)
                result = self.send(virus, FORGED + CLEAN, OTHER)
                self.assertEqual(result.header("X-Mxfeed-Virus"), ["clean"])
                self.assertEqual(result.header("X-Mxfeed-Spam"), [])
                self.assertTrue(self.send(virus, INFECTED, OTHER).discarded)
                self.assertFalse(self.ends_at_data(virus, OTHER))
                virus.stop()
                self.scan.stop()

    def test_a_stranger_has_to_send_other_mail_apart_from_ours(self):
        [virus] = self.begin("virus")
        first = self.send(virus, INFECTED, OTHER, REJECTS, OTHER2)
        self.assertEqual(codes(first), [250, 452, 452])
        self.assertEqual((first.edits, first.message), ([], INFECTED))
        second = self.send(virus, INFECTED, REJECTS, OTHER, REJECTS)
        self.assertEqual(codes(second), [250, 452, 452])
        self.assertEqual(second.reply.code, 550)
        self.assertEqual(codes(self.send(virus, CLEAN, OTHER2)), [250])

    def test_a_new_policy_holds_on_open_connections(self):
        [virus] = self.begin("virus", gateway=DEDICATED)
        def apply(gateway, generation):
            self.configure(domains=DOMAINS, gateway=gateway, keys=TRUSTED_NETWORK)
            self.eventually(lambda: virus.status()["generation"] == generation, "a reload")
        with self.mta(virus) as dedicated:
            self.assertTrue(dedicated.send(SENDER, [OTHER], INFECTED).discarded)
            apply("", "2")
            # This connection was told that there is no answer at DATA.
            result = dedicated.send(SENDER, [OTHER], FORGED + INFECTED)
            self.assertEqual((result.reply.code, result.edits), (250, []))
            with self.mta(virus) as shared:
                self.assertEqual(shared.send(SENDER, [OTHER], INFECTED).edits, [])
                apply(DEDICATED, "3")
                self.assertTrue(shared.send(SENDER, [OTHER], INFECTED).discarded)

    # Trusted clients.

    def test_trusted_clients_are_never_told_to_come_again(self):
        recipients = [DELETES, REJECTS, OTHER, HOLDS]
        greylist, virus, spam = self.begin("greylist", "virus", "spam")
        for client in CLIENTS:
            with self.subTest(client):
                for milter in (greylist, virus, spam):
                    result = self.send(milter, CLEAN, *recipients, **client)
                    self.assertEqual(codes(result), [250] * 4)
                    self.assertTrue(result.accepted)
        self.assertEqual(codes(self.send(greylist, CLEAN, DELETES)), [450])
        self.assertEqual(codes(self.send(virus, CLEAN, *recipients)), [250, 452, 452, 452])

    def test_the_least_destructive_action_of_all_recipients_is_taken(self):
        [virus] = self.begin("virus")
        infected, encrypted = f"infected ({NAME})", "encrypted (Encrypted.Zip)"
        cases = [
            ("one policy", INFECTED, [DELETES, "y@delete.example"], "discard", ""),
            ("reject before delete", INFECTED, [DELETES, REJECTS], "reject", ""),
            ("whatever comes first", INFECTED, [REJECTS, DELETES], "reject", ""),
            ("quarantine before reject", INFECTED, [REJECTS, HOLDS], "hold", infected),
            ("held and deleted", INFECTED, [DELETES, HOLDS], "hold", infected),
            ("other mail is held", INFECTED, [OTHER, HOLDS], "hold", infected),
            ("other mail is not deleted", INFECTED, [OTHER, DELETES], "reject", ""),
            ("nor is it if it is last", INFECTED, [DELETES, OTHER], "reject", ""),
            ("encrypted", ENCRYPTED, [REJECTS], "reject", ""),
            ("header before reject", ENCRYPTED, [REJECTS, DELETES], "accept", encrypted),
            ("clean", CLEAN, [OTHER, DELETES, HOLDS], "accept", "clean"),
        ]
        for name, message, recipients, outcome, header in cases:
            with self.subTest(name):
                result = self.send(virus, FORGED + message, *recipients, **CLIENTS[0])
                self.assertEqual(codes(result), [250] * len(recipients))
                self.assertEqual(result.discarded, outcome == "discard")
                self.assertEqual(result.removed, recipients if outcome == "hold" else [])
                self.assertEqual([one[3] for one in result.held],
                                 [r for r in recipients if r != DELETES]
                                 if outcome == "hold" else [])
                self.assertEqual(result.reply.code, 550 if outcome == "reject" else 250)
                if header:
                    self.assertEqual(result.header("X-Mxfeed-Virus"), [header])

    def test_mail_of_trusted_clients_is_not_classified(self):
        [spam] = self.begin("spam", scan=False)
        for client in CLIENTS:
            for recipients in ([DELETES], [DELETES, HOLDS], [OTHER, DELETES]):
                with self.subTest(client=client, recipients=recipients):
                    result = self.send(spam, FORGED + CLEAN, *recipients, **client)
                    self.assertEqual(result.header("X-Mxfeed-Spam-Status"), [])
                    self.assertEqual(result.header("X-Mxfeed-Spam"), [])
        self.assertEqual(spam.metric("mxfeed_spam_mixed_total"), 0)
        self.assertEqual(len(self.send(spam, CLEAN, DELETES).header("X-Mxfeed-Spam-Status")), 1)

    # SMTPUTF8.

    UTF8 = CLEAN.replace(b"Subject: ", "Subject: Grüße ".encode(), 1)

    def test_what_needs_smtputf8_is_refused_for_our_domains(self):
        self.assertNotEqual(self.UTF8, CLEAN)
        [virus] = self.begin("virus")
        announced = {"mail_args": ["SIZE=1000", "smtputf8"]}
        refused = "550 5.6.7 The recipient's mail server does not support SMTPUTF8"
        cases = [
            ("sender", CLEAN, DELETES, {"sender": "jörg@sender.example", **announced}),
            ("recipient", CLEAN, "jörg@delete.example", announced),
        ]
        for name, message, recipient, options in cases:
            with self.subTest(name):
                result = self.send(virus, message, recipient, OTHER, **options)
                self.assertEqual(result.recipients, [refused, "250 2.1.5 Ok"])
                self.assertEqual(result.edits, [])
        header = self.send(virus, self.UTF8, DELETES, **announced)
        self.assertEqual((codes(header), header.reply), ([250], refused))
        self.assertEqual(virus.metric("mxfeed_virus_smtputf8_refused_total"), 3)

    def test_what_can_be_delivered_without_smtputf8_is_taken(self):
        [virus] = self.begin("virus")
        announced = {"mail_args": ["SMTPUTF8"]}
        cases = [
            ("announced only", CLEAN, [DELETES], announced),
            ("not announced", self.UTF8, [DELETES], {}),
            ("other mail", self.UTF8, [OTHER], {"sender": "jörg@sender.example", **announced}),
            ("to other mail too", self.UTF8, [DELETES, OTHER], {**announced, **CLIENTS[0]}),
            ("a parameter's value", self.UTF8, [DELETES], {"mail_args": ["ENVID=SMTPUTF8"]}),
        ]
        for name, message, recipients, options in cases:
            with self.subTest(name):
                result = self.send(virus, message, *recipients, **options)
                self.assertEqual(codes(result), [250] * len(recipients))
                self.assertTrue(result.accepted, result.reply)

    def test_nothing_is_refused_where_smtputf8_is_supported(self):
        [virus] = self.begin("virus", gateway="[postfix]\nsmtputf8 = true\n")
        result = self.send(virus, self.UTF8, "jörg@delete.example", mail_args=["SMTPUTF8"])
        self.assertEqual((codes(result), result.reply.code), ([250], 250))


if __name__ == "__main__":
    daemons.main()
