# SPDX-License-Identifier: GPL-2.0-or-later
"""The customer's server is away, domains come and go: mail waits and nothing bounces."""

import re

import rig

STABLE = rig.feed("acme.example", "greylist = false")
OFF = "greylist = false"


class QueueTest(rig.TestCase):
    domains = "".join([
        STABLE,
        rig.feed("two-hosts.example", OFF, deliver_to=("203.0.113.30", "203.0.113.31")),
        rig.feed("paused.example", OFF, 'state = "paused"'),
        rig.feed("protected.example", OFF, 'state = "protect"'),
        rig.feed("alone.example", OFF),
        rig.feed("bounce.example", OFF, 'on_refusal = "bounce"'),
        rig.feed("family.example", OFF, "subdomains = true"),
        rig.feed("left.family.example", 'state = "removed"'),
        rig.feed("other.example", OFF, deliver_to=("[203.0.113.20]:2525",)),
    ])

    def setUp(self):
        super().setUp()
        self.postfix = self.gateway.postfix
        self.bounces_before = len(self.bounces())

    def bounces(self):
        return self.postfix.log_lines("status=bounced")

    def assert_no_bounce(self):
        self.assertEqual(self.bounces()[self.bounces_before:], [])

    def waiting(self, domain):
        return self.postfix.waiting(domain)

    def deliver_all(self, domain):
        def empty():
            self.postfix.flush()
            return not self.waiting(domain)
        rig.eventually(empty, f"the queue of {domain} is empty")

    def test_mail_waits_for_a_server_that_is_down_and_is_delivered_when_it_is_up(self):
        self.customer.down()
        for i in range(5):
            self.accept(f"user{i}@acme.example", rig.mail(f"mail {i}"))
        rig.eventually(lambda: len(self.waiting("acme.example")) == 5, "five mails wait")
        self.assertEqual(self.customer.received(), [])
        self.customer.up()
        self.deliver_all("acme.example")
        self.assertEqual(sorted(d.recipients[0] for d in self.customer.received()),
                         [f"user{i}@acme.example" for i in range(5)])
        self.assert_no_bounce()

    def test_a_server_that_says_not_now_is_asked_again(self):
        self.customer.answers["data"] = "451 4.3.2 Not now"
        self.accept("info@acme.example", rig.mail("later"))
        rig.eventually(lambda: self.waiting("acme.example"), "the mail waits")
        del self.customer.answers["data"]
        self.deliver_all("acme.example")
        self.assertEqual(len(self.customer.received()), 1)
        self.assert_no_bounce()

    def test_a_recipient_that_the_customer_refuses_is_told_to_the_sender(self):
        self.customer.answers["gone@bounce.example"] = "550 5.1.1 No such user"
        self.addCleanup(self.customer.answers.clear)
        sender = self.sink(rig.SENDER)
        self.accept(["gone@bounce.example", "info@bounce.example"], rig.mail("to both"))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.recipients, ("info@bounce.example",))
        (bounce,) = sender.wait_for_count(1)
        self.assertEqual((bounce.sender, bounce.recipients), ("", ("anna@sender.example",)))
        self.assertIn(b"gone@bounce.example", bounce.data)
        rig.eventually(lambda: not self.waiting("sender.example"), "the bounce has gone")

    def test_the_second_host_gets_it_when_the_first_is_away(self):
        second = self.sink("203.0.113.31")
        self.accept("info@two-hosts.example", rig.mail("to the second"))
        second.wait_for_count(1)
        first = self.sink("203.0.113.30")
        second.clear()
        # Postfix forgets at once that the first was away.
        self.accept("info@two-hosts.example", rig.mail("to the first"))
        first.wait_for_count(1)
        self.assertEqual(second.received(), [])
        self.assert_no_bounce()

    def test_another_port_is_used_where_it_is_given(self):
        other = self.sink("203.0.113.20", 2525)
        self.accept("info@other.example", rig.mail("elsewhere"))
        other.wait_for_count(1)

    def test_mail_of_a_paused_domain_waits(self):
        self.accept("info@paused.example", rig.mail("wait"))
        rig.eventually(lambda: self.waiting("paused.example"), "the mail waits")
        self.postfix.flush()
        self.accept("info@acme.example", rig.mail("afterwards"))
        self.customer.wait_for_count(1)
        self.assertEqual(self.customer.received("info@paused.example"), [])
        self.assertEqual(len(self.waiting("paused.example")), 1)
        self.assert_no_bounce()

    def test_a_refusal_of_a_protected_domains_server_waits(self):
        self.customer.answers["info@protected.example"] = "550 5.1.1 No such user"
        self.addCleanup(self.customer.answers.clear)
        self.accept("info@protected.example", rig.mail("keep"))
        rig.eventually(lambda: self.postfix.log_lines("info@protected.example", "SOFTBOUNCE"),
                       "the refusal is taken for a temporary one")
        self.customer.answers.clear()
        self.deliver_all("protected.example")
        self.assertEqual(len(self.customer.received("info@protected.example")), 1)
        self.assert_no_bounce()

    def test_subdomains_are_taken_only_where_that_is_chosen(self):
        self.accept("info@sub.family.example", rig.mail("below"))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.recipients, ("info@sub.family.example",))
        for address in ("info@sub.alone.example", "info@left.family.example"):
            outcome = self.send(address, rig.mail("below"))
            self.assertEqual(outcome.replies[address].code // 100, 5)
            self.assertEqual(outcome.replies[address].text.split()[0], "5.7.1")

    def test_a_domain_without_a_route_is_put_off_and_not_bounced(self):
        # As if the maps disagreed: Postfix takes the domain and finds no way to it.
        self.postfix.edit(relay_domains=self.postfix.parameter("relay_domains") +
                          " inline:{unrouted.example=x}")
        self.postfix.reload()
        self.postfix.submit("anna@sender.example", ["info@unrouted.example"], rig.mail("where to"))
        rig.eventually(lambda: self.postfix.log_lines("unrouted.example", "status=deferred"),
                       "it is put off")
        self.assert_no_bounce()

    def test_postfix_notices_a_new_domain_without_being_told(self):
        self.gateway.configure(self.domains + rig.feed("new.example", OFF))
        self.assertFalse(self.send("info@new.example", rig.mail("too early")).accepted)
        self.gateway.apply()
        rig.eventually(lambda: self.send("info@new.example", rig.mail("welcome")).accepted,
                       "mail for the new domain is taken")
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.recipients, ("info@new.example",))

    def test_a_removed_domain_keeps_its_mail_until_its_queue_is_empty(self):
        domains = self.domains + rig.feed("leaving.example", OFF, deliver_to=("203.0.113.40",))
        self.gateway.configure(domains)
        self.gateway.apply_at_once()
        with self.session() as session:
            for i in range(100):
                outcome = session.send("anna@sender.example", [f"user{i}@leaving.example"],
                                       rig.mail(f"mail {i}"))
                self.assertTrue(outcome.accepted, outcome.last)
        rig.eventually(lambda: len(self.waiting("leaving.example")) == 100, "100 mails wait")

        removed = self.domains + rig.feed("leaving.example", 'state = "removed"')
        self.gateway.configure(removed)
        self.gateway.apply_at_once("--allow-removals", "1")
        rig.eventually(lambda: not self.send("new@leaving.example", rig.mail("late")).accepted,
                       "no new mail is taken")
        self.postfix.flush()
        self.accept("info@acme.example", rig.mail("afterwards"))
        self.customer.wait_for_count(1)
        self.assertEqual(len(self.waiting("leaving.example")), 100)
        self.assert_no_bounce()

        # It comes back: what waited is delivered.
        server = self.sink("203.0.113.40")
        self.gateway.configure(domains)
        self.gateway.apply_at_once()
        self.deliver_all("leaving.example")
        self.assertEqual(len(server.wait_for_count(100)), 100)

        # Gone again: with nothing waiting, an apply an hour after that drops the route.
        self.gateway.configure(removed)
        self.gateway.apply_at_once("--allow-removals", "1")
        self.assertIn("leaving.example", " ".join(self.gateway.generated("transport")))
        self.gateway.apply_at_once()
        self.assertIn("leaving.example", " ".join(self.gateway.generated("transport")))
        for meta in self.gateway.state.glob("generations/*/meta"):
            meta.write_text(re.sub(r"(?m)^written: .*$", "written: 1", meta.read_text()))
            (meta.parent / "sums").unlink()  # else what was changed here is damage
        self.gateway.apply_at_once()
        self.assertNotIn("leaving.example", " ".join(self.gateway.generated("transport")))
        self.assert_no_bounce()


