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
import wrappings
from payloads import PAGE


class EvasionsTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        if missing := extract.missing():
            self.skipTest(f"not installed: {' '.join(missing)}")
        self.known = check.known()

    def failures(self, chains, excused):
        """{chain: {variant: by what it comes out}} of those that are not excused."""
        payloads = {"page": PAGE}
        cases = check.make_cases(chains, payloads)
        self.assertGreater(len(cases), len(chains) * 0.8, "most chains can be made")
        check.ask(cases, payloads)
        check.find_ways(cases, excused)
        return cases, {case.label: case.failures() for case in cases
                       if case.failures() and not excused(case)}

    def test_no_wrapping_hides_a_virus(self):
        # What is listed and still called clean needs no look by which program.
        cases, failures = self.failures(wrappings.singles(),
                                        lambda case: case.label in self.known)
        self.assertEqual(failures, {}, "see tests/evasions/run NAME")
        passing = {case.label for case in cases
                   if any(verdict == "clean" for verdict, _ in case.answers.values())}
        cured = {name for name in self.known if name in wrappings.TABLE} - passing
        self.assertEqual(cured, set(), "right now: take them out of known.tsv")

    def test_no_three_wrappings_hide_a_virus(self):
        _, failures = self.failures(wrappings.triples(check.TRIPLES, check.SEED),
                                    lambda case: check.is_known(case.names, self.known))
        self.assertEqual(failures, {}, "see tests/evasions/run FIRST+SECOND+THIRD")

    def test_each_known_failure_names_wrappings(self):
        for label in self.known:
            for name in label.split("+"):
                self.assertIn(name, wrappings.TABLE)

    def test_honest_mails_are_clean(self):
        answers = honest.ask(honest.mails())
        self.assertGreaterEqual(len(answers), 300)
        self.assertEqual({name: answer for name, answer in answers.items()
                          if answer[0] != "clean"}, {})


if __name__ == "__main__":
    daemons.main()
