# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail to traps and users' reports teach the spam classifier and reach nobody; only what comes
from the customer is a report."""

import json
import os
import subprocess

import rig
import service

REPORTS = ('  [domain.spam]\n  enabled = true\n  traps = ["old-sales"]\n'
           '  report_spam = "is-spam"\n  report_ham = "not-spam"\n')
USER = "anna@acme.example"
STRANGER = "198.51.100.66"

rig.RECORDS += [f'acme.example. 60 TXT "v=spf1 ip4:{rig.SENDER} -all"',
                f'shop.example. 60 TXT "v=spf1 ip4:{rig.SENDER} -all"',
                f'sender.example. 60 TXT "v=spf1 ip4:{rig.SENDER} -all"']


def report(*mails, note="This was judged wrong.\n"):
    """A mail to which others are attached."""
    parts = "".join(f"--out\nContent-Type: message/rfc822\n\n{mail.decode()}\n" for mail in mails)
    return rig.mail("Fwd", MIME_Version="1.0", Content_Type='multipart/mixed; boundary="out"',
                    body=f"--out\nContent-Type: text/plain\n\n{note}{parts}--out--\n")


class ReportsTest(rig.TestCase):
    daemons = (*rig.TestCase.daemons, "quarantine")
    domains = '[customer]\nid = "acme"\n' + "".join([
        rig.feed("acme.example", "greylist = false", 'recipients = ["info"]', tables=REPORTS),
        rig.feed("shop.example", "greylist = false"),
    ])

    def setUp(self):
        super().setUp()
        self.learn()

    def learn(self, status=0):
        done = self.gateway.mxfeed("spam", "learn", "--held", "--json", check=False)
        self.said = done.stderr
        self.assertEqual(done.returncode, status, self.said)
        return json.loads(done.stdout)

    def lessons(self, *arguments):
        if not (self.gateway.state / "quarantine" / "quarantine.db").exists():
            return []
        return json.loads(self.gateway.mxfeed("quarantine", "list", "acme.example", "--json",
                                              *arguments).stdout)

    def wait_for_lessons(self, *kinds):
        return rig.eventually(
            lambda: sorted(one["kind"] for one in self.lessons("--lessons")) == sorted(kinds),
            f"lessons: {kinds}")

    def assert_nobody_got_it(self):
        """What is sent now is all that arrives."""
        self.accept("info@acme.example", rig.mail("after"))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.recipients, ("info@acme.example",))
        self.at_rest()
        self.assertEqual(self.gateway.postfix.queue(), [])

    def assert_learned(self, held, learned, status=0, **more):
        want = {"held": held, "learned": learned, "relabelled": 0, "unchanged": 0,
                "without_message": 0, "failed": 0, **more}
        self.assertEqual(self.learn(status), want)

    def test_mail_to_a_trap_is_learned_as_spam(self):
        self.accept("Old-Sales@acme.example", rig.mail("trapped", "Buy now.\n"))
        self.wait_for_lessons("trap")
        self.assertEqual(self.lessons(), [])
        self.assert_learned(1, 1)
        self.assertIn("event=trap domain=acme.example", self.said)
        self.assertEqual(self.lessons("--lessons"), [])
        (ended,) = self.lessons("--lessons", "--ended")[-1:]
        self.assertEqual(ended["state"], "learned")
        self.assert_nobody_got_it()

    def test_the_others_get_what_a_trap_got(self):
        self.accept(["old-sales@acme.example", "info@acme.example"], rig.mail("both"))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.recipients, ("info@acme.example",))
        self.wait_for_lessons("trap")
        self.assert_learned(1, 1)

    def test_reports_are_learned(self):
        spam = [rig.mail(f"cheap {i}", f"Offer {i} of today.\n") for i in range(2)]
        self.accept("is-spam@acme.example", report(*spam), sender=USER)
        self.accept("not-spam@acme.example", report(rig.mail("order", "Our order.\n")),
                    sender="shop@shop.example")
        self.wait_for_lessons("report_spam", "report_ham")
        self.assert_learned(2, 3)
        self.assertIn("event=report kind=report_spam domain=acme.example", self.said)
        self.assertIn("messages=2", self.said)
        # The label of the same message can be changed, by whatever way it is reported.
        self.accept("not-spam@acme.example", report(spam[0]), sender=USER)
        self.wait_for_lessons("report_ham")
        self.assert_learned(1, 0, relabelled=1)
        self.assert_nobody_got_it()

    def test_a_server_of_the_domain_may_report(self):
        self.accept("is-spam@acme.example", report(rig.mail("by the server")), sender=USER,
                    source=rig.CUSTOMER)
        self.wait_for_lessons("report_spam")
        self.assert_learned(1, 1)

    def test_a_stranger_may_not_report(self):
        for name, sender, source, reason in (
                ("another domain", "anna@sender.example", rig.SENDER, "spam-report-stranger"),
                ("the null sender", "", rig.SENDER, "spam-report-stranger"),
                ("a forged sender", USER, STRANGER, "spam-report-unproved")):
            with self.subTest(name):
                outcome = self.send("is-spam@acme.example", report(rig.mail("x")), sender=sender,
                                    source=source)
                self.assertEqual((outcome.last.code, outcome.last.text[:5]), (550, "5.7.1"))
                self.assertIn(f"reason={reason}",
                              self.gateway.daemons["spam"].log_lines("taught=")[-1])
        self.at_rest()
        self.assertEqual(self.learn()["held"], 0)
        self.assert_nobody_got_it()

    def test_a_report_without_an_attached_message_teaches_nothing(self):
        self.accept("is-spam@acme.example", rig.mail("spam", "> Buy now.\n"), sender=USER)
        self.wait_for_lessons("report_spam")
        self.assert_learned(1, 0, without_message=1)
        self.assertIn("reason=no-attached-message", self.said)
        self.assertEqual(self.lessons("--lessons"), [])

    def test_what_cannot_be_read_holds_up_nothing(self):
        self.accept("old-sales@acme.example", rig.mail("unreadable"))
        self.wait_for_lessons("trap")
        (file,) = (self.gateway.state / "quarantine" / "messages").iterdir()
        content = file.read_bytes()
        file.unlink()
        file.mkdir()
        for number in range(2):
            self.accept("old-sales@acme.example", rig.mail(f"readable {number}"))
            self.wait_for_lessons("trap", "trap")
            self.assert_learned(1, 1, status=1, failed=1)
            self.assertRegex(self.said, "event=trap .*reason=not-learned fault=.*Is a directory")
        file.rmdir()
        file.write_bytes(content)
        self.assert_learned(1, 1)
        self.assertEqual(self.lessons("--lessons"), [])

    def test_a_report_with_a_virus_is_not_learned(self):
        self.send("is-spam@acme.example", report(rig.infected()), sender=USER)
        self.at_rest()
        self.assertEqual(self.learn()["held"], 0)
        self.assert_nobody_got_it()

    def test_lessons_are_not_released(self):
        self.accept("old-sales@acme.example", rig.mail("kept"))
        self.wait_for_lessons("trap")
        (item,) = self.lessons("--lessons")
        for which in (str(item["id"]), "all"):
            done = self.gateway.mxfeed("quarantine", "release", "acme.example", which,
                                       "--postfix-config", self.gateway.postfix.config,
                                       check=False)
            self.assertEqual(done.returncode, 0 if which == "all" else 1)
        self.assertEqual(len(self.lessons("--lessons")), 1)
        self.assert_nobody_got_it()

    def test_reports_wait_while_the_quarantine_is_away(self):
        daemon = self.gateway.daemons["quarantine"]
        daemon.stop()
        self.accept("is-spam@acme.example", report(rig.mail("waits")), sender=USER)
        rig.eventually(lambda: [message["queue_name"] for message in self.gateway.postfix.queue()]
                       == ["deferred"], "the report is deferred")
        daemon.start()
        self.gateway.postfix.flush()
        self.wait_for_lessons("report_spam")
        self.assert_learned(1, 1)

    def test_it_works_as_the_users_of_both_daemons(self):
        self.accept("old-sales@acme.example", rig.mail("for two users"))
        self.wait_for_lessons("trap")
        daemon = self.gateway.daemons["quarantine"]
        daemon.stop()
        os.chmod(self.gateway.directory, 0o755)
        users = {"quarantine": 12001, "spam": 12002}
        self.give(users)
        # Root as the unit has it.
        done = subprocess.run(
            ["setpriv", "--bounding-set=-all,+setuid,+setgid", service.program("mxfeed"), "spam",
             "learn", "--held", "--json", "--state", self.gateway.state],
            capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, json.loads(done.stdout)["learned"]), (0, 1), done.stderr)
        for name, user in users.items():
            for path in self.files(name):
                self.assertEqual((path, path.stat().st_uid), (path, user))
        self.give(dict.fromkeys(users, 0))
        daemon.start()
        self.assertEqual(self.lessons("--lessons"), [])

    def files(self, name):
        directory = self.gateway.state / name
        return [directory, *directory.rglob("*")]

    def give(self, users):
        for name, user in users.items():
            for path in self.files(name):
                os.chown(path, user, user)


if __name__ == "__main__":
    rig.main()
