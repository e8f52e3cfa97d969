# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists of recipients that programs print: the last good one stays in use."""

import os
import pathlib
import re
import subprocess
import unittest

import golden
from golden import feed

UNKNOWN = "550 5.1.1 no such recipient"
SOURCE = 'recipients = "command:list"'
NAMES = ("ada", "bob", "cyd", "dan", "eve")

# Prints a file, if there is one of that name, and does what "do" says.
PROGRAM = """#!/bin/sh
cd {directory} || exit 1
[ "$MXFEED_DOMAIN" = "$2" ] && [ "$1" = 'a  b;$(id)' ] || exit 3
echo "$2" >> runs
[ ! -e do ] || . ./do
cat "$2"
"""


class RecipientCommandsTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        self.lists = self.directory / "lists"
        self.lists.mkdir()
        program = self.directory / "list"
        program.write_text(PROGRAM.format(directory=self.lists))
        program.chmod(0o755)
        self.write("mxfeed.toml", golden.MX + f"""\
[[recipient_command]]
name = "list"
command = ["{program}", "a  b;$(id)"]
""")
        self.configure("acme.example")
        self.print("acme.example", *NAMES)

    def configure(self, *names):
        self.write("domains.d/all.toml", "".join(feed(name, SOURCE) for name in names))

    def print(self, domain, *lines):
        """What the program prints of the domain."""
        (self.lists / domain).write_text("".join(f"{line}\n" for line in lines))

    def do(self, text):
        (self.lists / "do").write_text(text)

    def runs(self):
        file = self.lists / "runs"
        return file.read_text().split() if file.exists() else []

    def known(self, domain="acme.example"):
        """The local parts that are accepted, besides the roles."""
        rows = self.source("recipient_access")
        self.assertEqual(rows[domain], UNKNOWN)
        return {key.partition("@")[0] for key in rows if key.endswith(f"@{domain}")} - {
            "postmaster", "abuse"}

    def test_the_program_prints_the_recipients_of_each_domain(self):
        self.configure("acme.example", "other.example")
        self.print("acme.example", "# ours", "Info", "sales@acme.example", "x@other.example")
        self.print("other.example", "x@other.example")
        self.assertEqual(self.apply().stderr, "")
        self.assertEqual(self.known(), {"info", "sales"})
        self.assertEqual(self.known("other.example"), {"x"})
        self.assertEqual(self.runs(), ["acme.example", "other.example"])

    def test_a_change_takes_effect_with_apply(self):
        self.apply()
        self.print("acme.example", *NAMES, "fay")
        self.apply("--dry-run")
        self.assertEqual(self.known(), set(NAMES))
        self.apply()
        self.assertEqual(self.known(), {*NAMES, "fay"})

    def test_the_last_good_list_stays_in_use(self):
        self.apply()
        generation = self.link()
        for name, do, said in (
                ("fails", "echo 'no  server' >&2; exit 2", "exit status 2: no  server"),
                ("fails in the middle", "cat $2; exit 1", "exit status 1"),
                ("prints nothing", "exit 0", "it printed no recipient of the domain"),
                ("prints another domain's", "echo a@b.example; exit 0",
                 "it printed no recipient of the domain"),
                ("prints nonsense", "echo info; echo 'a b'; exit 0",
                 'line 2 of its output: "a b" is neither an address nor a local part'),
                ("prints octets", r"printf 'info\nb\0c\n'; exit 0",
                 r'line 2 of its output: "b\x00c" is neither an address nor a local part'),
                ("prints without end", "yes info@acme.example",
                 "more than 64 MiB of output"),
                ("removes most", "echo ada; echo bob; exit 0",
                 "refused: 3 of 5 recipients would be removed; if this is intended, use "
                 "mxfeed apply --allow-recipient-removals 3")):
            with self.subTest(name):
                self.do(do)
                told = self.apply().stderr
                self.assertRegex(told, re.escape(said) +
                                 r"; the list of \d{4}-\S+ stays in use\n")
                self.assertIn('domains.d/all.toml:4: domain "acme.example": recipients: '
                              "command:list: ", told)
                self.assertEqual(self.known(), set(NAMES))
                self.assertEqual(self.link(), generation)

    def test_a_program_that_is_missing_keeps_the_last_good_list(self):
        self.apply()
        (self.directory / "list").unlink()
        self.assertIn("No such file or directory", self.apply().stderr)
        self.assertEqual(self.known(), set(NAMES))

    def test_a_slow_program_is_ended_and_not_run_for_the_next_domain(self):
        self.configure("acme.example", "other.example")
        self.print("other.example", "x")
        self.apply()
        self.do('sleep 600 & echo $! > child; wait')
        # In place of the time limit of mxfeed.
        quick = self.directory / "quick"
        quick.mkdir()
        (quick / "timeout").write_text(
            '#!/bin/sh\n[ "$1 $2" = "--kill-after=5 50" ] || exit 9\nshift 2\n'
            'exec /usr/bin/timeout --kill-after=5 1 "$@"\n')
        (quick / "timeout").chmod(0o755)
        told = self.apply(env={"PATH": f"{quick}:{os.environ['PATH']}"}).stderr
        self.assertIn('domain "acme.example": recipients: command:list: it did not end within '
                      "50 s", told)
        self.assertIn('domain "other.example": recipients: command:list: not run, since it was '
                      "slow for another domain", told)
        self.assertEqual(self.runs().count("other.example"), 1)
        self.assertEqual(self.known("other.example"), {"x"})
        child = (self.lists / "child").read_text().strip()
        self.assertIn(self.state_of(child), (None, "Z"))

    @staticmethod
    def state_of(process):
        try:
            stat = pathlib.Path(f"/proc/{process}/stat").read_text()
        except FileNotFoundError:
            return None
        return stat.rpartition(") ")[2][0]

    def test_without_any_list_nothing_is_changed(self):
        self.do("exit 1")
        told = self.apply(status=1).stderr
        self.assertIn("exit status 1; there is no earlier list", told)
        self.assertIn("nothing was changed", told)
        self.assertFalse((self.state / "current").exists())

    def test_removals_that_are_allowed_are_made(self):
        self.apply()
        self.print("acme.example", "ada", "bob")
        self.apply("--allow-recipient-removals", "2")
        self.assertEqual(self.known(), set(NAMES))
        self.apply("--allow-recipient-removals", "3")
        self.assertEqual(self.known(), {"ada", "bob"})
        # Half of a list may go.
        self.print("acme.example", "ada")
        self.apply()
        self.assertEqual(self.known(), {"ada"})

    def test_a_damaged_list_is_not_used(self):
        self.apply()
        (self.state / "recipient_lists" / "acme.example").write_text("a b\n")
        self.do("exit 1")
        self.assertIn("damaged", self.apply(status=1).stderr)
        self.do("")
        self.apply()
        self.assertEqual(self.known(), set(NAMES))

    def test_lists_of_other_domains_are_removed(self):
        self.configure("acme.example", "other.example")
        self.print("other.example", "x")
        self.apply()
        file = self.state / "recipient_lists" / "other.example"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.write("domains.d/all.toml",
                   feed("acme.example", SOURCE) + feed("other.example"))
        self.apply("--dry-run")
        self.assertTrue(file.exists())
        self.apply()
        self.assertFalse(file.exists())
        self.assertTrue(file.with_name("acme.example").exists())

    def test_the_example_for_ldap_prints_the_addresses_of_the_domain(self):
        fake = self.directory / "fake"
        fake.mkdir()
        (fake / "ldapsearch").write_text(f"""#!/bin/sh
for one in "$@"; do printf '%s\\n' "$one"; done > {fake}/arguments
cat {fake}/answer
exit $(cat {fake}/status)
""")
        (fake / "ldapsearch").chmod(0o755)
        (fake / "answer").write_text("""\
dn: uid=ada,dc=acme,dc=example
mail: Ada@acme.example
mail: ada@other.example
proxyAddresses: SMTP:ada.l@ACME.example
proxyAddresses: x400:ada@acme.example
mail:: YsO8cm9AYWNtZS5leGFtcGxl
mail: "a b"@acme.example
mail: @acme.example

""")

        def run(domain, status=0):
            (fake / "status").write_text(str(status))
            return subprocess.run(
                ["/bin/sh", golden.SOURCE / "packaging" / "examples" / "recipients-ldap", domain],
                env={**os.environ, "PATH": f"{fake}:{os.environ['PATH']}"}, timeout=60,
                capture_output=True, text=True, check=False)

        done = run("acme.example")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.split(), ["Ada@acme.example", "ada.l@ACME.example"])
        self.assertIn("(|(mail=*@acme.example)(proxyAddresses=smtp:*@acme.example))",
                      (fake / "arguments").read_text().splitlines())
        # Of an answer that was cut nothing counts.
        self.assertEqual((run("acme.example", 4).returncode, done.stderr), (4, ""))
        self.assertEqual(run("acme.example", 4).stdout, "")
        (fake / "arguments").unlink()
        for domain in ("", "*)(mail=*", "acme.example\nx"):
            self.assertEqual(run(domain).returncode, 2)
        self.assertFalse((fake / "arguments").exists())

    def test_checking_runs_no_program(self):
        self.mxfeed("check", "--no-postfix", status=0)
        self.assertEqual(self.runs(), [])


if __name__ == "__main__":
    unittest.main()
