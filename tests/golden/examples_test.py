# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples that are installed are right, and every key is in the manual page."""

import re
import unittest

import golden

EXAMPLES = golden.SOURCE / "packaging" / "examples"
MANUAL = golden.SOURCE / "postfix-conf" / "mxfeed.toml.5"


class ExamplesTest(golden.TestCase):
    def test_they_are_accepted_without_a_warning(self):
        done = self.run_mxfeed("check", "--config", EXAMPLES)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, "4 domains, 1 customer, 2 files: ok\n")

    def test_what_is_commented_out_is_accepted_too(self):
        text = (EXAMPLES / "mxfeed.toml").read_text()
        text = re.sub(r"^#(?=[a-z_]+ *=|\[)", "", text, flags=re.MULTILINE)
        self.assertIn('\nstore        = "sqlite:', text)
        self.write("mxfeed.toml", text)
        self.write("domains.d/acme.toml", (EXAMPLES / "domains.d" / "acme.toml").read_text())
        self.mxfeed("check")

    def test_every_key_that_is_read_is_in_the_manual(self):
        manual = MANUAL.read_text()
        keys = set()
        for name in ("load.cpp", "load_gateway.cpp", "settings.cpp"):
            source = (golden.SOURCE / "postfix-conf" / "config" / name).read_text()
            keys.update(re.findall(
                r"(?:text|flag|number|duration|size|one_of|strings|table|tables|take|"
                r"read_names|read_networks)\((?:\*?\w+, )?\"(\w+)\"", source))
        self.assertGreater(len(keys), 40)
        self.assertEqual([key for key in sorted(keys)
                          if not re.search(rf"\b{key}\b", manual)], [])


if __name__ == "__main__":
    unittest.main()
