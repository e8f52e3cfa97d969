# SPDX-License-Identifier: GPL-2.0-or-later
"""Domains from a command: the last good rows stay in force."""

import json
import os
import re
import unittest

import golden
from golden import feed

NAMES = ("a.example", "b.example", "c.example", "d.example", "e.example")


def row(name, server="203.0.113.7", customer=None, **settings):
    of = {"customer": customer} if customer else {}
    return json.dumps({**of, "domain": {"name": name, "deliver_to": [server],
                                        "recipients": "any", **settings}})


class SourceTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        self.program = self.directory / "domains"
        self.output = self.directory / "output"
        self.write("mxfeed.toml", golden.MX + f"""
[source]
command = ["{self.program}", "a  b;$(id)"]
""")
        self.do("cat {output}")
        self.print(*(row(name) for name in NAMES))

    def do(self, text):
        self.program.write_text("#!/bin/sh\n[ \"$1\" = 'a  b;$(id)' ] || exit 9\n" +
                                text.format(output=self.output) + "\n")
        self.program.chmod(0o755)

    def print(self, *rows, end=None):
        end = [f'{{"end": {len(rows) if end is None else end}}}']
        self.output.write_text("".join(f"{line}\n" for line in [*rows, *end]))

    def routes(self):
        return {key: value for key, value in self.source("transport").items()
                if not key.startswith(".")}

    def server_of(self, name):
        return re.search(r"\[([^]]*)\]", self.routes()[name])[1]

    def test_its_domains_are_applied_beside_those_of_files(self):
        self.write("domains.d/x.toml", feed("x.example", 'recipients = "any"'))
        self.assertEqual(self.apply().stderr, "")
        self.assertLessEqual({*NAMES, "x.example"}, set(self.routes()))

    def test_a_change_takes_effect_with_apply(self):
        self.apply()
        self.print(*(row(name, "203.0.113.9") for name in NAMES))
        self.apply("--dry-run")
        self.assertEqual(self.server_of("a.example"), "203.0.113.7")
        self.apply()
        self.assertEqual(self.server_of("a.example"), "203.0.113.9")

    def test_a_source_that_is_not_whole_changes_nothing(self):
        self.apply()
        generation = self.link()
        self.print(*(row(name, "203.0.113.9") for name in NAMES))
        for name, do, said in (
                ("fails", "echo 'no  server' >&2; exit 2", "exit status 2: no  server"),
                ("fails at the end", "cat {output}; exit 1", "exit status 1"),
                ("prints nothing", "exit 0", "its output does not end with a line"),
                ("prints half", "head -n 3 {output}", "its output does not end with a line"),
                ("prints half of a row", "head -c 100 {output}",
                 "its output does not end with a line"),
                ("prints too few rows", "tail -n 3 {output}",
                 "its output has 2 rows, and its end says 5"),
                ("prints nonsense", "head -c 1000 /dev/zero",
                 "its output does not end with a line"),
                ("does not start", "exec /nowhere", "exit status 12")):
            with self.subTest(name):
                self.do(do)
                told = self.apply(status=1).stderr
                self.assertIn(f"{self.program}: {said}", told)
                self.assertIn("the domains that it printed last stay", told)
                self.assertEqual(self.link(), generation)
        self.assertIn("[source]: 1 problem: ", self.run_mxfeed(
            "status", "--no-postfix", "--state", self.state).stderr)
        self.do("cat {output}")
        self.apply()
        self.assertEqual(self.server_of("a.example"), "203.0.113.9")

    def test_a_source_that_hangs_is_ended_and_changes_nothing(self):
        self.apply()
        generation = self.link()
        self.do("cat {output}; sleep 600 & wait")
        # In place of the time limit of mxfeed.
        quick = self.directory / "quick"
        quick.mkdir()
        (quick / "timeout").write_text(
            '#!/bin/sh\n[ "$1 $2" = "--kill-after=5 600" ] || exit 9\nshift 2\n'
            'exec /usr/bin/timeout --kill-after=5 1 "$@"\n')
        (quick / "timeout").chmod(0o755)
        told = self.apply(status=1, env={"PATH": f"{quick}:{os.environ['PATH']}"}).stderr
        self.assertIn("it did not end within 600 s", told)
        self.assertEqual(self.link(), generation)

    def test_without_earlier_rows_nothing_is_changed(self):
        self.do("exit 3")
        told = self.apply(status=1).stderr
        self.assertIn("exit status 3; it never printed any", told)
        self.assertIn("nothing was changed", told)
        self.assertFalse((self.state / "current").exists())

    def test_a_faulty_row_keeps_what_its_domain_had(self):
        for name, faulty, said in (
                ("a wrong value", row("b.example", "203.0.113"), "not an IP address"),
                ("an unknown key", row("b.example", colour=1), "unknown key"),
                ("two keys that do not fit", row("b.example", tls={"level": "dane"}), "tls"),
                ("no server", row("b.example", deliver_to=[]), "deliver_to"),
                ("not JSON", row("b.example")[:-1], "not JSON"),
                ("no object", '"b.example"', "not an object"),
                ("a key twice", '{"domain": {"name": "b.example", "name": "b.example"}}',
                 '"name" comes twice'),
                ("another customer's word",
                 row("b.example", customer={"id": "x", "max_backup_domains": 9}), "customer")):
            with self.subTest(name):
                customer = {"id": "x", "contacts": ["p@x.example"]}
                self.print(*(row(one, customer=customer) for one in NAMES))
                self.apply()
                others = [row(one, "203.0.113.9", customer) for one in NAMES
                          if one != "b.example"]
                self.print(*others[:3], faulty, *others[3:])
                told = self.apply(status=1).stderr
                self.assertIn(f"{self.program}:4: ", told)
                self.assertIn(said, told)
                self.assertEqual(self.server_of("b.example"), "203.0.113.7")
                self.assertEqual(self.server_of("c.example"), "203.0.113.9")

    def test_the_second_row_of_a_domain_is_faulty(self):
        self.print(row("a.example"), row("b.example"), row("a.example", "203.0.113.9"))
        told = self.apply(status=1).stderr
        self.assertRegex(told, r':3: domain "a.example": .*duplicate; first defined at .*:1')
        self.assertEqual(self.server_of("a.example"), "203.0.113.7")

    def test_rows_that_vanish_are_removals(self):
        self.print(*(row(f"d{i}.example") for i in range(40)))
        self.apply()
        self.print(row("d0.example"))
        told = self.apply(status=1).stderr
        self.assertIn("--allow-removals 39", told)
        self.assertTrue(self.routes()["d1.example"].startswith("mxfeed"))
        self.apply("--allow-removals", "39")
        self.assertTrue(self.routes()["d1.example"].startswith("retry:"))

    def test_a_row_names_a_customer_of_a_file(self):
        self.write("domains.d/x.toml", '[customer]\nid = "acme"\ncontacts = ["p@x.example"]\n' +
                   feed("x.example", 'recipients = "any"'))
        self.print(row("a.example", customer={"id": "acme"}))
        self.apply()
        shown = json.loads(self.mxfeed("show", "a.example", "--json").stdout)
        self.assertEqual(shown["customer"], "acme")

    def test_commands_that_do_not_change_anything_do_not_run_it(self):
        self.apply()
        self.do("exit 1")
        shown = json.loads(self.mxfeed("show", "b.example", "--json").stdout)
        self.assertEqual(shown["domain"], "b.example")

    def test_check_runs_it(self):
        checked = json.loads(self.mxfeed("check", "--no-postfix", "--json").stdout)
        self.assertEqual(checked["domains"], 5)
        self.assertEqual(checked["source"], {"fresh": True, "problems": []})
        self.do("exit 1")
        self.mxfeed("check", "--no-postfix", status=1)

    def test_the_example_for_a_web_service_prints_rows(self):
        fake = self.directory / "fake"
        fake.mkdir()
        (fake / "curl").write_text('#!/bin/sh\nwhile [ "$1" != --output ]; do shift; done\n'
                                   'cp "$ANSWER" "$2"\n')
        (fake / "curl").chmod(0o755)
        example = golden.SOURCE / "packaging" / "examples" / "domains-http"
        self.program.unlink()
        self.program.symlink_to(example)
        answer = json.dumps([{"customer": "acme", "contact": "p@acme.test", "name": name,
                              "service": "feed", "servers": ["203.0.113.7"],
                              "spam_filter": False} for name in NAMES])
        self.output.write_text(answer)
        environment = {"PATH": f"{fake}:{os.environ['PATH']}", "ANSWER": str(self.output)}
        self.apply(env=environment)
        self.assertLessEqual(set(NAMES), set(self.routes()))
        self.output.write_text(answer[:-40])
        self.assertIn("exit status", self.apply(status=1, env=environment).stderr)


if __name__ == "__main__":
    unittest.main()
