# SPDX-License-Identifier: GPL-2.0-or-later
"""What the answers of the first of two servers do with a mail that may bounce, and in protect
mode."""

import rig

OFF = "greylist = false"
FIRST, SECOND = "203.0.113.80", "203.0.113.81"
BOTH = (FIRST, SECOND)
# When a server answers so; "rcpt" to the recipient.
STAGES = ("connect", "mail", "rcpt", "data", "end")
NOT_NOW = "451 4.3.2 Not now"
NEVER = "550 5.7.1 Not here"


class SeveralHostsTest(rig.TestCase):
    domains = "".join([
        rig.feed("plain.example", OFF, 'on_refusal = "bounce"', deliver_to=BOTH),
        rig.feed("protected.example", OFF, 'state = "protect"', deliver_to=BOTH),
    ])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first, cls.second = (cls.sink(address) for address in BOTH)
        cls.sender = cls.sink(rig.SENDER)

    def setUp(self):
        super().setUp()
        for sink in (self.first, self.second, self.sender):
            sink.answers.clear()
            sink.clear()

    def counts(self):
        """How much the first, the second and the sender have got."""
        return tuple(len(sink.received()) for sink in (self.first, self.second, self.sender))

    def assert_comes(self, wanted, domain):
        rig.eventually(lambda: self.counts() == wanted, f"{wanted} of {domain}")
        self.at_rest()
        self.assertEqual(self.counts(), wanted)
        self.assertEqual(self.gateway.postfix.waiting(domain), set())

    def assert_waits(self, domain):
        rig.eventually(lambda: self.gateway.postfix.waiting(domain), "it waits")
        self.at_rest()
        self.assertEqual(self.counts(), (0, 0, 0))
        self.assertEqual(len(self.gateway.postfix.waiting(domain)), 1)

    def answer(self, sink, stage, recipient, answer):
        sink.answers[recipient if stage == "rcpt" else stage] = answer

    def each(self, answer, domain, check, sinks=None):
        """For each stage, checks a mail to the domain which the servers (else the first) answer
        so at that stage."""
        for stage in STAGES:
            with self.subTest(f"{domain} {stage} {answer}"):
                self.setUp()
                recipient = f"{stage}@{domain}"
                for sink in sinks or (self.first,):
                    self.answer(sink, stage, recipient, answer)
                self.accept(recipient, rig.mail(stage))
                check(stage)

    def test_a_4xx_of_the_first_leads_to_the_second(self):
        for domain in ("plain.example", "protected.example"):
            self.each(NOT_NOW, domain,
                      lambda stage, domain=domain: self.assert_comes((0, 1, 0), domain))

    def test_a_5xx_of_the_first_is_final(self):
        # A server that refuses every connection may just be overloaded.
        self.each(NEVER, "plain.example", lambda stage: self.assert_comes(
            (0, 1, 0) if stage == "connect" else (0, 0, 1), "plain.example"))

    def test_in_protect_mode_a_5xx_of_the_first_leads_to_the_second(self):
        self.each(NEVER, "protected.example",
                  lambda stage: self.assert_comes((0, 1, 0), "protected.example"))

    def test_in_protect_mode_mail_that_both_refuse_waits(self):
        def check(_):
            self.assert_waits("protected.example")
            self.first.answers.clear()
            self.flush("protected.example")
            self.assert_comes((1, 0, 0), "protected.example")
        self.each(NEVER, "protected.example", check, (self.first, self.second))

    def flush(self, domain):
        def empty():
            self.gateway.postfix.flush()
            return not self.gateway.postfix.waiting(domain)
        rig.eventually(empty, f"the queue of {domain} is empty")

    def test_in_protect_mode_a_refusal_by_the_second_waits_for_the_first(self):
        self.first.down()
        try:
            self.answer(self.second, "rcpt", "info@protected.example", NEVER)
            self.accept("info@protected.example", rig.mail("for the first"))
            self.assert_waits("protected.example")
        finally:
            self.first.up()
        self.flush("protected.example")
        self.assert_comes((1, 0, 0), "protected.example")

    def test_a_refusal_by_the_second_while_the_first_is_down_is_final(self):
        self.first.down()
        try:
            self.answer(self.second, "rcpt", "info@plain.example", NEVER)
            self.accept("info@plain.example", rig.mail("refused"))
            self.assert_comes((0, 0, 1), "plain.example")
        finally:
            self.first.up()

    def test_recipients_of_a_mail_go_their_own_ways(self):
        for domain, wanted in (("plain.example", (1, 0, 1)), ("protected.example", (1, 1, 0))):
            with self.subTest(domain):
                self.setUp()
                self.first.answers[f"gone@{domain}"] = NEVER
                self.accept([f"gone@{domain}", f"info@{domain}"], rig.mail("to both"))
                self.assert_comes(wanted, domain)
                self.assertEqual(self.first.received()[0].recipients, (f"info@{domain}",))


if __name__ == "__main__":
    rig.main()
