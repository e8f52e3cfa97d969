# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed domain set` and `remove`: a portal changes the configuration."""

import json
import subprocess
import unittest

import golden
from golden import feed


class DomainTest(golden.TestCase):
    def set(self, name, settings, *arguments, customer=None, status=0):
        row = {"domain": settings} | ({"customer": customer} if customer else {})
        file = self.directory / "row"
        file.write_text(row if isinstance(row, str) else json.dumps(row))
        return self.mxfeed("domain", "set", name, str(file), *arguments, status=status)

    def remove(self, name, *arguments, status=0):
        return self.mxfeed("domain", "remove", name, *arguments, status=status)

    def file(self, name):
        return self.config / "domains.d" / name

    SETTINGS = {"deliver_to": ["203.0.113.7"], "recipients": "any",
                "spam": {"enabled": True, "low": {"action": "subject", "text": '"\\ [x] '}}}

    def shown(self, name):
        return json.loads(self.mxfeed("show", name, "--json").stdout)

    def test_a_new_domain_is_written_and_applied(self):
        self.set("Acme.Example", self.SETTINGS,
                 customer={"id": "acme", "contacts": ["p@acme.test"]})
        self.assertEqual(self.shown("acme.example")["customer"], "acme")
        self.assertTrue(self.file("acme.toml").exists())
        self.apply()
        self.assertIn("acme.example", self.source("transport"))

    def test_the_same_again_changes_nothing(self):
        for customer, name in ((None, "a.example.toml"), ({"id": "acme"}, "acme.toml")):
            with self.subTest(name):
                self.set("a.example", self.SETTINGS, customer=customer)
                before = self.file(name).stat().st_mtime_ns
                done = json.loads(self.set("a.example", self.SETTINGS, "--json",
                                           customer=customer).stdout)
                self.assertEqual((done["changed"], done["file"]),
                                 (False, str(self.file(name))))
                self.assertEqual(self.file(name).stat().st_mtime_ns, before)
                self.file(name).unlink()

    def test_the_order_of_keys_does_not_matter(self):
        self.set("a.example", self.SETTINGS)
        backwards = dict(reversed(self.SETTINGS.items()))
        self.assertIn("nothing was changed", self.set("a.example", backwards).stdout)

    def test_domains_of_a_customer_share_a_file(self):
        customer = {"id": "acme", "contacts": ["p@acme.test"]}
        self.set("b.example", self.SETTINGS, customer=customer)
        # One that says only its id stays as it was.
        self.set("a.example", self.SETTINGS, customer={"id": "acme"})
        text = self.file("acme.toml").read_text()
        self.assertIn('contacts = ["p@acme.test"]', text)
        self.assertLess(text.index("a.example"), text.index("b.example"))

    def test_settings_are_replaced_as_a_whole(self):
        self.set("a.example", {**self.SETTINGS, "queue_lifetime": "5d"})
        self.set("a.example", self.SETTINGS)
        self.assertNotIn("queue_lifetime", self.file("a.example.toml").read_text())

    def test_a_removed_domain_is_refused_and_may_come_again(self):
        self.set("a.example", self.SETTINGS)
        self.apply()
        self.remove("a.example")
        self.assertIn("nothing was changed", self.remove("a.example").stdout)
        self.apply("--allow-removals", "1")
        self.assertTrue(self.source("transport")["a.example"].startswith("retry:"))
        self.set("a.example", self.SETTINGS)
        self.apply()
        self.assertTrue(self.source("transport")["a.example"].startswith("mxfeed"))

    def test_what_is_wrong_changes_nothing(self):
        self.set("a.example", self.SETTINGS)
        before = self.file("a.example.toml").read_text()
        for name, settings, said in (
                ("a wrong value", {**self.SETTINGS, "deliver_to": ["203.0.113"]},
                 "not an IP address"),
                ("an unknown key", {**self.SETTINGS, "colour": 1}, "unknown key"),
                ("no server", {"recipients": "any"}, "deliver_to")):
            with self.subTest(name):
                told = self.set("a.example", settings, status=1).stderr
                self.assertIn(said, told)
                self.assertIn("nothing was changed", told)
                self.assertEqual(self.file("a.example.toml").read_text(), before)
                self.set("new.example", settings, status=1)
                self.assertFalse(self.file("new.example.toml").exists())

    def test_what_cannot_be_read_is_a_usage_error(self):
        for name, settings, said in (
                ("a list", [], "must be an object"),
                ("another name", {**self.SETTINGS, "name": "b.example"}, "another name")):
            with self.subTest(name):
                self.assertIn(said, self.set("a.example", settings, status=2).stderr)
        file = self.directory / "row"
        file.write_text("{")
        self.assertIn("not JSON",
                      self.mxfeed("domain", "set", "a.example", str(file), status=2).stderr)
        self.assertIn("is not a domain name", self.set("a..b", {}, status=2).stderr)

    def test_a_file_of_an_operator_is_left_alone(self):
        text = feed("a.example", 'recipients = "any"')
        self.write("domains.d/a.example.toml", text)
        self.assertIn("edit it by hand", self.set("a.example", self.SETTINGS, status=1).stderr)
        self.assertIn("edit it by hand", self.remove("a.example", status=1).stderr)
        self.write("domains.d/other.toml", feed("b.example", 'recipients = "any"'))
        self.assertIn("is in", self.set("b.example", self.SETTINGS, status=1).stderr)
        self.assertEqual(self.file("a.example.toml").read_text(), text)
        # One of ours that was edited is no longer ours.
        self.set("c.example", self.SETTINGS)
        ours = self.file("c.example.toml")
        ours.write_text(ours.read_text() + "# why\n")
        self.assertIn("edit it by hand", self.set("c.example", self.SETTINGS, status=1).stderr)

    def test_a_customer_is_no_path(self):
        for customer in ("../x", "a/b", ".x", "a b"):
            with self.subTest(customer):
                self.set("a.example", self.SETTINGS, customer={"id": customer}, status=1)
        self.assertFalse(self.file("").exists())

    def test_a_dry_run_writes_nothing(self):
        done = json.loads(self.set("a.example", self.SETTINGS, "--dry-run", "--json").stdout)
        self.assertEqual((done["changed"], done["would_change"]), (False, True))
        self.assertFalse(self.file("a.example.toml").exists())
        self.set("a.example", {"deliver_to": ["x"]}, "--dry-run", status=1)

    def test_settings_come_from_standard_input_too(self):
        done = subprocess.run(
            [golden.BUILD / "bin" / "mxfeed", "domain", "set", "a.example", "-", "--config",
             self.config, "--state", self.state], input=json.dumps({"domain": self.SETTINGS}),
            capture_output=True, text=True, timeout=60, check=True)
        self.assertIn("written", done.stdout)


if __name__ == "__main__":
    unittest.main()
