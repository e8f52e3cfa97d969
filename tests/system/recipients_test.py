# SPDX-License-Identifier: GPL-2.0-or-later
"""One message for domains that want it treated differently: each recipient gets it, once,
whoever sends."""

import collections

import exim
import postfix
import rig

RULES = [
    "",
    '  [domain.spam]\n  enabled = true\n',
    '  [domain.virus]\n  infected = "reject"\n',
    '  [domain.virus]\n  infected = "quarantine"\n',
    '  [domain.spam]\n  enabled = true\n  high = { action = "header", text = "X-Spam: yes" }\n',
]
# Five policies, mixed so that no two neighbours share one: the worst case.
RECIPIENTS = [f"user{i}@class{i % 5}.example" for i in range(100)]
# The same, domain by domain, as most senders bring them.
SORTED = sorted(RECIPIENTS, key=lambda recipient: recipient.partition("@")[2])


class RecipientsTest(rig.TestCase):
    daemons = (*rig.TestCase.daemons, "quarantine")
    domains = "".join(rig.feed(f"class{i}.example", "greylist = false", tables=rule)
                      for i, rule in enumerate(RULES))

    def assert_each_got_one(self, progress=lambda: None):
        """All 100 have it and nobody has it twice; `progress` makes the sender go on."""

        def complete():
            progress()
            return sum(len(d.recipients) for d in self.customer.received()) >= len(RECIPIENTS)

        rig.eventually(complete, "100 recipients served", seconds=90)
        rig.eventually(lambda: not self.gateway.postfix.queue(), "the gateway's queue is empty")
        got = collections.Counter(r for d in self.customer.received() for r in d.recipients)
        self.assertEqual(got, collections.Counter(RECIPIENTS))
        for delivery in self.customer.received():
            domains = {r.partition("@")[2] for r in delivery.recipients}
            self.assertEqual(len(domains), 1)

    def test_a_client_that_retries_on_its_connection_serves_all(self):
        with self.session() as session:
            outcomes = session.send_all("list@sender.example", SORTED, rig.mail("to all"))
        self.assertEqual([len(o.accepted) for o in outcomes], [20] * 5)
        for outcome in outcomes[:-1]:
            refused = {str(r)[:9] for r in outcome.replies.values() if not r.positive}
            self.assertEqual(refused, {"452 4.5.3"})
        self.assert_each_got_one()

    def test_a_client_that_mixes_them_as_badly_as_can_be_is_not_cut_off(self):
        with self.session() as session:
            outcomes = session.send_all("list@sender.example", RECIPIENTS, rig.mail("to all"))
        # Each transaction makes progress; thousands of 452 on one connection are borne.
        self.assertEqual([len(o.accepted) for o in outcomes], [1] * 100)
        self.assert_each_got_one()

    def test_after_the_first_refusal_every_further_recipient_is_refused(self):
        recipients = ["a@class0.example", "b@class1.example", "c@class0.example"]
        with self.session() as session:
            outcome = session.send("list@sender.example", recipients, rig.mail("sticky"))
            self.assertEqual([r.code for r in outcome.replies.values()], [250, 452, 452])
            # The next transaction of the connection begins anew.
            outcome = session.send("list@sender.example", ["b@class1.example"], rig.mail("next"))
            self.assertEqual(outcome.accepted, ["b@class1.example"])

    def test_domains_of_equal_policy_share_a_transaction(self):
        self.gateway.configure(self.domains + rig.feed("class0b.example", "greylist = false"))
        self.gateway.apply_at_once()
        outcome = self.accept(["a@class0.example", "b@class0b.example"], rig.mail("shared"))
        self.assertEqual(len(outcome.accepted), 2)

    def test_a_postfix_as_sender_serves_all(self):
        sender = postfix.Postfix(self.world.directory / "sender", "198.51.100.7:25",
                                 "postfix-sender")
        sender.configure({
            "myhostname": "mail.sender.example",
            "relayhost": f"[{rig.GATEWAY}]",
            "default_destination_recipient_limit": "1000",
        })
        sender.start()
        self.addCleanup(sender.stop)
        sender.submit("list@sender.example", RECIPIENTS, rig.mail("to all"))
        self.assert_each_got_one(progress=sender.flush)
        rig.eventually(lambda: not sender.queue(), "the sender's queue is empty")
        self.assertEqual(sender.log_lines("status=bounced"), [])

    def test_an_exim_as_sender_serves_all(self):
        sender = exim.Exim(self.world.directory / "exim", rig.GATEWAY, "198.51.100.9")
        sender.submit("list@sender.example", RECIPIENTS, rig.mail("to all"))
        self.assert_each_got_one(progress=sender.flush)
        rig.eventually(lambda: sender.waiting() == 0, "the sender's queue is empty")
        self.assertNotIn(" ** ", sender.log())


if __name__ == "__main__":
    rig.main()
