# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples that are installed are right."""

import re
import unittest

import golden

EXAMPLES = golden.SOURCE / "packaging" / "examples"


class ExamplesTest(golden.TestCase):
    def test_they_are_accepted_without_a_warning(self):
        done = self.run_mxfeed("check", "--config", EXAMPLES)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "4 domains, 1 customer, 2 files: ok\n")

    def test_what_is_commented_out_is_accepted_too(self):
        text = (EXAMPLES / "mxfeed.toml").read_text()
        text = re.sub(r"^#(?=[a-z_]+ *=|\[)", "", text, flags=re.MULTILINE)
        self.assertIn('\nstore        = "sqlite:', text)
        # There is no such program here.
        text = text.replace("[source]\ncommand", "[source]\n#command")
        self.write("mxfeed.toml", text)
        self.write("domains.d/acme.toml", (EXAMPLES / "domains.d" / "acme.toml").read_text())
        self.mxfeed("check")


if __name__ == "__main__":
    unittest.main()
