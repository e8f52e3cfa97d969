# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of `mxfeed`: usage, exit status, the daemons' sub-commands."""

import os
import shutil
import subprocess
import unittest

import golden


class CommandTest(golden.TestCase):
    def test_wrong_usage_is_status_2(self):
        for arguments in ([], ["nonsense"], ["check", "--nonsense"], ["show"],
                          ["apply", "--allow-removals", "many"], ["rollback", "-1"],
                          ["check", "apply"]):
            with self.subTest(arguments):
                done = self.run_mxfeed(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertNotEqual(done.stderr, "")

    def test_help_and_version_are_status_0(self):
        for arguments in (["--help"], ["apply", "--help"], ["--version"]):
            self.assertEqual(self.run_mxfeed(*arguments).returncode, 0)
        self.assertRegex(self.run_mxfeed("--version").stdout, r"^mxfeed \d+\.\d+\.\d+\n$")

    def test_options_stand_before_and_behind_the_sub_command(self):
        for arguments in (["--config", self.config, "check"], ["check", "--config", self.config]):
            self.assertEqual(self.run_mxfeed(*arguments).returncode, 0)

    def test_show_of_what_is_not_there_is_status_1(self):
        self.write("domains.d/all.toml", golden.feed("a.example"))
        for name in ("b.example", "x.a.example", "no name", ""):
            with self.subTest(name):
                self.assertIn(name, self.mxfeed("show", name, status=1).stderr)
        self.write("domains.d/all.toml", "nonsense = 1")
        self.assertIn("nonsense", self.mxfeed("show", "a.example", status=1).stderr)

    def test_a_configuration_that_is_not_there_is_status_1(self):
        done = self.run_mxfeed("check", "--config", self.directory / "missing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("mxfeed.toml: no such file", done.stderr)

    def daemon_program(self, directory, name):
        directory.mkdir(exist_ok=True)
        program = directory / f"mxfeed-{name}"
        program.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\nexit 7\n')
        program.chmod(0o755)
        return program

    def test_a_daemons_sub_command_is_run_by_its_program(self):
        programs = self.directory / "bin"
        programs.mkdir()
        shutil.copy(golden.BUILD / "bin" / "mxfeed", programs)
        in_path = self.directory / "path"
        beside = self.daemon_program(programs, "spam")
        elsewhere = self.daemon_program(in_path, "greylist")
        environment = {**os.environ, "PATH": f"{in_path}:{os.environ['PATH']}"}
        for name, program in (("spam", beside), ("greylist", elsewhere)):
            done = subprocess.run([programs / "mxfeed", name, "list", "--json", "a b"],
                                  capture_output=True, text=True, timeout=60, check=False,
                                  env=environment)
            self.assertEqual(done.returncode, 7)
            self.assertEqual(done.stdout, f"{program}\nlist\n--json\na b\n")
        done = subprocess.run([programs / "mxfeed", "virus", "status"], capture_output=True,
                              text=True, timeout=60, check=False, env=environment)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "run: mxfeed-virus: No such file or directory\n")


if __name__ == "__main__":
    unittest.main()
