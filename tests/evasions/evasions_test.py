# SPDX-License-Identifier: GPL-2.0-or-later
"""No wrapping hides a virus: what a program gets out of a mail is not called clean.

known.tsv lists what still fails.  A new failure fails the test, and so does a wrapping of
the table that no longer fails.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "dialogs")]

# pylint: disable=wrong-import-position
import check
import daemons
import extract
import honest
import scanners
import wrappings
from payloads import PAGE


class EvasionsTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        if missing := extract.missing():
            self.skipTest(f"not installed: {' '.join(missing)}")
        self.known = check.known()

    def check(self, chains, listed, excused=lambda case: False):
        """Those that fail and are not excused are exactly the listed ones."""
        payloads = {"page": PAGE}
        cases = check.make_cases(chains, payloads)
        self.assertGreater(len(cases), len(chains) * 0.8, "most chains can be made")
        check.ask(cases, payloads)
        check.find_ways(cases, excused)
        failures = {case.label: case.failures() for case in cases
                    if case.failures() and not excused(case)}
        self.assertEqual({label: ways for label, ways in failures.items() if label not in listed},
                         {}, "see tests/evasions/run NAME")
        self.assertEqual(listed - set(failures), set(),
                         "right now: take them out of known.tsv")

    def test_no_wrapping_hides_a_virus(self):
        self.check(wrappings.singles(), {label for label in self.known if "+" not in label})

    def test_no_three_wrappings_hide_a_virus(self):
        # One that has a known failure among them need not be looked at.
        self.check(wrappings.triples(check.TRIPLES, check.SEED),
                   {label for label in self.known if "+" in label},
                   lambda case: any(name in self.known for name in case.names))

    def test_each_known_failure_names_wrappings(self):
        for label in self.known:
            for name in label.split("+"):
                self.assertIn(name, wrappings.TABLE)

    def test_honest_mails_are_clean(self):
        answers = honest.ask(honest.mails())
        self.assertGreaterEqual(len(answers), 300)
        self.assertEqual({name: answer for name, answer in answers.items()
                          if answer[0] != "clean"}, {})

    def test_honest_mails_have_no_attachments_that_are_blocked(self):
        found = {}
        for name, kinds in honest.ask(honest.mails(), scanners.Service.kinds).items():
            if kinds != []:
                found.setdefault(name.split()[0], set()).add(tuple(kinds or ["no list"]))
        # These are what their names say.
        self.assertEqual(found, {"file-sfx.exe": {("program",)}, "file-a.iso": {("disk-image",)}})


if __name__ == "__main__":
    daemons.main()
