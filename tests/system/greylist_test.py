# SPDX-License-Identifier: GPL-2.0-or-later
"""Greylisting in front of a real Postfix."""

import rig


def greylisted(name):
    return rig.feed(name, 'greylist = { when = "always", delay = "1s" }')


class GreylistTest(rig.TestCase):
    domains = greylisted("acme.example") + rig.feed("off.example", "greylist = false")

    def retry(self, recipient, source):
        """Sends until it is taken; returns the replies that came before."""
        refusals = []

        def taken():
            outcome = self.send(recipient, rig.mail("again"), source=source)
            if not outcome.accepted:
                refusals.append(outcome.last)
            return outcome.accepted

        rig.eventually(taken, "the retry is taken")
        return refusals

    def test_an_unknown_sender_gets_450_and_its_retry_is_delivered(self):
        refusals = self.retry("info@acme.example", "198.51.100.30")
        self.assertGreaterEqual(len(refusals), 1)
        for refusal in refusals:
            self.assertEqual((refusal.code, refusal.enhanced), (450, "4.7.1"))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.recipients, ("info@acme.example",))

    def test_a_known_sender_does_not_wait_again(self):
        self.retry("known@acme.example", "198.51.100.40")
        self.accept("known@acme.example", rig.mail("second"), source="198.51.100.40")

    def test_a_known_sender_is_unknown_to_another_recipient_of_its_own_network(self):
        self.retry("first@acme.example", "198.51.100.50")
        outcome = self.send("stranger@acme.example", rig.mail("new"),
                            sender="someone-else@sender.example", source="198.51.100.50")
        self.assertEqual(outcome.replies["stranger@acme.example"].code, 450)

    def test_postmaster_and_abuse_are_exempt(self):
        for user in ("postmaster", "abuse", "Postmaster"):
            with self.subTest(user):
                self.accept(f"{user}@acme.example", rig.mail("help"), source="198.51.100.60",
                            sender=f"{user}@elsewhere.example")

    def test_a_domain_may_do_without(self):
        self.accept("info@off.example", rig.mail("first"), source="198.51.100.70")

    def test_no_spelling_of_a_recipient_leads_past_its_domains_policy(self):
        spellings = ["u(x)@acme.example", "u@acme.example(x)", '"u"."v"@acme.example',
                     "u@ACME.example.", "@relay.example:u@acme.example",
                     f"u+{'x' * 400}@acme.example",
                     "u%acme.example@mx1.gateway.example", "u%acme.example"]
        for spelling in spellings:
            with self.subTest(spelling):
                outcome = self.send(spelling, rig.mail("odd"), source="198.51.100.90",
                                    sender="odd@sender.example")
                self.assertEqual(outcome.accepted, [])
                # Refused for good where Postfix takes no such thing for an address of ours.
                self.assertIn(outcome.replies[spelling].code, (450, 501, 550, 554))

    def test_each_recipient_is_answered_for_itself(self):
        outcome = self.send(["info@off.example", "new@acme.example"], rig.mail("both"),
                            sender="both@sender.example", source="198.51.100.80")
        self.assertEqual(outcome.replies["info@off.example"].code, 250)
        self.assertEqual(outcome.replies["new@acme.example"].code, 450)
        self.assertEqual(outcome.accepted, ["info@off.example"])


if __name__ == "__main__":
    rig.main()
