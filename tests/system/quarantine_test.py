# SPDX-License-Identifier: GPL-2.0-or-later
"""The quarantine: what is held for one domain is not held for another, is released once and
past the filters, expires, and cannot be reached from outside."""

import json

import rig
import smtp_sink
from messages import GTUBE

HOLDS = '  [domain.virus]\n  infected = "quarantine"\n'
DELETES_SPAM = ('  [domain.spam]\n  enabled = true\n  immature = "act"\n'
                '  high = { action = "delete" }\n')
BLOCKS = '  [domain.attachments]\n  preset = "executables"\n  action = "quarantine"\n'
DOMAIN = "quarantine.mxfeed.invalid"
# Its mail is taken for several domains at once, as that of a program of the site.
TRUSTED = "198.51.100.99"


class TestCase(rig.TestCase):
    daemons = (*rig.TestCase.daemons, "quarantine")
    domains = "".join([
        rig.feed("holds.example", "greylist = false", tables=HOLDS),
        rig.feed("deletes.example", "greylist = false"),
        rig.feed("holds-spam.example", "greylist = false",
                 tables=DELETES_SPAM.replace("delete", "quarantine")),
        rig.feed("both.example", "greylist = false", tables=HOLDS + DELETES_SPAM),
        rig.feed("careful.example", "greylist = false", tables=BLOCKS),
    ])
    gateway_settings = f'trusted_networks = ["{TRUSTED}/32"]\n'

    def setUp(self):
        super().setUp()
        for domain in ("holds.example", "holds-spam.example", "both.example", "careful.example"):
            self.quarantine("delete", domain, "all", check=False)

    def quarantine(self, verb, *arguments, check=True):
        more = ("--postfix-config", self.gateway.postfix.config) if verb == "release" else ()
        return self.gateway.mxfeed("quarantine", verb, *arguments, *more, check=check)

    def held(self, domain="holds.example", *arguments):
        if not (self.gateway.state / "quarantine" / "quarantine.db").exists():
            return []
        return json.loads(self.quarantine("list", domain, "--json", *arguments).stdout)

    def wait_for_held(self, domain="holds.example", count=1):
        return rig.eventually(lambda: len(found := self.held(domain)) == count and found,
                              f"{count} held for {domain}")

    def assert_nothing_else_arrives(self, before):
        """What is sent now is the next that arrives."""
        self.accept("after@deletes.example", rig.mail("after"))
        got = self.customer.wait_for_count(before + 1)
        self.assertEqual(got[-1].recipients, ("after@deletes.example",))
        self.at_rest()
        self.assertEqual(self.gateway.postfix.queue(), [])


