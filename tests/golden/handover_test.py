# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed dns` and `mxfeed handover`: what a customer publishes, allows and knows."""

import html.parser
import json
import re
import unittest

import golden

GATEWAYS = """\
mx = ["mx1.isp.example", "mx2.isp.example"]
backup_mx = ["mx2.isp.example"]
[[host]]
name = "mx1.isp.example"
addresses = ["198.51.100.2", "2001:db8:1::2"]
[[host]]
name = "mx2.isp.example"
addresses = ["198.51.100.3"]
"""
CUSTOMER = '[customer]\nid = "acme"\ncontacts = ["it@backup.example", "it+x@holding.example"]\n'
BACKUP = 'service = "backup"\nrequested = "2026-11-02, ticket 4711"\n' \
         'acknowledged = "2026-11-03, managing director"'
SPAM = '  [domain.spam]\n  enabled = true\n  med = { action = "subject", text = "<b>&\\"spam\\"" }\n'
DOMAINS = "".join([
    CUSTOMER,
    golden.feed("acme.example", "subdomains = true", SPAM),
    '[[domain]]\nname = "backup.example"\ndeliver_to = ["203.0.113.7", "[2001:db8::7]:2525"]\n',
    BACKUP, "\n",
    golden.feed("direct.example", 'service = "direct"'),
])
# RFC 1035, 5.1, with every field: names end in a dot, addresses do not.
NAME = r"(?:\*\.)?(?:[a-z0-9_-]+\.)+"
ZONE_LINE = re.compile(
    rf"{NAME}  3600  IN  (?:MX  \d+ {NAME}|A  [\d.]*\d|AAAA  [0-9a-f:]+|TXT  \"[^\"\\]+\"|"
    r"TLSA  3 1 1 [0-9A-Fa-f]{64})")


class Text(html.parser.HTMLParser):
    """Checks that elements nest; keeps what is in them."""

    def __init__(self):
        super().__init__()
        self.open, self.found = [], {}

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open:
            self.found.setdefault(self.open[-1], []).append(data)


class HandoverTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        self.write("mxfeed.toml", GATEWAYS)
        self.write("domains.d/acme.toml", DOMAINS)

    def dns(self, domain):
        return json.loads(self.mxfeed("dns", domain, "--no-postfix", "--json").stdout)

    def records(self, domain, *types):
        return [(record["name"], record["type"], record["data"])
                for records in self.dns(domain)["sets"] for record in records["records"]
                if record["type"] in types]

    def test_the_mx_records_are_those_of_the_service(self):
        for domain, expected in (
                # All names below it too.
                ("acme.example",
                 [("acme.example.", "MX", "10 mx1.isp.example."),
                  ("acme.example.", "MX", "20 mx2.isp.example."),
                  ("*.acme.example.", "MX", "10 mx1.isp.example."),
                  ("*.acme.example.", "MX", "20 mx2.isp.example.")]),
                # Its own servers first.
                ("backup.example",
                 [("backup.example.", "MX", "10 mail.backup.example."),
                  ("backup.example.", "MX", "20 mail2.backup.example."),
                  ("backup.example.", "MX", "30 mx2.isp.example."),
                  ("mail.backup.example.", "A", "203.0.113.7"),
                  ("mail2.backup.example.", "AAAA", "2001:db8::7")]),
                # Never a gateway.
                ("direct.example",
                 [("direct.example.", "MX", "10 mail.direct.example."),
                  ("mail.direct.example.", "A", "203.0.113.7")])):
            with self.subTest(domain):
                self.assertEqual(self.records(domain, "MX", "A", "AAAA"), expected)

    def test_the_policy_for_tls_names_the_same_hosts(self):
        for domain in ("acme.example", "backup.example", "direct.example"):
            with self.subTest(domain):
                policy = self.dns(domain)["mta_sts"]
                self.assertEqual(policy["host"], f"mta-sts.{domain}")
                hosts = [data.split()[1].rstrip(".")
                         for name, _, data in self.records(domain, "MX")
                         if name == f"{domain}."]
                self.assertEqual(policy["policy"].split("\r\n"), [
                    "version: STSv1", "mode: testing", *(f"mx: {host}" for host in hosts),
                    "max_age: 604800", ""])

    def test_the_id_of_that_policy_changes_with_the_policy(self):
        first = self.records("acme.example", "TXT")[0]
        self.assertRegex(first[2], r'^"v=STSv1; id=[0-9a-z]{1,32}"$')
        self.assertEqual(first, self.records("acme.example", "TXT")[0])
        self.write("mxfeed.toml", GATEWAYS.replace('"mx2.isp.example"]', '"mx3.isp.example"]'))
        self.assertNotEqual(first, self.records("acme.example", "TXT")[0])

    def test_reports_go_to_a_contact_whose_domain_is_not_here(self):
        self.assertEqual(self.records("acme.example", "TXT")[1],
                         ("_smtp._tls.acme.example.", "TXT",
                          '"v=TLSRPTv1; rua=mailto:it+x@holding.example"'))

    def test_the_text_is_lines_of_a_zone_file_and_comments(self):
        for domain in ("acme.example", "backup.example", "direct.example"):
            with self.subTest(domain):
                lines = self.mxfeed("dns", domain, "--no-postfix").stdout.splitlines()
                rest = [line for line in lines if line and not line.startswith(";")]
                self.assertEqual(len(rest), sum(len(records["records"]) for records in
                                                self.dns(domain)["sets"]))
                self.assertEqual([line for line in rest if not ZONE_LINE.fullmatch(line)], [])

    def test_a_port_that_senders_do_not_use_is_told(self):
        text = self.mxfeed("dns", "backup.example", "--no-postfix").stdout
        self.assertIn("Senders connect to port 25 only", text)
        self.assertNotIn("port 25 only", self.mxfeed("dns", "acme.example",
                                                     "--no-postfix").stdout)

    def test_what_is_not_configured_is_an_error(self):
        for command in ("dns", "handover"):
            with self.subTest(command):
                done = self.mxfeed(command, "other.example", status=1)
                self.assertEqual((done.stdout, done.stderr),
                                 ("", "other.example: not configured\n"))

    def test_the_sheet_names_every_address_that_delivers(self):
        for system in ("exchange", "m365", "google", "postfix"):
            with self.subTest(system):
                text = self.mxfeed("handover", "acme.example", "--for", system).stdout
                allowed = text.split("Addresses to allow")[1].split("Settings in force")[0]
                steps = allowed.split("Your own filter must trust")[1]
                for address in ("198.51.100.2", "198.51.100.3", "2001:db8:1::2"):
                    self.assertIn(f"    {address}\n", allowed)
                    if system != "m365" or ":" not in address:  # its connectors: IPv4 only
                        self.assertIn(address, steps)

    def test_the_sheet_tells_the_settings_in_force(self):
        text = " ".join(self.mxfeed("handover", "acme.example").stdout.split())
        for expected in ("[203.0.113.7]:25", "mail waits for 2 days",
                         "an infected one is deleted", "its mail is taken after 3 minutes",
                         "Possible spam (low) is delivered with \"[SPAM: low] \"".rstrip(),
                         "The largest message: 50 MiB", "names below the domain"):
            with self.subTest(expected):
                self.assertIn(" ".join(expected.split()), text)
        text = " ".join(self.mxfeed("handover", "backup.example").stdout.split())
        for expected in ("mail waits for 5 days", "Spam is not marked",
                         "Requested: 2026-11-02, ticket 4711. Acknowledged: 2026-11-03, "
                         "managing director."):
            with self.subTest(expected):
                self.assertIn(expected, text)

    def test_direct_delivery_allows_no_gateway(self):
        text = self.mxfeed("handover", "direct.example").stdout
        self.assertNotIn("198.51.100", text)
        self.assertIn("Your duties", text)

    def test_the_text_fits_a_terminal_and_a_mail(self):
        text = self.mxfeed("handover", "acme.example", "--for", "m365").stdout
        self.assertEqual([line for line in text.splitlines()
                          if len(line) > 78 and not line.startswith("    ")], [])

    def test_the_page_says_the_same_with_all_text_escaped(self):
        page = Text()
        page.feed(self.mxfeed("handover", "acme.example", "--html").stdout)
        page.close()
        self.assertEqual(page.open, [])
        self.assertNotIn("b", page.found)
        self.assertIn('Likely spam (med) is delivered with "<b>&"spam"" before the subject.',
                      page.found["li"])
        text = self.mxfeed("handover", "acme.example").stdout
        for heading in page.found["h2"]:
            self.assertIn(f"\n{heading}\n", text)

    def test_an_unknown_system_is_wrong_usage(self):
        self.assertIn("is not one of exchange, m365, google, postfix",
                      self.mxfeed("handover", "acme.example", "--for", "lotus",
                                  status=2).stderr)


if __name__ == "__main__":
    unittest.main()
