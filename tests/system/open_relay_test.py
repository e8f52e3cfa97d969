# SPDX-License-Identifier: GPL-2.0-or-later
"""A stranger tries to relay through the gateway with every form of an address: whatever it
accepts goes to the customer's server, for the customer's domain, and nowhere else."""

import re

import rig
from smtp_client import Gone

OFF = "greylist = false"
VICTIM = "stranger.example"  # has a server, which must get nothing
OURS = "acme.example"
HOST = "mx1.gateway.example"

# The argument of RCPT TO.
FORMS = {
    "plain": f"<victim@{VICTIM}>",
    "without brackets": f"victim@{VICTIM}",
    "upper case": f"<VICTIM@{VICTIM.upper()}>",
    "a final dot": f"<victim@{VICTIM}.>",
    "two final dots": f"<victim@{VICTIM}..>",
    "a subdomain": f"<victim@mail.{VICTIM}>",
    "percent hack": f"<victim%{VICTIM}@{OURS}>",
    "percent hack, upper case": f"<victim%{VICTIM.upper()}@{OURS.upper()}.>",
    "percent hack to the host": f"<victim%{VICTIM}@{HOST}>",
    "percent hack to the address": f"<victim%{VICTIM}@[{rig.GATEWAY}]>",
    "percent hack without a domain": f"<victim%{VICTIM}>",
    "percent hack, nested": f"<victim%{VICTIM}%{OURS}@{HOST}>",
    "percent hack, nested in ours": f"<victim%{VICTIM}%{HOST}@{OURS}>",
    "percent hack to a literal": f"<victim%[{rig.STRANGER}]@{OURS}>",
    "percent hack, quoted": f'<"victim%{VICTIM}"@{OURS}>',
    "percent hack, quoted, to the host": f'<"victim%{VICTIM}"@{HOST}>',
    "percent hack, quoted, alone": f'<"victim%{VICTIM}">',
    "bang path": f"<{VICTIM}!victim>",
    "bang path to the host": f"<{VICTIM}!victim@{HOST}>",
    "bang path in ours": f"<{VICTIM}!victim@{OURS}>",
    "bang path, nested": f"<{OURS}!{VICTIM}!victim>",
    "bang path to the address": f"<{VICTIM}!victim@[{rig.GATEWAY}]>",
    "bang path, quoted": f'<"{VICTIM}!victim"@{OURS}>',
    "bang and percent": f"<{VICTIM}!victim%{OURS}@{HOST}>",
    "source route by us": f"<@{OURS}:victim@{VICTIM}>",
    "source route by the host": f"<@{HOST}:victim@{VICTIM}>",
    "source route by the address": f"<@[{rig.GATEWAY}]:victim@{VICTIM}>",
    "source route, two hops": f"<@{OURS},@{HOST}:victim@{VICTIM}>",
    "source route by the victim": f"<@{VICTIM}:victim@{OURS}>",
    "source route and percent": f"<@{HOST}:victim%{VICTIM}@{OURS}>",
    "quoted at sign": f'<"victim@{VICTIM}"@{OURS}>',
    "quoted at sign, host": f'<"victim@{VICTIM}"@{HOST}>',
    "quoted at sign, alone": f'<"victim@{VICTIM}">',
    "quoted local part": f'<"victim"@{VICTIM}>',
    "escaped at sign": f"<victim\\@{VICTIM}@{OURS}>",
    "two at signs": f"<victim@{VICTIM}@{OURS}>",
    "two at signs, ours first": f"<info@{OURS}@{VICTIM}>",
    "colon": f"<victim@{VICTIM}:{OURS}>",
    "semicolon": f"<victim@{VICTIM};info@{OURS}>",
    "comma": f"<victim@{VICTIM},info@{OURS}>",
    "blank": f"<victim@{VICTIM} info@{OURS}>",
    "two in brackets": f"<info@{OURS}><victim@{VICTIM}>",
    "nested brackets": f"<<victim@{VICTIM}>>",
    "comment": f"<victim(info@{OURS})@{VICTIM}>",
    "comment at the end": f"<victim@{VICTIM}(@{OURS})>",
    "group": f"<list:victim@{VICTIM};@{OURS}>",
    "%00": f"<victim@{VICTIM}%00@{OURS}>",
    "a NUL byte": f"<victim@{VICTIM}\0@{OURS}>",
    "encoded at sign": f"<victim%40{VICTIM}@{OURS}>",
    "line feed in quotes": f'<"victim@{VICTIM}\\\n"@{OURS}>',
    "IPv4 literal": f"<victim@[{rig.STRANGER}]>",
    "IPv4 without brackets": f"<victim@{rig.STRANGER}>",
    "IPv4 as a number": "<victim@3405803770>",
    "IPv6 literal": "<victim@[IPv6:2001:db8::1]>",
    "IPv6 literal of IPv4": f"<victim@[IPv6:::ffff:{rig.STRANGER}]>",
    "malformed literal": f"<victim@[{rig.STRANGER}>",
    "literal of loopback": "<root@[127.0.0.1]>",
    "localhost": "<root@localhost>",
    "local part alone": "<victim>",
    "the empty domain": "<victim@>",
    "below a domain of ours": f"<victim@x.{OURS}>",
    "far below a domain of ours": f"<victim@x.y.z.{OURS}>",
    "a domain that ends like ours": f"<victim@x{OURS}>",
    "a domain that begins like ours": f"<victim@{OURS}.{VICTIM}>",
    "the parent of ours": "<victim@example>",
    "an IDN": "<victim@b\u00fccher.example>",
    "an IDN in A-labels": "<victim@xn--bcher-kva.example>",
    "full-width dot": f"<victim@acme\uff0eexample>",
    "full-width letters": "<victim@\uff41cme.example>",
    "dots of another script": f"<victim@stranger\u3002example>",
    "UTF-8 percent sign": f"<victim\uff05{VICTIM}@{OURS}>",
    "below one with subdomains": f"<victim%{VICTIM}@x.family.example>",
    "quoted, below one with subdomains": f'<"victim@{VICTIM}"@x.family.example>',
    "postmaster of another domain": f"<postmaster@{VICTIM}>",
    "postmaster, percent hack": f"<postmaster%{VICTIM}@{OURS}>",
    "abuse, bang path": f"<{VICTIM}!abuse@{OURS}>",
    "a domain that is off": "<victim@off.example>",
}
SENDERS = ("anna@sender.example", "", f"boss@{OURS}", f"root@{HOST}", "root",
           f"anna@[{rig.GATEWAY}]", f"victim%{VICTIM}@{HOST}")


