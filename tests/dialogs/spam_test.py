# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed-spam does with a message what its recipients' policy says, and passes it else."""

import unittest

import daemons

GTUBE = (b"XJS*C4JDBQADN1.NSBN3*2IDNEN*"
         b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X")

FORGED = (b"X-Mxfeed-Spam: none\r\nX-Mxfeed-Virus: clean\r\nX-Spam-Status: No\r\n"
          b"X-Mxfeed-Spam-Status: none p=0.00\r\nx-mxfeed-spam: none\r\n"
          b"X-MXFEED-Later: none\r\n none\r\nx-mxfeed-spam : none\r\n")


def mail(body=b"Hello", subject=b"Subject: Our meeting\r\n", extra=b""):
    return (b"Date: Mon, 23 Nov 2020 10:11:12 +0000\r\nFrom: Ann <ann@sender.example>\r\n"
            b"To: info@acme.example\r\nMessage-ID: <1@sender.example>\r\n"
            + subject + extra + b"\r\n" + body + b"\r\n")


def domain(name, **rules):
    """A domain with spam filtering; high="delete" and so on, immature="act"."""
    settings = ["enabled = true"]
    for key, value in rules.items():
        settings.append(f'immature = "{value}"' if key == "immature"
                        else f"{key} = {value}" if value.startswith("{")
                        else f'{key} = {{ action = "{value}" }}')
    return daemons.feed(name) + "  [domain.spam]\n  " + "\n  ".join(settings) + "\n"


class SpamTest(daemons.TestCase):
    def run_one(self, rules, message, recipients=("info@acme.example",), gateway="",
                **options):
        self.apply(domain("acme.example", **rules), gateway)
        daemon = self.start("spam")
        result = self.send(daemon, message, recipients, **options)
        daemon.stop()  # the next one has the same socket
        return result

    def send(self, daemon, message, recipients=("info@acme.example",), **options):
        with self.mta(daemon, **options) as mta:
            result = mta.send("ann@sender.example", list(recipients), message)
        self.assertEqual(result.milter_failed, "")
        return result

    def assert_untouched(self, result, message):
        self.assertTrue(result.accepted, result.reply)
        self.assertEqual(result.edits, [])
        self.assertEqual(result.message, message)

    def test_clean_mail_gets_a_status_only(self):
        result = self.run_one({"high": "delete"}, mail())
        self.assertTrue(result.accepted)
        self.assertEqual([edit[0:2] for edit in result.edits],
                         [("add", b"X-Mxfeed-Spam-Status")])
        self.assertRegex(result.header("X-Mxfeed-Spam-Status")[0],
                         r"^none p=0\.18 t=[0-9a-f]+\.[0-9a-f]+$")

    def test_spam_is_deleted(self):
        result = self.run_one({"high": "delete"}, mail(GTUBE))
        self.assertTrue(result.discarded)

    def test_spam_is_rejected(self):
        result = self.run_one({"high": "reject"}, mail(GTUBE))
        self.assertEqual((result.reply.code, result.reply.enhanced), (550, "5.7.1"))

    def test_spam_is_quarantined(self):
        result = self.run_one({"high": "quarantine"}, mail(GTUBE))
        self.assertTrue(result.accepted)
        self.assertIsNone(result.quarantined)
        self.assertEqual([(one[0], one[2], one[3]) for one in result.held],
                         [("spam", "spam high", result.removed[0])])
        self.assertEqual(result.header("X-Mxfeed-Quarantine"), ["spam"])

    def test_spam_gets_the_domains_header(self):
        result = self.run_one({"high": '{ action = "header", text = "X-Junk: yes" }'},
                              mail(GTUBE, extra=b"X-Junk: no\r\nX-Junk: never\r\n"))
        self.assertEqual(result.header("X-Junk"), ["yes"])

    def test_spam_gets_the_default_header(self):
        result = self.run_one({"high": "header"}, mail(GTUBE, extra=FORGED))
        self.assertEqual(result.header("X-Mxfeed-Spam"), ["high"])

    def test_spam_gets_a_tag_before_its_subject(self):
        for name, subject, tagged in (
                ("plain", b"Subject: Hi\r\n", ["[SPAM: high] Hi"]),
                ("encoded", b"Subject: =?utf-8?q?=C3=A4?=\r\n", ["[SPAM: high] =?utf-8?q?=C3=A4?="]),
                ("folded", b"Subject: Hi\r\n there\r\n", ["[SPAM: high] Hi there"]),
                ("missing", b"", ["[SPAM: high]"]),
                ("tagged", b"Subject: [SPAM: high] Hi\r\n", ["[SPAM: high] Hi"]),
                ("nearly tagged", b"Subject: [ S P A M: high ] Hi\r\n",
                 ["[SPAM: high] [ S P A M: high ] Hi"]),
                ("second tagged", b"Subject: one\r\nsubject: [SPAM: high] two\r\n",
                 ["[SPAM: high] one", "[SPAM: high] two"]),
                ("two", b"Subject: one\r\nSubject: two\r\n", ["[SPAM: high] one", "[SPAM: high] two"])):
            with self.subTest(name):
                result = self.run_one({"high": "subject"}, mail(GTUBE, subject=subject))
                self.assertTrue(result.accepted)
                self.assertEqual(result.header("Subject"), tagged)

    def test_a_fold_of_the_subject_stays(self):
        result = self.run_one({"high": "subject"},
                              mail(GTUBE, subject=b"Subject: one\r\n\ttwo\r\n"))
        self.assertIn(b"Subject: [SPAM: high] one\r\n\ttwo\r\n", result.message)

    def test_forged_fields_go_and_others_stay(self):
        result = self.run_one({"high": "delete"}, mail(extra=FORGED))
        self.assertEqual(result.header("X-Mxfeed-Spam"), [])
        self.assertEqual(len(result.header("X-Mxfeed-Spam-Status")), 1)
        self.assertIn("p=0.18", result.header("X-Mxfeed-Spam-Status")[0])
        self.assertEqual(result.header("X-Mxfeed-Later"), [])
        self.assertEqual(result.header("X-Mxfeed-Virus"), ["clean"])
        self.assertEqual(result.header("X-Spam-Status"), ["No"])

    def test_a_domain_without_the_filter_loses_forged_fields_only(self):
        self.apply(daemons.feed("acme.example"))
        daemon = self.start("spam")
        self.assert_untouched(self.send(daemon, mail(GTUBE)), mail(GTUBE))
        result = self.send(daemon, mail(GTUBE, extra=FORGED))
        self.assertEqual(result.header("X-Mxfeed-Spam"), [])
        self.assertEqual(result.header("X-Mxfeed-Spam-Status"), [])
        self.assertEqual(result.header("X-Mxfeed-Virus"), ["clean"])
        self.assertEqual(daemon.metric("mxfeed_spam_forged_fields_total"), 5)

    def test_mail_of_others_is_untouched(self):
        message = mail(GTUBE, extra=FORGED)
        result = self.run_one({"high": "delete"}, message, ["x@other.example"])
        self.assert_untouched(result, message)

    def test_spam_that_is_not_proven_is_tagged_until_the_domain_says_act(self):
        # One oddity of the header and one of the structure are "high" here.
        gateway = "[spam.thresholds]\nlow = 0.2\nmed = 0.3\nhigh = 0.4\n"
        odd = mail(b"<p>Hi", extra=b"Subject: x\r\nContent-Type: text/html\r\n")
        result = self.run_one({"high": "delete"}, odd, gateway=gateway)
        self.assertEqual(result.header("Subject"), ["[SPAM: high] Our meeting", "[SPAM: high] x"])
        self.apply(domain("acme.example", high="delete", immature="act"), gateway)
        daemon = self.start("spam")
        self.assertTrue(self.send(daemon, odd).discarded)
        lines = daemon.log_lines("instead_of=delete", "because=immature", "act=subject",
                                 "domain=acme.example", "field-twice,html-only")
        self.assertEqual(len(lines), 1, daemon.log())
        self.assertEqual(len(daemon.log_lines("verdict=discard", "act=delete",
                                              "domain=acme.example", "level=high")), 1)

    def test_role_addresses_get_their_mail(self):
        self.apply(domain("acme.example", high="delete"))
        daemon = self.start("spam")
        for role in ("postmaster", "Abuse"):
            result = self.send(daemon, mail(GTUBE), [f"{role}@acme.example"])
            self.assert_untouched(result, mail(GTUBE))
        # Beside another recipient it is no way round the filter, but nothing is lost.
        result = self.send(daemon, mail(GTUBE), ["info@acme.example", "abuse@acme.example"])
        self.assertEqual(result.header("Subject"), ["[SPAM: high] Our meeting"])

    def test_trusted_and_authenticated_mail_is_exempt(self):
        self.apply(domain("acme.example", high="delete"))
        daemon = self.start("spam")
        message = mail(GTUBE)
        for options in ({"macros": {"{auth_authen}": "jane"}}, {"address": None}):
            result = self.send(daemon, message, **options)
            self.assertTrue(result.accepted, result.reply)
            self.assertEqual(result.edits, [("add", b"X-Mxfeed-Sender", b" own")])
        self.assertTrue(self.send(daemon, message).discarded)

    def test_of_different_policies_the_least_destructive_action_is_taken(self):
        self.apply(domain("acme.example", high="delete") + domain("b.example", high="reject") +
                   domain("c.example", high="subject"))
        daemon = self.start("spam")
        result = self.send(daemon, mail(GTUBE), ["info@acme.example", "info@b.example"])
        self.assertFalse(result.accepted or result.discarded, result.reply)
        result = self.send(daemon, mail(GTUBE, extra=FORGED),
                           ["info@acme.example", "info@c.example"])
        self.assertTrue(result.accepted, result.reply)
        self.assertEqual(result.header("Subject"), ["[SPAM: high] Our meeting"])
        self.assertEqual(result.header("X-Mxfeed-Spam"), [])
        self.assertEqual(daemon.metric("mxfeed_spam_mixed_total"), 2)
        # Domains of equal policies are no mixture.
        self.apply(domain("acme.example", high="delete") + domain("b.example", high="delete"))
        daemon.ask("reload")
        result = self.send(daemon, mail(GTUBE), ["info@acme.example", "info@b.example"])
        self.assertTrue(result.discarded)

    def test_a_transaction_keeps_the_policy_that_it_began_with(self):
        self.apply(domain("acme.example", high="delete"))
        daemon = self.start("spam")
        with self.mta(daemon) as mta:
            mta.mail("ann@sender.example")
            mta.rcpt("info@acme.example")
            self.apply(domain("acme.example", high="subject"))
            self.assertIn("generation: 2", daemon.ask("reload"))
            mta.data()
            self.assertTrue(mta.content(mail(GTUBE)).discarded)
            mta.reset()
            result = mta.send("ann@sender.example", ["info@acme.example"], mail(GTUBE))
            self.assertEqual(result.header("Subject"), ["[SPAM: high] Our meeting"])

    def test_mail_passes_when_the_policy_is_damaged(self):
        self.apply(domain("acme.example", high="delete"))
        policy = self.state / "current" / "policy.cdb"
        data = bytearray(policy.read_bytes())
        place = data.index(b"acme.exampleD") + len("acme.example")
        data[place:place + 1] = b"?"  # what begins the value of a domain
        policy.chmod(0o644)
        policy.write_bytes(data)
        daemon = self.start("spam")
        self.assert_untouched(self.send(daemon, mail(GTUBE)), mail(GTUBE))
        self.assertEqual(len(daemon.log_lines("event=fault")), 1)
        self.assertEqual(len(daemon.log_lines("reason=spam-fault")), 1)
        self.assertEqual(daemon.metric("mxfeed_faults_total"), 1)

    def test_a_huge_message_is_looked_at_in_part(self):
        filler = b"x" * 70 + b"\r\n"
        inside = mail(filler * 100 + GTUBE)
        result = self.run_one({"high": "delete"}, inside)
        self.assertTrue(result.discarded)
        beyond = mail(filler * 10_000 + GTUBE)
        result = self.run_one({"high": "delete"}, beyond)
        self.assertTrue(result.accepted)

    def test_damaged_mime_passes(self):
        for message in (b"Content-Type: multipart/mixed\r\n\r\n--\r\n--x\r\n--x--",
                        b"\r\n", b"Subject\r\n\r\n", b""):
            with self.subTest(message):
                result = self.run_one({"high": "delete"}, message)
                self.assertTrue(result.accepted, result.reply)


if __name__ == "__main__":
    daemons.main()
