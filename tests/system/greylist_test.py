# SPDX-License-Identifier: GPL-2.0-or-later
"""Greylisting in front of a real Postfix."""

import os
import signal
import time

import rig

SPF_TIMEOUT = 2

rig.RECORDS += [
    'pool.example. 60 TXT "v=spf1 ip4:198.51.100.0/24 -all"',
    'anybody.example. 60 TXT "v=spf1 +all"',
    'shop.example. 60 TXT "v=spf1 ip4:198.51.100.160 -all"',
    # Endless: each record leads to the next one.
    'loop.example. 60 TXT "v=spf1 include:loop.example -all"',
    'huge.example. 60 TXT "v=spf1 ' + "ip4:192.0.2.1 " * 15 + 'include:huge.example -all"',
]


rig.NAMES["mx.listed.example"] = "198.51.100.190"
rig.NAMES["mx.clean.example"] = "198.51.100.191"
rig.RECORDS += [
    "190.100.51.198.bl.example. 60 A 127.0.0.2",
    # Of the list itself: that it does not answer.
    "191.100.51.198.bl.example. 60 A 127.255.255.254",
]


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


class RefusedByPostfixTest(rig.TestCase):
    """What Postfix refuses by itself, greylisting hears of."""

    domains = greylisted("acme.example") + \
        rig.feed("suspended.example", 'state = "suspended"') + \
        rig.feed("listed.example", 'recipients = ["info"]',
                 'greylist = { when = "always", delay = "1s", traps = ["old-sales"] }')

    def lines(self, *fields):
        return self.gateway.daemons["greylist"].log_lines("event=refused", *fields)

    def test_mail_that_postfix_defers_begins_to_wait(self):
        outcome = self.send("info@suspended.example", rig.mail("x"), source="198.51.100.140")
        self.assertEqual((outcome.last.code, outcome.last.enhanced), (450, "4.3.2"))
        self.assertTrue(self.lines("reason=greylist-begun", "rcpt=info@suspended.example"))

    def test_many_unknown_recipients_make_new_senders_wait_longer(self):
        for i in range(10):
            outcome = self.send(f"nobody{i}@listed.example", rig.mail("x"),
                                sender="bulk@sender.example", source="198.51.100.150")
            self.assertEqual((outcome.last.code, outcome.last.enhanced), (550, "5.1.1"))
        self.assertTrue(self.lines("reason=greylist-unknown-recipients"))
        self.send("info@listed.example", rig.mail("x"), sender="bulk@sender.example",
                  source="198.51.100.150")
        self.assertTrue(self.gateway.daemons["greylist"].log_lines(
            "reason=greylist-first-seen", "client=198.51.100.150", "wait=3600"))

    def test_a_trap_need_not_exist(self):
        self.send("old-sales@listed.example", rig.mail("x"), source="198.51.100.160")
        self.send("info@listed.example", rig.mail("x"), source="198.51.100.160")
        self.assertTrue(self.gateway.daemons["greylist"].log_lines(
            "reason=greylist-first-seen", "client=198.51.100.160", "wait=3600"))

    def test_a_relay_attempt_leaves_no_trace(self):
        outcome = self.send("info@elsewhere.example", rig.mail("x"), source="198.51.100.170")
        self.assertEqual(outcome.last.code // 100, 5)
        self.assertFalse(self.gateway.daemons["greylist"].log_lines("client=198.51.100.170"))


class IdentityTest(rig.TestCase):
    """Each address is a network of its own, so only SPF makes a pool of them."""

    domains = greylisted("acme.example")
    gateway_settings = f'[greylist]\nipv4_prefix = 32\nspf_timeout = "{SPF_TIMEOUT}s"\n'

    @property
    def greylist(self):
        return self.gateway.daemons["greylist"]

    def code(self, sender, source, recipient="info@acme.example"):
        outcome = self.send(recipient, rig.mail("x"), sender=sender, source=source)
        return 250 if outcome.accepted else outcome.last.code

    def test_a_pool_may_try_again_from_another_address(self):
        self.assertEqual(self.code("one@pool.example", "198.51.100.110"), 450)
        rig.eventually(lambda: self.code("one@pool.example", "198.51.100.111") == 250,
                       "the retry passes")
        # And all that it sends from now on.
        self.assertEqual(self.code("two@pool.example", "198.51.100.112", "new@acme.example"), 250)
        self.assertTrue(self.greylist.log_lines("identity=domain", "whose=pool.example"))

    def test_a_domain_that_allows_anybody_is_no_identity(self):
        self.assertEqual(self.code("one@anybody.example", "198.51.100.120"), 450)
        self.assertTrue(self.greylist.log_lines("from=one@anybody.example", "identity=network"))

    def test_who_asks_whether_an_address_exists_is_not_deferred(self):
        with self.session(source="198.51.100.130") as session:
            session.command("MAIL FROM:<>")
            self.assertEqual(session.command("RCPT TO:<info@acme.example>").code, 250)
            self.assertEqual(session.command("DATA").code, 450)

    def test_no_record_makes_anything_wait_longer_than_the_budget(self):
        for sender in ("a@loop.example", "a@huge.example"):
            with self.subTest(sender):
                begin = time.monotonic()
                self.assertEqual(self.code(sender, "198.51.100.140"), 450)
                self.assertLess(time.monotonic() - begin, SPF_TIMEOUT + 2)

    def test_a_dead_name_server_costs_the_budget_and_no_more(self):
        os.kill(self.world.resolver.pid, signal.SIGSTOP)
        try:
            # The client's name is asked for by Postfix, before.
            with self.session(source="198.51.100.150") as session:
                session.command("MAIL FROM:<anna@dead.example>")
                begin = time.monotonic()
                reply = session.command("RCPT TO:<info@acme.example>")
                took = time.monotonic() - begin
        finally:
            os.kill(self.world.resolver.pid, signal.SIGCONT)
        self.assertEqual(reply.code, 450)
        print(f"a dead name server: {took:.2f} s of {SPF_TIMEOUT} s")
        self.assertLess(took, SPF_TIMEOUT + 2)
        self.assertGreater(self.greylist.metric('mxfeed_greylist_spf_total{result="temperror"}'),
                           0)
        # The name server answers again: who waits by its network is known by its domain.
        self.assertTrue(self.greylist.log_lines("from=anna@dead.example", "identity=network"))


class ListsTest(rig.TestCase):
    domains = greylisted("acme.example") + rig.feed("off.example", "greylist = false")
    gateway_settings = '[greylist]\nallow = ["@shop.example"]\ndeny = ["198.51.100.170"]\n'

    def code(self, recipient, source, sender="x@sender.example"):
        outcome = self.send(recipient, rig.mail("x"), sender=sender, source=source)
        return 250 if outcome.accepted else outcome.last.code

    def test_an_allowed_sender_does_not_wait_unless_it_is_forged(self):
        self.assertEqual(self.code("a@acme.example", "198.51.100.160", "ann@shop.example"), 250)
        self.assertEqual(self.code("a@acme.example", "198.51.100.161", "ann@shop.example"), 450)
        self.assertTrue(self.gateway.daemons["greylist"].log_lines(
            "reason=greylist-allowed", "entry=@shop.example", "client=198.51.100.160"))

    def test_a_denied_client_waits_where_others_do_not(self):
        self.assertEqual(self.code("a@off.example", "198.51.100.171"), 250)
        self.assertEqual(self.code("a@off.example", "198.51.100.170"), 450)

    def test_the_command_and_apply_bring_an_entry_into_force(self):
        self.assertEqual(self.code("b@acme.example", "198.51.100.180"), 450)
        self.gateway.mxfeed("greylist", "allow", "198.51.100.180")
        self.assertEqual(self.code("other@acme.example", "198.51.100.180"), 450)
        self.gateway.apply()
        self.assertEqual(self.code("c@acme.example", "198.51.100.180"), 250)
        self.gateway.mxfeed("greylist", "allow", "198.51.100.180", "--remove")
        self.gateway.apply()
        self.assertEqual(self.code("d@acme.example", "198.51.100.180"), 450)


class BlockListTest(rig.TestCase):
    domains = (greylisted("acme.example") + rig.feed("off.example", "greylist = false") +
               rig.feed("careful.example", 'greylist = { when = "suspicious", delay = "1s" }'))
    gateway_settings = '[blocklists]\ngreylist = ["bl.example=127.0.0.[2..11]"]\n'

    def code(self, recipient, source):
        outcome = self.send(recipient, rig.mail("x"), sender="x@plain.example", source=source)
        return 250 if outcome.accepted else outcome.last.code

    def test_a_client_with_a_name_waits_if_it_is_on_a_block_list(self):
        self.assertEqual(self.code("a@careful.example", "198.51.100.191"), 250)
        self.assertEqual(self.code("a@off.example", "198.51.100.190"), 250)
        self.assertEqual(self.code("a@careful.example", "198.51.100.190"), 450)
        greylist = self.gateway.daemons["greylist"]
        self.assertTrue(greylist.log_lines("client=198.51.100.190", "blocklist=bl.example"))
        metric = "mxfeed_greylist_blocklists_total"
        self.assertEqual(greylist.metric(f'{metric}{{result="listed"}}'), 1)
        self.assertEqual(greylist.metric(f'{metric}{{result="clear"}}'), 1)
        rig.eventually(lambda: self.code("a@careful.example", "198.51.100.190") == 250,
                       "the retry passes")
        told = self.gateway.mxfeed("greylist", "why", "198.51.100.190", "y@plain.example",
                                   "b@careful.example", "--name", "mx.listed.example").stdout
        self.assertIn("block list: bl.example\n", told)
        self.assertIn("now: deferred", told)


if __name__ == "__main__":
    rig.main()
