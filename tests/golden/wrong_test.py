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
A case without mxfeed.toml gets one that is right.  Messages have the full path of the file;
cases have it without the directory of the configuration.
"""

import re
import subprocess
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
        *lines, count = done.stderr.splitlines()
        for line in lines:
            self.assertRegex(line, rf"^((warning: )?{re.escape(str(self.config))}/"
                                   r"(mxfeed\.toml|domains\.d/.*\.toml)(:\d+)?: .+"
                                   r"|warning: \d+ more: .*)$")
        got = "".join(f"{line}\n" for line in lines).replace(f"{self.config}/", "")
        if golden.UPDATE:
            head = path.read_text().split("--- errors\n")[0]
            path.write_text(f"{head}--- errors\n{got}")
        else:
            self.assertEqual(got, expected)
        self.assertEqual(done.stdout, "")
        errors = sum(not line.startswith("warning: ") for line in lines)
        self.assertEqual(count, f"{errors} error{'s' if errors != 1 else ''}")
        self.apply(status=1)
        self.assertFalse((self.state / "current").exists())

    def test_a_file_in_another_encoding_is_to_be_saved_as_utf_8(self):
        text = '[[domain]]\nname = "bücher.example"\n'
        cases = {"latin-1": r":2: not in UTF-8 (byte \xfc): save the file as UTF-8",
                 "utf-16": ": in UTF-16: save the file as UTF-8",
                 "utf-16-le": ": in UTF-16: save the file as UTF-8",
                 "utf-16-be": ": in UTF-16: save the file as UTF-8"}
        path = self.config / "domains.d" / "acme.toml"
        path.parent.mkdir()
        for encoding, cause in cases.items():
            with self.subTest(encoding):
                path.write_bytes(text.encode(encoding))
                self.assertEqual(self.mxfeed("check", status=1).stderr,
                                 f"{path}{cause}\n1 error\n")
        path.write_text(golden.feed("bücher.example"), encoding="utf-8-sig")
        self.mxfeed("check")

    def test_a_relative_directory_is_named_in_full(self):
        self.write("mxfeed.toml", "colour = 1\n")
        done = subprocess.run([golden.BUILD / "bin" / "mxfeed", "check", "--config", "./config"],
                              cwd=self.directory, capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.stderr, f"{self.config}/mxfeed.toml:1: colour: unknown key\n1 error\n")

    def test_a_file_that_cannot_be_read_is_named_with_the_cause(self):
        path = self.config / "domains.d" / "acme.toml"
        path.mkdir(parents=True)
        self.assertEqual(self.mxfeed("check", status=1).stderr,
                         f"{path}: cannot be read: not a regular file\n1 error\n")

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
