# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed greylist allow` and `deny` edit the configuration, and nothing else in it."""

import unittest

import golden

GATEWAY = """\
mx = ["mx1.isp.example"]
# Text behind here stays.

[greylist]  # of all
allow = [
    "192.0.2.0/24",  # the monitoring
    "@shop.example"  # asked for by acme
]
delay = "4m"
"""
ACME = """\
[[domain]]
name = "acme.example"
deliver_to = ["203.0.113.7"]
greylist = { when = "suspicious" }  # since May

[[domain]]
name = "bücher.example"
deliver_to = ["203.0.113.7"]

[[domain]]
name = "off.example"
greylist = false
deliver_to = ["203.0.113.7"]
  [domain.spam]
  enabled = true
"""


class GreylistListsTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        self.gateway = self.config / "mxfeed.toml"
        self.domains = self.config / "domains.d" / "acme.toml"
        self.write("mxfeed.toml", GATEWAY)
        self.write("domains.d/acme.toml", ACME)

    def change(self, *arguments, status=0):
        return self.mxfeed("greylist", *arguments, status=status)

    def test_an_entry_is_added_to_the_gateways_list_and_removed(self):
        done = self.change("allow", "Mail.Partner.example.")
        self.assertEqual(done.stdout,
                         f'{self.gateway}: [greylist]: allow: "mail.partner.example" added; '
                         "run mxfeed apply\n")
        changed = GATEWAY.replace('"@shop.example"  #', '"@shop.example",  #').replace(
            "acme\n", 'acme\n    "mail.partner.example",\n')
        self.assertEqual(self.gateway.read_text(), changed)
        self.change("allow", "@shop.example", "--remove")
        self.assertEqual(self.gateway.read_text(),
                         changed.replace('    "@shop.example",  # asked for by acme\n', ""))

    def test_a_list_is_made_where_there_is_none(self):
        self.change("deny", ".bulk.example")
        self.assertEqual(self.gateway.read_text(),
                         GATEWAY.replace("# of all\n", '# of all\ndeny = [".bulk.example"]\n'))
        self.write("mxfeed.toml", 'mx = ["mx1.isp.example"]')
        self.change("deny", ".bulk.example")
        self.assertEqual(self.gateway.read_text(),
                         'mx = ["mx1.isp.example"]\n\n[greylist]\ndeny = [".bulk.example"]\n')

    def test_an_entry_is_added_to_the_list_of_a_domain(self):
        for domain, before, after in (
                ("acme.example", '{ when = "suspicious" }',
                 '{ allow = ["ann@shop.example"], when = "suspicious" }'),
                ("BÜCHER.example.", 'name = "bücher.example"\n',
                 'name = "bücher.example"\ngreylist = { allow = ["ann@shop.example"] }\n'),
                ("off.example", "greylist = false",
                 'greylist = { when = "never", allow = ["ann@shop.example"] }')):
            with self.subTest(domain):
                self.write("domains.d/acme.toml", ACME)
                self.change("allow", "Ann@Shop.example", "--domain", domain)
                self.assertEqual(self.domains.read_text(), ACME.replace(before, after))
                self.assertEqual(self.gateway.read_text(), GATEWAY)
        self.assertRegex(self.mxfeed("show", "off.example").stdout,
                         r'greylist.allow +\["ann@shop.example"\] +\S*/domains.d/acme.toml:12\n')

    def test_an_entry_that_is_there_is_said_and_nothing_is_changed(self):
        done = self.change("allow", "192.0.2.0/24")
        self.assertIn('"192.0.2.0/24" is already there', done.stdout)
        done = self.change("allow", "192.0.3.0/24", "--remove", status=1)
        self.assertIn('"192.0.3.0/24" is not there', done.stdout)
        self.assertEqual(self.gateway.read_text(), GATEWAY)

    def test_what_is_wrong_is_said_and_nothing_is_changed(self):
        for arguments, status, said in (
                (["allow", "192.0.2.1/24"], 2, 'did you mean "192.0.2.0/24"?'),
                (["deny", "::/0"], 2, 'ENTRY: "::/0" is every client'),
                (["deny", "a\x1bb"], 2, 'ENTRY: "a\\x1bb" is neither'),
                (["deny", "a.example", "--domain", "none.example"], 1,
                 '--domain: "none.example" is not configured'),
                (["deny", "a.example", "--domain", "no name"], 1,
                 '--domain: "no name" is not configured')):
            with self.subTest(arguments):
                self.assertIn(said, self.change(*arguments, status=status).stderr)
        self.write("domains.d/wrong.toml", "nonsense = 1\n")
        done = self.change("allow", "a.example", status=1)
        self.assertIn("nonsense", done.stderr)
        self.assertIn("nothing was changed", done.stderr)
        self.assertEqual(self.gateway.read_text(), GATEWAY)
        self.assertEqual(self.domains.read_text(), ACME)

    def test_what_cannot_be_edited_is_left_to_the_operator(self):
        for gateway in ('greylist.delay = "5m"\n', 'greylist = { delay = "5m" }\n',
                        'alerts.command = ["/bin/x", """\n[greylist]\n"""]\n'):
            with self.subTest(gateway):
                self.write("mxfeed.toml", gateway)
                done = self.change("allow", "a.example", status=1)
                self.assertIn(f'{self.gateway}: [greylist]: cannot be edited, nothing was changed; '
                              'write "a.example" into greylist.allow there, then run mxfeed apply',
                              done.stderr)
                self.assertEqual(self.gateway.read_text(), gateway)


if __name__ == "__main__":
    unittest.main()