class RelayTest(rig.TestCase):
    domains = STABLE

    def test_mail_for_strangers_is_refused(self):
        probes = {
            "another domain": "victim@elsewhere.example",
            "percent hack": "victim%elsewhere.example@acme.example",
            "percent hack to us": "victim%elsewhere.example@mx1.gateway.example",
            "bang path": "elsewhere.example!victim@mx1.gateway.example",
            "source route": "@acme.example:victim@elsewhere.example",
            "quoted": '"victim@elsewhere.example"@mx1.gateway.example',
            "no domain": "victim",
            "address literal": "victim@[203.0.113.99]",
            "our own name": "root@mx1.gateway.example",
        }
        # Ours, with a strange local part: taken, and for our customer only.
        ours = {"percent hack"}
        for name, recipient in probes.items():
            with self.subTest(name), self.session() as session:
                outcome = session.send("anna@sender.example", [recipient], rig.mail("probe"))
                if name in ours and outcome.accepted:
                    (delivery,) = self.customer.wait_for_count(1)
                    self.assertTrue(delivery.recipients[0].endswith("@acme.example"))
                else:
                    self.assertIn(outcome.replies[recipient].code, (501, 550, 554))

    def test_a_sender_of_the_customers_domain_may_not_relay(self):
        outcome = self.send("victim@elsewhere.example", rig.mail("probe"),
                            sender="boss@acme.example")
        self.assertIn(outcome.replies["victim@elsewhere.example"].code, (550, 554))

    def test_strangers_may_not_flush_the_queue(self):
        with self.session() as session:
            self.assertFalse(session.command("ETRN acme.example").positive)


if __name__ == "__main__":
    rig.main()
