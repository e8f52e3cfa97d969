# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of the configuration directory: which ones are read, and what is said of the
others."""

import os
import socket
import unittest

import golden
from golden import feed


class LoadTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        self.write("domains.d/a.toml", feed("a.example"))

    def check_errors(self, *wanted):
        done = self.mxfeed("check", status=1)
        self.assertEqual(done.stderr.splitlines()[:-1],
                         [f"{self.config.resolve()}/{line}" for line in wanted])

    def test_what_is_no_regular_file_is_an_error_and_not_waited_for(self):
        refused = "cannot be read: not a regular file"
        for place in ("mxfeed.toml", "domains.d/x.toml"):
            path = self.config / place
            for kind in ("fifo", "directory", "socket", "device"):
                with self.subTest(f"{place}: {kind}"):
                    path.unlink(missing_ok=True)
                    if kind == "fifo":
                        os.mkfifo(path)
                    elif kind == "directory":
                        path.mkdir()
                    elif kind == "socket":
                        with socket.socket(socket.AF_UNIX) as listener:
                            listener.bind(str(path))
                    else:
                        path.symlink_to("/dev/zero")
                    self.check_errors(f"{place}: {refused}")
                    if kind == "directory":
                        path.rmdir()
            path.unlink(missing_ok=True)
            self.write("mxfeed.toml", "")

    def test_a_symbolic_link_to_a_file_is_read(self):
        self.write("elsewhere", feed("b.example"))
        (self.config / "domains.d" / "b.toml").symlink_to("../elsewhere")
        self.apply()
        self.assertEqual(sorted(self.source("relay_domains")), ["a.example", "b.example"])

    def test_a_link_that_leads_nowhere_is_an_error(self):
        (self.config / "domains.d" / "b.toml").symlink_to("nowhere")
        self.check_errors("domains.d/b.toml: no such file")

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_an_unreadable_file_is_an_error(self):
        (self.config / "domains.d" / "a.toml").chmod(0)
        self.check_errors("domains.d/a.toml: cannot be read: Permission denied")

    def test_only_toml_files_are_read_and_others_are_warned_of(self):
        for name in (".hidden.toml", "#a.toml#", "a.toml~", ".a.toml.swp", "b.toml.bak",
                     "notes.txt"):
            self.write(f"domains.d/{name}", "no TOML")
        (self.config / "domains.d" / "more").mkdir()
        done = self.mxfeed("check")
        directory = f"{self.config.resolve()}/domains.d"
        self.assertEqual(done.stderr.splitlines(),
                         [f"warning: {directory}/{name}: ignored: only files named *.toml are "
                          "read" for name in ("b.toml.bak", "more", "notes.txt")])

    def test_problems_come_in_the_order_of_the_files(self):
        # Whichever thread reads them.
        for i in range(50):
            self.write(f"domains.d/f{i:02}.toml", f"wrong{i} = 1\n" + feed(f"d{i}.example"))
        self.check_errors(*(f"domains.d/f{i:02}.toml:1: wrong{i}: unknown key"
                            for i in range(50)))

    def test_domains_of_many_files_are_in_order(self):
        names = [f"{'same-start-' * (i % 3)}d{i * 7919 % 1000}.example" for i in range(1000)]
        for i in range(20):
            self.write(f"domains.d/f{i:02}.toml",
                       "".join(feed(name) for name in names[i * 50:i * 50 + 50]))
        self.apply()
        self.assertEqual(list(self.source("relay_domains")),
                         sorted(["a.example", *names], key=str.encode))


if __name__ == "__main__":
    unittest.main()