class OpenRelayTest(rig.TestCase):
    gateway_settings = "[blocklists]\nreject = [\"zen.example=127.0.0.2\"]\n"
    # With each kind of row in the table that is asked before the site's restrictions.
    domains = "".join([
        rig.feed(OURS, OFF, 'blocklist = "reject"'),
        rig.feed("family.example", OFF, "subdomains = true"),
        rig.feed("listed.example", OFF, 'recipients = ["info"]'),
        rig.feed("off.example", 'state = "removed"'),
    ])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = cls.sink(rig.STRANGER)

    def try_all(self, sender):
        """The forms that were accepted, by name."""
        accepted = []
        for name, form in FORMS.items():
            try:
                with self.session() as session:
                    if not session.command(f"MAIL FROM:<{sender}>").positive:
                        continue
                    if not session.command(f"RCPT TO:{form}").positive:
                        continue
                    accepted.append(name)
                    if session.command("DATA").code == 354:
                        session.command(rig.mail(name) + b"\r\n.")
            except Gone:
                pass  # what it makes of a line feed in an address, for example
        return accepted

    def test_nothing_is_relayed_for_a_stranger(self):
        self.assertGreater(len(FORMS), 40)
        for sender in SENDERS:
            with self.subTest(sender):
                # Some forms are addresses in the customer's domain.
                self.assertIn("source route by the victim", self.try_all(sender))
        self.at_rest()
        self.assertEqual([d.recipients for d in self.stranger.received()], [])
        # What was accepted was for our customer.
        log = self.gateway.postfix.log_file.read_text(errors="replace")
        relays = set(re.findall(r"relay=([^,\s]+)", log)) - {"none", "local"}
        self.assertEqual({relay for relay in relays if rig.CUSTOMER not in relay}, set())
        for delivery in self.customer.received():
            for recipient in delivery.recipients:
                self.assertRegex(recipient, rf"@({OURS}|([^@]+\.)?family\.example)$")
        waiting = {address for _, address in self.gateway.postfix.waiting()
                   if not address.endswith(("sender.example", OURS, "family.example"))}
        self.assertEqual(waiting, set())


if __name__ == "__main__":
    rig.main()