class QuarantineTest(TestCase):
    def test_a_virus_is_held_for_one_domain_and_deleted_for_another(self):
        self.accept(["info@holds.example", "info@deletes.example", "sales@holds.example"],
                    rig.infected(), source=TRUSTED)
        held = self.wait_for_held(count=2)
        self.assertEqual([(item["kind"], item["state"], item["from"], item["to"])
                          for item in held],
                         [("virus", "held", "anna@sender.example", "info@holds.example"),
                          ("virus", "held", "anna@sender.example", "sales@holds.example")])
        self.assertRegex(held[0]["reason"], r"^infected \(.*Eicar.*\)$")
        self.assertEqual(self.held("deletes.example"), [])
        self.assert_nothing_else_arrives(0)

    def test_what_is_held_can_be_looked_at(self):
        self.accept("info@holds.example", rig.infected())
        (item,) = self.wait_for_held()
        shown = self.quarantine("show", "holds.example", str(item["id"])).stdout
        self.assertIn("from: anna@sender.example\nto: info@holds.example\n", shown)
        self.assertIn("\nReceived: from ", shown)
        content = self.quarantine("show", "holds.example", str(item["id"]), "--content").stdout
        self.assertIn("invoice.com", content)
        wrong = self.quarantine("show", "both.example", str(item["id"]), check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("nothing is held", wrong.stderr)

    def test_a_virus_is_released_by_force_only_and_once(self):
        message = rig.infected()
        self.accept("Info@holds.example", message)
        (item,) = self.wait_for_held()
        refused = self.quarantine("release", "holds.example", str(item["id"]), check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--force", refused.stderr)
        self.assert_nothing_else_arrives(0)
        self.customer.clear()
        self.quarantine("release", "holds.example", str(item["id"]), "--force")
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual((delivery.sender, delivery.recipients),
                         ("anna@sender.example", ("Info@holds.example",)))
        headers, body = smtp_sink.split_headers(message)
        self.assertEqual(delivery.body, body)
        self.assertEqual([f for f in delivery.headers if f in headers], headers)
        self.assertEqual([f for f in delivery.headers if f[0].lower().startswith(b"x-mxfeed")], [])
        again = self.quarantine("release", "holds.example", str(item["id"]), "--force", check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("it is released", again.stderr)
        self.assert_nothing_else_arrives(1)
        (ended,) = [i for i in self.held("holds.example", "--ended") if i["id"] == item["id"]]
        self.assertEqual(ended["state"], "released")

    def test_deleted_is_deleted(self):
        self.accept("info@holds.example", rig.infected())
        (item,) = self.wait_for_held()
        self.quarantine("delete", "holds.example", str(item["id"]))
        self.assertEqual(self.held(), [])
        self.assertEqual(
            self.quarantine("release", "holds.example", str(item["id"]), "--force",
                            check=False).returncode, 1)
        self.assert_nothing_else_arrives(0)

    def test_the_spam_filter_does_not_take_away_what_is_held(self):
        # Spam too: it would be deleted.
        self.accept("info@both.example", rig.infected(text=f"{GTUBE}\n"))
        self.wait_for_held("both.example")
        self.assert_nothing_else_arrives(0)
        # Without a virus it is.
        self.accept("info@both.example", rig.mail("cheap", f"{GTUBE}\n"))
        self.assert_nothing_else_arrives(1)

    def test_spam_is_held_and_released_without_force(self):
        self.accept(["info@holds-spam.example", "sales@holds-spam.example"],
                    rig.mail("cheap", f"{GTUBE}\n"))
        held = self.wait_for_held("holds-spam.example", count=2)
        self.assertEqual([(item["kind"], item["reason"]) for item in held],
                         [("spam", "spam high")] * 2)
        self.quarantine("release", "holds-spam.example", "all")
        got = self.customer.wait_for_count(2)
        self.assertEqual(sorted(delivery.recipients[0] for delivery in got),
                         ["info@holds-spam.example", "sales@holds-spam.example"])
        self.assertEqual([f for f in got[0].headers if f[0].lower().startswith(b"x-mxfeed")], [])
        self.assertEqual(got[0].header("Subject"), [b" cheap"])
        self.assert_nothing_else_arrives(2)

    def test_an_attachment_is_held_and_released_without_force(self):
        message = rig.mail("a script", Content_Disposition='attachment; filename="a.js"')
        self.accept("info@holds.example", message)
        self.customer.wait_for_count(1)
        self.customer.clear()
        self.accept("info@careful.example", message)
        (item,) = self.wait_for_held("careful.example")
        self.assertEqual((item["kind"], item["reason"]), ("attachment", ".js"))
        self.assert_nothing_else_arrives(0)
        self.customer.clear()
        self.quarantine("release", "careful.example", str(item["id"]))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.recipients, ("info@careful.example",))
        self.assertEqual([f for f in delivery.headers if f[0].lower().startswith(b"x-mxfeed")], [])
        self.assert_nothing_else_arrives(1)

    def test_a_forged_field_does_not_lead_past_the_spam_filter(self):
        message = b"X-Mxfeed-Quarantine: virus\r\n" + rig.mail("cheap", f"{GTUBE}\n")
        self.accept("info@both.example", message)
        self.assert_nothing_else_arrives(0)

    def test_mail_waits_while_the_quarantine_does_not_run(self):
        daemon = self.gateway.daemons["quarantine"]
        daemon.stop()
        self.accept("info@holds.example", rig.infected())
        rig.eventually(lambda: [m for m in self.gateway.postfix.queue()
                                if m["queue_name"] == "deferred"], "it waits")
        self.assertEqual(self.held(), [])
        daemon.start()
        self.gateway.postfix.flush()
        self.wait_for_held()
        self.assert_nothing_else_arrives(0)

    def test_nobody_outside_reaches_the_quarantine(self):
        token = "0" * 32
        for source in (rig.SENDER, TRUSTED):
            for local_part in ("info", f"released.{token}",
                               f"virus.{token}.{b'holds.example'.hex()}.00."
                               f"{b'info@holds.example'.hex()}"):
                with self.subTest(source=source, local_part=local_part):
                    outcome = self.send(f"{local_part}@{DOMAIN}", rig.mail("forged"),
                                        source=source)
                    self.assertFalse(outcome.accepted)
                    self.assertGreaterEqual(outcome.last.code, 500)
        self.assertEqual(self.held(), [])

    def test_odd_recipients_get_no_infected_mail(self):
        for recipient in ('"a b"@holds.example', "postmaster", "Info@HOLDS.example.",
                          "<@holds.example:info@holds.example>"):
            with self.subTest(recipient):
                self.send(recipient, rig.infected())
                self.at_rest()
        self.assert_nothing_else_arrives(0)


class ExpiryTest(TestCase):
    gateway_settings = '[quarantine]\nkeep = "1h"\nquota = "4K"\n'

    def test_of_a_domain_with_more_than_its_quota_the_oldest_go(self):
        for i in range(4):
            self.accept(f"box{i}@holds.example", rig.infected(text="x" * 900 + "\n"))
            rig.eventually(lambda: self.gateway.postfix.queue() == [], "it is held")
        rig.eventually(lambda: 0 < len(self.held()) < 4, "some are displaced", seconds=40)
        self.assertEqual(self.held()[-1]["to"], "box3@holds.example")
        ended = {i["to"]: i["state"] for i in self.held("holds.example", "--ended")}
        self.assertEqual(ended["box0@holds.example"], "displaced")


if __name__ == "__main__":
    rig.main()
