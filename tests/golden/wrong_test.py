# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrong configurations: `mxfeed check` says all that is wrong, with file, line, key and
cause, and `apply` changes nothing.

wrong/NAME.case is a configuration, then what must be said:
    --- mxfeed.toml
    ...
    --- domains.d/acme.toml
    ...
    --- errors
    domains.d/acme.toml:2: domain "acme.example": ...
A file without mxfeed.toml gets an empty one.
"""

import re
import unittest

import golden


def sections(text):
    """[(name, text)] of a case."""
    parts = re.split(r"^--- (.+)\n", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))


class WrongTest(golden.TestCase):
    def check_case(self, path):
        expected = None
        for name, text in sections(path.read_text()):
            if name == "errors":
                expected = text
            else:
                self.write(name, text)
        done = self.mxfeed("check", status=1)
        got = "".join(f"{line}\n" for line in done.stderr.splitlines()[:-1])
        if golden.UPDATE:
            head = path.read_text().split("--- errors\n")[0]
            path.write_text(f"{head}--- errors\n{got}")
        else:
            self.assertEqual(got, expected)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr.splitlines()[-1], r"^\d+ errors$")
        for line in got.splitlines():
            if not line.startswith("warning: "):
                self.assertRegex(line, r"^(mxfeed\.toml|domains\.d/.*\.toml)(:\d+)?: .+")
        self.apply(status=1)
        self.assertFalse((self.state / "current").exists())

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(list((golden.HERE / "wrong").glob("*.case"))), 30)


def add_cases():
    for path in sorted((golden.HERE / "wrong").glob("*.case")):
        def test(self, path=path):
            self.check_case(path)
        setattr(WrongTest, f"test_{path.stem.replace('-', '_')}", test)


add_cases()

if __name__ == "__main__":
    unittest.main()
