# SPDX-License-Identifier: GPL-2.0-or-later
"""Viruses, spam and forged headers: what each domain chose is what happens."""

import rig
import smtp_sink

GTUBE = f"Hello,\n\n{rig.GTUBE}\n"


def spam(**levels):
    rows = "".join(f"  {level} = {rule}\n" for level, rule in levels.items())
    return f"  [domain.spam]\n  enabled = true\n  immature = \"act\"\n{rows}"


def virus(action):
    return f'  [domain.virus]\n  infected = "{action}"\n'


class FiltersTest(rig.TestCase):
    domains = "".join([
        rig.feed("deletes.example", "greylist = false"),
        rig.feed("rejects.example", "greylist = false", tables=virus("reject")),
        rig.feed("tags.example", "greylist = false",
                 tables=spam(high='{ action = "subject", text = "[SPAM: high] " }')),
        rig.feed("marks.example", "greylist = false",
                 tables=spam(high='{ action = "header", text = "X-Acme-Spam: yes" }')),
        rig.feed("spam-deletes.example", "greylist = false",
                 tables=spam(high='{ action = "delete" }')),
        rig.feed("spam-rejects.example", "greylist = false",
                 tables=spam(high='{ action = "reject" }')),
    ])

    def delivered(self, recipient, message):
        """Sends it and returns the one copy that the customer got."""
        self.accept(recipient, message)
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.recipients, (recipient,))
        return delivery

    def assert_nothing_arrives(self):
        """What comes after a message has arrived and that message has not, nor does it wait."""
        self.accept("after@deletes.example", rig.mail("after"))
        self.customer.wait_for(lambda: self.customer.deliveries, "the mail sent afterwards")
        self.at_rest()
        self.assertEqual([d.recipients for d in self.customer.received()],
                         [("after@deletes.example",)])

    # ... viruses

    def test_an_infected_mail_is_taken_and_deleted(self):
        outcome = self.send("info@deletes.example", rig.infected())
        self.assertEqual(outcome.final.code, 250)
        self.assert_nothing_arrives()

    def test_an_infected_mail_is_rejected_where_that_is_chosen(self):
        outcome = self.send("info@rejects.example", rig.infected())
        self.assertEqual((outcome.final.code, outcome.final.enhanced), (550, "5.7.1"))
        self.assert_nothing_arrives()

    def test_scanning_has_no_switch_for_any_domain(self):
        for domain in ("tags.example", "marks.example", "spam-deletes.example"):
            with self.subTest(domain):
                self.send(f"info@{domain}", rig.infected())
                self.assert_nothing_arrives()
                self.customer.clear()

    # ... spam

    def test_spam_is_untouched_where_the_filter_is_off(self):
        message = rig.mail("cheap", GTUBE)
        delivery = self.delivered("info@deletes.example", message)
        headers, body = smtp_sink.split_headers(message)
        self.assertEqual([f for f in delivery.headers if f in headers], headers)
        self.assertEqual(delivery.header("Subject"), [b" cheap"])
        self.assertEqual(delivery.body, body)

    def test_spam_gets_the_text_before_its_subject(self):
        delivery = self.delivered("info@tags.example", rig.mail("cheap", GTUBE))
        self.assertEqual(delivery.header("Subject"), [b" [SPAM: high] cheap"])

    def test_a_subject_is_tagged_once_only(self):
        delivery = self.delivered("info@tags.example", rig.mail("[SPAM: high] cheap", GTUBE))
        self.assertEqual(delivery.header("Subject"), [b" [SPAM: high] cheap"])

    def test_spam_without_a_subject_gets_one(self):
        message = b"From: anna@sender.example\r\n\r\n" + rig.GTUBE.encode() + b"\r\n"
        delivery = self.delivered("info@tags.example", message)
        self.assertEqual([s.strip() for s in delivery.header("Subject")], [b"[SPAM: high]"])

    def test_an_encoded_subject_is_kept_behind_the_text(self):
        subject = "=?utf-8?q?Gr=C3=BC=C3=9Fe?="
        delivery = self.delivered("info@tags.example", rig.mail(subject, GTUBE))
        self.assertEqual(delivery.header("Subject"), [f" [SPAM: high] {subject}".encode()])

    def test_spam_gets_the_header_of_the_customers_choice(self):
        delivery = self.delivered("info@marks.example", rig.mail("cheap", GTUBE))
        self.assertEqual(delivery.header("X-Acme-Spam"), [b" yes"])
        self.assertEqual(delivery.header("Subject"), [b" cheap"])

    def test_ham_is_neither_tagged_nor_marked(self):
        delivery = self.delivered("info@tags.example", rig.mail("lunch"))
        self.assertEqual(delivery.header("Subject"), [b" lunch"])
        delivery = None
        self.customer.clear()
        delivery = self.delivered("info@marks.example", rig.mail("lunch"))
        self.assertEqual(delivery.header("X-Acme-Spam"), [])

    def test_spam_is_deleted_where_that_is_chosen(self):
        outcome = self.send("info@spam-deletes.example", rig.mail("cheap", GTUBE))
        self.assertEqual(outcome.final.code, 250)
        self.assert_nothing_arrives()

    def test_spam_is_rejected_where_that_is_chosen(self):
        outcome = self.send("info@spam-rejects.example", rig.mail("cheap", GTUBE))
        self.assertEqual((outcome.final.code, outcome.final.enhanced), (550, "5.7.1"))
        self.assert_nothing_arrives()

    def test_postmaster_gets_spam_as_it_is(self):
        delivery = self.delivered("postmaster@spam-deletes.example", rig.mail("cheap", GTUBE))
        self.assertEqual(delivery.header("Subject"), [b" cheap"])

    # ... forgeries

    def test_forged_headers_are_removed_and_those_of_others_kept(self):
        forged = (b"X-Mxfeed-Virus: forged\r\nX-Mxfeed-Spam: forged\r\n"
                  b"x-mxfeed-virus: forged twice\r\nX-Spam-Status: No\r\n"
                  b"X-MXFEED-SPAM-STATUS : forged\r\nX-Mxfeed-Later\t: folded and\r\n"
                  b"\tforged\r\nx-Mxfeed-: forged\r\nX-mxfeed-Virus:\r\n forged\r\n"
                  b"X-Mxfeed-Later: forged\r\n")
        for domain in ("deletes.example", "tags.example"):
            with self.subTest(domain):
                self.customer.clear()
                delivery = self.delivered(f"info@{domain}", forged + rig.mail("forged"))
                ours = [value for name, value in delivery.headers
                        if name.lower().startswith(b"x-mxfeed-")]
                self.assertEqual([value for value in ours if b"forged" in value], [])
                self.assertEqual(len(delivery.header("X-Mxfeed-Virus")), 1)
                self.assertEqual(delivery.header("X-Spam-Status"), [b" No"])

    def test_a_forged_header_of_the_customers_choice_is_removed(self):
        delivery = self.delivered("info@marks.example", b"X-Acme-Spam: no\r\n" + rig.mail("x"))
        self.assertEqual(delivery.header("X-Acme-Spam"), [])


if __name__ == "__main__":
    rig.main()
