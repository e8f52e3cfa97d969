# SPDX-License-Identifier: GPL-2.0-or-later
"""Dangerous states: `mxfeed status`, `check` and `apply` tell them on standard error, each
with an exit status of its own."""

import json
import os
import shutil
import unittest

import golden

UNSCANNED, OPEN_RELAY, NOT_RUNNING, DIFFERS, NO_CONFIGURATION = 3, 4, 6, 7, 8
MASTER = "smtp inet n - y - - smtpd\n"


@unittest.skipUnless(shutil.which("postconf", path="/usr/sbin:/usr/bin"), "no postconf")
class StatusTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        self.write("mxfeed.toml", golden.MX + "[postfix]\ndedicated = true\n")
        self.write("domains.d/all.toml", golden.feed("a.example"))
        self.apply()
        self.postfix = self.directory / "postfix"
        self.postfix.mkdir()
        (self.directory / "bin").mkdir()
        program = self.directory / "bin" / "postfix"
        program.write_text("#!/bin/sh\nexit 1\n")  # it does not run
        program.chmod(0o755)
        self.set()

    def set(self, main="", options="", attached=True):
        """A Postfix that was attached, then got these parameters and options of its service
        on port 25."""
        (self.postfix / "main.cf").write_text(
            "compatibility_level = 3.6\nmynetworks = 127.0.0.0/8\n"
            f"queue_directory = {self.directory}/spool\n")
        (self.postfix / "master.cf").write_text(MASTER)
        if attached:
            self.run_on("postfix", "attach", status=NOT_RUNNING)
        with open(self.postfix / "main.cf", "a", encoding="ascii") as file:
            file.write(f"{main}\n")
        master = (self.postfix / "master.cf").read_text()
        line = "# mxfeed: end\n" if attached else MASTER
        (self.postfix / "master.cf").write_text(
            master.replace(line, f"{line}  {options}\n" if options else line, 1))

    def run_on(self, *command, status):
        return self.mxfeed(*command, "--postfix-config", str(self.postfix),
                           status=status, env={"PATH": f"{self.directory}/bin:{os.environ['PATH']}:/usr/sbin"})

    def test_what_is_dangerous_is_told_and_the_worst_is_the_exit_status(self):
        cases = (
            ("daemons only", {}, NOT_RUNNING, "a daemon is not running: mxfeed-virus: down: "),
            ("no milters", {"main": "mxfeed_smtpd_milters ="}, UNSCANNED,
             "mail passes unscanned: {master}: smtp/inet: -o smtpd_milters=: "),
            ("no milters at the service", {"options": "-o smtpd_milters="}, UNSCANNED,
             "mail passes unscanned: {master}: smtp/inet: -o smtpd_milters=: "),
            ("everybody may relay", {"main": "mynetworks = 0.0.0.0/0"}, OPEN_RELAY,
             "the relay is open: {master}: smtp/inet: mynetworks=0.0.0.0/0 lets everybody"),
            ("both", {"main": "mynetworks = 0.0.0.0/0", "options": "-o smtpd_milters="}, UNSCANNED,
             "the relay is open: "),
            ("a parameter", {"main": "smtpd_recipient_limit = 5"}, NOT_RUNNING,
             "in force: {directory}: main.cf: smtpd_recipient_limit"),
        )
        for name, settings, status, said in cases:
            self.set(**settings)
            for command in ("status", "check", "apply"):
                with self.subTest(f"{command}: {name}"):
                    done = self.run_on(command, status=status)
                    self.assertIn(said.format(directory=self.postfix,
                                              master=self.postfix / "master.cf"),
                                  done.stderr)
                    self.assertTrue(all(line.startswith("danger: ")
                                        for line in done.stderr.splitlines()), done.stderr)

    def test_a_postfix_that_is_not_attached_is_a_danger_to_status_only(self):
        self.set(attached=False)
        self.assertEqual(self.run_on("check", status=0).stderr, "")
        self.assertIn(f"postfix: {self.postfix}: detached; to attach: mxfeed postfix attach\n",
                      self.run_on("apply", status=0).stdout)
        done = self.run_on("status", status=NOT_RUNNING)
        self.assertIn(f"{self.postfix}: Postfix is not attached\n", done.stderr)
        self.assertIn("detached; to attach: mxfeed postfix attach\n", done.stdout)

    def test_an_open_relay_is_a_danger_though_not_attached(self):
        self.set("mynetworks = 0.0.0.0/0", attached=False)
        for command in ("status", "check", "apply"):
            self.assertIn("danger: the relay is open: ",
                          self.run_on(command, status=OPEN_RELAY).stderr)

    def test_status_in_json_is_typed(self):
        told = json.loads(self.run_on("status", "--json", status=NOT_RUNNING).stdout)
        self.assertEqual((told["generation"], told["postfix_generation"]), (2, 2))
        self.assertEqual([one["program"] for one in told["daemons"]],
                         ["mxfeed-greylist", "mxfeed-virus", "mxfeed-scan", "mxfeed-spam"])
        self.assertIs(told["postfix"]["attached"], True)
        self.assertEqual(told["postfix"]["state"], "attached")
        self.assertEqual(told["postfix"]["differing"], [])
        self.assertEqual({one["code"] for one in told["dangers"]}, {NOT_RUNNING})
        self.assertIn("no socket there", told["dangers"][0]["text"])

    def test_hosts_with_the_same_configuration_show_the_same_digest(self):
        def digest(state):
            self.run_mxfeed("apply", "--no-postfix", "--no-dns", "--config", self.config,
                            "--state", state)
            told = self.run_mxfeed("status", "--no-postfix", "--json", "--config", self.config,
                                   "--state", state).stdout
            return json.loads(told)["configuration"]

        here, there = self.directory / "here", self.directory / "there"
        first = digest(here)
        self.assertRegex(first, "^[0-9a-f]{32}$")
        self.assertEqual(digest(there), first)
        self.write("domains.d/b.toml", golden.feed("b.example"))
        self.assertNotEqual(digest(here), first)

    def test_check_in_json_is_typed(self):
        told = json.loads(self.run_on("check", "--json", "--no-postfix", status=0).stdout)
        self.assertEqual((told["ok"], told["domains"], told["errors"]), (True, 1, []))
        self.write("domains.d/all.toml", golden.feed("a.example", 'state = "of"'))
        told = json.loads(self.run_on("check", "--json", status=1).stdout)
        self.assertIs(told["ok"], False)
        [error] = told["errors"]
        self.assertEqual((error["line"], error["key"]), (4, "state"))

    def test_a_configuration_directory_that_is_missing_has_a_status_of_its_own(self):
        shutil.rmtree(self.config)
        for command in (["check"], ["apply", "--no-postfix"], ["show", "a.example"]):
            with self.subTest(command):
                done = self.mxfeed(*command, status=NO_CONFIGURATION)
                self.assertIn(f"configuration directory is missing: {self.config}", done.stderr)
        done = self.run_on("status", status=NOT_RUNNING)
        self.assertIn(f"configuration directory is missing: {self.config}\n", done.stderr)

    def test_without_postfix_only_what_is_asked_is_told(self):
        self.mxfeed("check", "--no-postfix", status=0)
        done = self.mxfeed("status", "--no-postfix", status=NOT_RUNNING)
        self.assertIn("postfix: not checked (--no-postfix)\n", done.stdout)
        (self.postfix / "main.cf").unlink()
        self.assertIn("main.cf: no such file", self.run_on("status", status=NOT_RUNNING).stderr)

    def test_show_of_a_removed_domain_says_so(self):
        self.write("domains.d/all.toml", golden.feed("b.example"))
        said = self.mxfeed("show", "a.example", status=1).stderr
        self.assertIn("a.example: no longer configured; generation 2 relays it", said)
        self.apply("--allow-removals", "1")
        said = self.mxfeed("show", "a.example", status=1).stderr
        self.assertIn("a.example: removed; generation 3 keeps its mail", said)
        self.assertEqual(self.mxfeed("show", "c.example", status=1).stderr,
                         "c.example: not configured\n")


if __name__ == "__main__":
    unittest.main()
