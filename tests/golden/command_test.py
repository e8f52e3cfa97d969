# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of `mxfeed`: usage, exit status, what it says, completion."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import golden

USAGE = 2


class CommandTest(golden.TestCase):
    def test_wrong_usage_is_status_2_and_says_what(self):
        for arguments, said in (
                ([], "a command is missing"),
                (["nonsense"], 'unknown command "nonsense"'),
                (["check", "--nonsense"], 'check: unknown option "--nonsense"'),
                (["check", "--diff"], 'check: unknown option "--diff"'),
                (["check", "apply"], 'check: too many operands: "apply"'),
                (["check", "--config"], "check: --config: DIR is missing"),
                (["check", "--config="], "check: --config: must not be empty"),
                (["apply", "--dry-run=yes"], "apply: --dry-run takes no value"),
                (["show"], "show: DOMAIN is missing"),
                (["apply", "--allow-removals", "many"],
                 'apply: --allow-removals: "many" is not a number'),
                (["rollback", "-1"], 'rollback: unknown option "-1"'),
                (["rollback", "--", "-1"], 'rollback: N: "-1" is not a number'),
                (["greylist"], "greylist: a command is missing"),
                (["greylist", "nonsense"], 'greylist: unknown command "nonsense"'),
                (["greylist", "why", "x", "a@b.example", "c@d.example"],
                 'IP: "x" is not an IP address'),
                (["greylist", "list", "no name"], 'DOMAIN: "no name" is not a domain name'),
                (["greylist", "allow"], "greylist allow: ENTRY is missing"),
                (["virus", "scan"], "virus scan: FILE is missing"),
                (["spam", "evaluate"],
                 "spam evaluate: give either CORPUS or --ham-mails and --spam-mails"),
                (["spam", "evaluate", "--ham-mails", "x", "y"],
                 "spam evaluate: give either CORPUS or --ham-mails and --spam-mails"),
                (["spam", "learn", "--spam"], "spam learn: MAILS is missing"),
                (["spam", "learn", "x"], "spam learn: give either --spam or --ham"),
                (["spam", "learn", "--spam", "--ham", "x"],
                 "spam learn: give either --spam or --ham"),
                (["spam", "learn", "--ham", "--source", "x", "x"],
                 '--source: "x" is not administrator, trap or user'),
                (["spam", "learn", "--ham", "--domain", "no name", "x"],
                 '--domain: "no name" is not a domain name'),
                (["spam", "forget"], "spam forget: MAILS is missing"),
                (["\x1b[1m"], 'unknown command "\\x1b[1m"')):
            with self.subTest(arguments):
                done = self.run_mxfeed(*arguments)
                self.assertEqual((done.returncode, done.stdout), (USAGE, ""), done.stderr)
                self.assertEqual(done.stderr.splitlines()[0].removeprefix("mxfeed: "), said)

    def test_what_was_meant_is_guessed(self):
        for arguments, meant in ((["aply"], "apply"), (["Check"], "check"),
                                 (["greylst", "list"], "greylist"),
                                 (["greylist", "lst"], "list"),
                                 (["apply", "--dry-rn"], "--dry-run"),
                                 (["show", "--jsn", "a.example"], "--json"),
                                 (["check", "--confg", "x"], "--config")):
            with self.subTest(arguments):
                done = self.run_mxfeed(*arguments)
                self.assertEqual(done.returncode, USAGE)
                self.assertIn(f'; did you mean "{meant}"?', done.stderr)
        self.assertNotIn("did you mean", self.run_mxfeed("quux").stderr)

    def test_help_and_version_are_status_0(self):
        for arguments in (["--help"], ["help"], ["apply", "--help"], ["help", "apply"],
                          ["apply", "-h"], ["greylist", "--help"], ["greylist", "list", "--help"],
                          ["--version"]):
            done = self.run_mxfeed(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(self.run_mxfeed("--version").stdout, r"^mxfeed \d+\.\d+\.\d+\n$")

    def test_help_names_what_a_value_is(self):
        for arguments, said in ((["apply"], "--allow-removals N"), (["apply"], "--config DIR"),
                                (["apply"], "--host NAME"), (["rollback"], "[N]"),
                                (["show"], "DOMAIN"), (["virus", "scan"], "FILE"),
                                (["spam", "evaluate"], "[CORPUS]")):
            with self.subTest(arguments):
                self.assertIn(said, self.run_mxfeed(*arguments, "--help").stdout)

    def test_every_command_has_help_of_its_own(self):
        text = self.run_mxfeed("--help").stdout
        listed = re.search(r"Commands:\n(.*?)\n\n", text, re.DOTALL).group(1)
        names = [line[:20].split("  ")[1] for line in listed.splitlines()]
        self.assertIn("greylist why", names)
        for name in names:
            with self.subTest(name):
                self.assertTrue(self.run_mxfeed(*name.split(), "--help").stdout.startswith(
                    f"usage: mxfeed {name}"))

    def test_options_stand_before_and_behind_the_command(self):
        self.write("domains.d/all.toml", golden.feed("a.example"))
        for arguments in (["--config", self.config, "check"], ["check", "--config", self.config],
                          [f"--config={self.config}", "check"],
                          ["--json", "show", "--config", self.config, "a.example"],
                          ["show", "a.example", "--config", self.config, "--json"],
                          ["show", "--config", self.config, "--", "a.example"],
                          ["--config", "/none", "check", "--config", self.config],
                          ["spam", "--state", self.state, "explain", self.config / "mxfeed.toml"]):
            done = self.run_mxfeed(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_show_of_what_is_not_there_is_status_1(self):
        self.write("domains.d/all.toml", golden.feed("a.example"))
        for name in ("b.example", "x.a.example", "no name", ""):
            with self.subTest(name):
                self.assertIn(name, self.mxfeed("show", name, status=1).stderr)
        self.write("domains.d/all.toml", "nonsense = 1")
        self.assertIn("nonsense", self.mxfeed("show", "a.example", status=1).stderr)

    def test_a_file_that_cannot_be_read_is_status_1(self):
        for command in (["spam", "explain"], ["virus", "scan"],
                        ["spam", "evaluate", "--ham-mails"],
                        ["spam", "learn", "--ham"], ["spam", "forget"]):
            with self.subTest(command):
                done = self.run_mxfeed(*command, self.directory / "none", "--state", self.state)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertRegex(done.stderr, "^read.*/none: No such file or directory\n$")

    def test_a_daemon_that_is_not_installed_is_said(self):
        for command, daemon in ((["greylist", "list"], "mxfeed-greylist"),
                                (["virus", "scan", "/dev/null"], "mxfeed-scan"),
                                (["spam", "learn", "--spam", "/dev/null"], "mxfeed-spam")):
            done = self.mxfeed(*command, status=1)
            self.assertEqual(done.stderr, f"{daemon} is not installed\n")

    def test_spam_says_the_same_in_json(self):
        mails = str(self.directory / "mails")
        os.mkdir(mails)
        mail = self.directory / "mails" / "1"
        mail.write_text("From: a@b.example\nTo: c@d.example\n\nhello\n")
        explained = json.loads(self.mxfeed("spam", "explain", str(mail), "--json").stdout)
        self.assertIn({"name": "date-missing", "group": "incomplete", "logit": 0.75,
                       "weight": 1, "proven": False}, explained["evidence"])
        self.assertIs(explained["whole"], True)
        counted = json.loads(self.mxfeed("spam", "evaluate", "--ham-mails", mails, "--json").stdout)
        self.assertEqual((counted["ham"], counted["spam"]), (1, 0))
        self.assertEqual(counted["evidence"]["date-missing"], {"ham": 1, "spam": 0})
        self.assertEqual(counted["levels"]["none"]["ham"], 1)
        table = self.mxfeed("spam", "explain", str(mail)).stdout
        self.assertRegex(table, r"date-missing +incomplete +0\.75 +0\.75")

    def test_explain_says_why_no_list_is_asked(self):
        mail = self.directory / "mail"
        mail.write_text("From: a@b.example\n\nhello\n")
        for settings, options, note in (("", [], "none is configured"),
                                        ('[spam]\nlists = ["client bl.example=127.0.0.2 2"]\n',
                                         ["--no-dns"], "not asked: --no-dns")):
            with self.subTest(note):
                self.write("mxfeed.toml", golden.MX + settings)
                self.apply()
                command = ["spam", "explain", str(mail), *options]
                self.assertIn(f"\nDNS lists: {note}\n", self.mxfeed(*command).stdout)
                explained = json.loads(self.mxfeed(*command, "--json").stdout)
                self.assertEqual((explained["lists"], explained["lists_note"]), ([], note))

    def mailbox(self, name, count, text):
        """A mailbox of different mails."""
        path = self.directory / name
        path.write_text("\n".join(
            f"From x@b.example Thu Aug 22 12:36:{i % 60:02} 2002\nMessage-ID: <{name}{i}@b.example>\n"
            f"Subject: {text}\n\n{text} number {i}, {i * i}\n" for i in range(count)))
        return str(path)

    def test_spam_is_learned_from_mailboxes_and_shown_by_explain(self):
        (self.state / "spam").mkdir(parents=True)
        spam = self.mailbox("spam", 120, "Buy cheap watches now")
        ham = self.mailbox("ham", 120, "Minutes of our meeting")
        mail = str(self.directory / "mail")
        with open(mail, "w", encoding="ascii") as file:
            file.write("Message-ID: <new@b.example>\nSubject: Buy cheap watches now\n\n"
                       "Buy cheap watches now number 7000\n")

        def explain():
            return self.mxfeed("spam", "explain", mail).stdout

        self.assertIn("content model: none yet (mxfeed spam learn)\n", explain())
        learned = self.mxfeed("spam", "learn", "--spam", spam).stdout
        self.assertEqual(learned, "learned 120, relabelled 0, unchanged 0\n"
                         "the model has learned 0 ham and 120 spam: it abstains\n")
        self.assertIn("content model: abstains: has learned 0 ham and 120 spam", explain())
        self.assertEqual(json.loads(self.mxfeed("spam", "learn", "--ham", ham, "--json").stdout)[
            "model"], {"ham": 120, "spam": 120, "weight": 0.1, "may_say_high": False})
        self.assertRegex(explain(), r"content  +content +[0-9]\.[0-9]+ +[0-9]\.[0-9]+\n")
        self.assertIn("counts 10 %, has not proved itself yet\n", explain())

        # The next one of its kind is judged otherwise, and the label can be taken back.
        one = self.mxfeed("spam", "learn", "--ham", "--source", "user", mail).stdout
        self.assertRegex(one, r"(?s)learned 1,.*spam by its content: [0-9.]+ % before, [0-9.]+ % now\n")
        self.assertIn("learned 0, relabelled 0, unchanged 120",
                      self.mxfeed("spam", "learn", "--spam", spam).stdout)
        self.assertIn("relabelled 1", self.mxfeed("spam", "learn", "--spam", mail).stdout)
        model = self.state / "spam/model/model"
        with_it = model.read_bytes()
        self.assertIn("forgot 1, not known 0", self.mxfeed("spam", "forget", mail).stdout)
        self.assertNotEqual(model.read_bytes()[4096:], with_it[4096:])
        self.assertIn("forgot 0, not known 1", self.mxfeed("spam", "forget", mail).stdout)
        self.mxfeed("spam", "learn", "--spam", mail)
        self.assertEqual(model.read_bytes()[4096:], with_it[4096:])

        with open(self.state / "spam/model/journal", "ab") as journal:
            journal.write(b"cut")
        self.assertIn("the last entry of the journal was incomplete",
                      self.mxfeed("spam", "forget", mail).stderr)
        model.write_bytes(b"damaged")
        self.assertIn("not a model of this version", explain())

    def test_what_another_gateway_learned_is_taken(self):
        self.write("domains.d/all.toml", golden.feed("a.example"))
        self.mxfeed("apply")
        (self.state / "spam").mkdir(exist_ok=True)
        mail = str(self.directory / "mail")
        pathlib.Path(mail).write_text("Subject: one\n\ntext\n", encoding="ascii")
        self.mxfeed("spam", "learn", "--ham", mail)
        model = self.state / "spam/model"
        journal = str(self.directory / "journal")
        shutil.copyfile(model / "journal", journal)
        for file in model.iterdir():
            file.unlink()
        self.assertEqual("received 1, sent 0\n", self.mxfeed("spam", "merge", journal).stdout)
        self.assertEqual("received 0, sent 0\n", self.mxfeed("spam", "merge", journal).stdout)
        self.assertIn("forgot 1", self.mxfeed("spam", "forget", mail).stdout)
        self.assertIn("no [redis]", self.mxfeed("spam", "exchange").stdout)
        self.assertIn("no journal", self.mxfeed("spam", "merge", mail, status=1).stderr)

    def test_mxfeed_links_no_milter_and_no_engine(self):
        needed = subprocess.run(["ldd", golden.BUILD / "bin" / "mxfeed"], capture_output=True,
                                text=True, check=True).stdout
        self.assertIn("libsqlite3", needed)
        self.assertNotRegex(needed, "libmilter|libclamav")
        symbols = (golden.BUILD / "bin" / "mxfeed").read_bytes()
        self.assertNotIn(b"smfi_", symbols)

    def complete(self, *words):
        """What bash offers for the last of the words."""
        script = self.run_mxfeed("completion", "bash").stdout
        shell = (f"{script}\nCOMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _mxfeed\n"
                 'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", shell, "bash", "mxfeed", *words],
                              capture_output=True, text=True, check=True, timeout=60,
                              cwd=self.config)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes_commands_options_and_operands(self):
        for words, offered in ((["gen"], ["generations"]),
                               (["greylist", ""], ["allow", "deny", "forget", "import", "list",
                                                  "release", "simulate", "stats", "why"]),
                               (["--state", "/x", "vir"], ["virus"]),
                               (["greylist", "list", "--j"], ["--json"]),
                               (["apply", "--dr"], ["--dry-run"]),
                               (["apply", "--allow-removals", ""], []),
                               (["show", ""], []),
                               (["spam", "explain", "mx"], ["mxfeed.toml"]),
                               (["--config", "dom"], ["domains.d"]),
                               (["--ver"], ["--version"])):
            with self.subTest(words):
                (self.config / "domains.d").mkdir(exist_ok=True)
                self.assertEqual(self.complete(*words), offered)


if __name__ == "__main__":
    unittest.main()
