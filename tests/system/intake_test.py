# SPDX-License-Identifier: GPL-2.0-or-later
"""New mail that the keeper has stopped: full queues, backups whose main server answers, and
domains that have vanished."""

import rig
from keeper_test import OFF, KeeperCase

MAIN, BY_NAME = "203.0.113.40", "203.0.113.41"
MX_HOST, MARKED = "203.0.113.42", "203.0.113.43"


def backup(name, deliver_to, while_up="defer"):
    return "\n".join([
        "[[domain]]", f'name = "{name}"', 'service = "backup"', OFF, f"deliver_to = {deliver_to}",
        f'backup_while_up = "{while_up}"', 'requested = "ticket 1"',
        'acknowledged = "ticket 2"']) + "\n"


SPAM = "  [domain.spam]\n  enabled = true\n"
CUSTOMER = '[customer]\nid = "acme"\nmax_backup_domains = 9\n'
DOMAINS = rig.feed("full.example", OFF, 'state = "paused"', 'queue_quota = "64K"') + \
    rig.feed("sub.full.example", OFF, 'state = "paused"') + \
    rig.feed("other.example", OFF, 'state = "paused"')
VANISHING = rig.feed("vanishing.example", OFF)
BACKUPS = backup("backup.example", f'["{MAIN}"]') + \
    backup("named.example", '["[mail.named.example]:25"]') + backup("mx.example", '"mx"')
STAYING = CUSTOMER + DOMAINS + BACKUPS


class IntakeTest(KeeperCase):
    domains = STAYING + VANISHING
    gateway_settings = 'removal_grace = "3s"\n' + KeeperCase.gateway_settings

    @classmethod
    def setUpClass(cls):
        rig.RECORDS.extend([
            f"mail.named.example. A {BY_NAME}", f"mail.mx.example. A {MX_HOST}",
            "mx.example. MX 10 mail.mx.example.", "mx.example. MX 20 mx1.gateway.example.",
            f"mx1.gateway.example. A {rig.GATEWAY}"])
        super().setUpClass()

    def code(self, recipient):
        with self.session() as session:
            session.command("MAIL FROM:<anna@sender.example>")
            return session.command(f"RCPT TO:<{recipient}>").code

    def becomes(self, recipient, code):
        """Postfix notices a table that was replaced within ten seconds."""
        rig.eventually(lambda: self.code(recipient) == code, f"{recipient} gets {code}", 40)

    def test_a_full_queue_stops_new_mail_for_its_domain_only(self):
        self.keep()
        for i in range(3):
            self.accept(["a@full.example"], rig.mail(f"large {i}", "large mail\n" * 3000))
        self.wait_for_deferral(3)
        self.keep()
        self.becomes("a@full.example", 452)
        self.assertEqual(self.code("a@sub.full.example"), 250)
        self.assertEqual(self.code("a@other.example"), 250)
        self.assertEqual(self.alerts(), ["quota"])
        self.empty_the_queue()
        self.keep()
        self.becomes("a@full.example", 250)

    def test_a_backup_takes_mail_while_no_main_server_answers(self):
        for name, address in (("backup", MAIN), ("named", BY_NAME), ("mx", MX_HOST)):
            with self.subTest(name):
                recipient = f"a@{name}.example"
                self.keep()
                self.becomes(recipient, 250)
                main = self.sink(address)
                self.keep()
                self.becomes(recipient, 450)
                main.down()
                self.keep()
                self.becomes(recipient, 250)

    def test_a_domain_that_has_vanished_is_refused_when_its_grace_ends(self):
        self.assertEqual(self.code("a@vanishing.example"), 250)
        self.gateway.configure(STAYING, self.gateway_settings)
        self.addCleanup(self.gateway.apply)
        self.addCleanup(self.gateway.configure, self.domains, self.gateway_settings)
        self.gateway.apply()
        self.becomes("a@vanishing.example", 450)

        def ended():
            self.keep()
            return "vanishing.example" not in "".join(self.gateway.generated("relay_domains"))
        rig.eventually(ended, "its grace has ended", 60)
        self.becomes("a@vanishing.example", 554)


class MarkedTest(KeeperCase):
    domains = CUSTOMER + backup("marked.example", f'["{MARKED}"]', "accept") + \
        SPAM + rig.feed("other.example", OFF, 'state = "paused"', tables=SPAM)

    def is_marked(self, recipient):
        """Whether mxfeed-spam has heard that a mail could have gone to the main server."""
        before = len(self.gateway.log_lines("backup-while-main-answers"))
        self.accept([recipient], rig.mail("to the backup"))
        return len(self.gateway.log_lines("backup-while-main-answers")) > before

    def test_spam_is_told_of_mail_that_could_have_gone_to_the_main_server(self):
        self.assertFalse(self.is_marked("a@marked.example"))
        main = self.sink(MARKED)
        self.keep()
        rig.eventually(lambda: self.is_marked("a@marked.example"), "the mail is marked", 40)
        self.assertFalse(self.is_marked("a@other.example"))
        self.postfix.flush()
        main.wait_for_count(2)


if __name__ == "__main__":
    rig.main()
