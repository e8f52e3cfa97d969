# SPDX-License-Identifier: GPL-2.0-or-later
"""The mails of tests/cases get the right answer, or still fail as they are expected to."""

import base64
import json
import random
import re
import string
import subprocess

import daemons
import scan_test
import spam_test

CASES = daemons.SOURCE / "tests" / "cases"
SENDER = "anna@sender.example"
TAG = "[SPAM: HIGH] "


def cases():
    """(file, right, issue) of each line of cases.tsv."""
    lines = (CASES / "cases.tsv").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines]


def original(file):
    """The mail as it was sent."""
    content = (CASES / file).read_bytes()
    return base64.b64decode(content) if file.endswith(".b64") else content


def message(file):
    """The mail as a milter gets it from Postfix."""
    content = original(file)
    # What is not CRLF is made so by the client; a bare CR becomes a blank in cleanup(8).
    content = re.sub(rb"(?<!\r)\n", b"\r\n", content)
    return re.sub(rb"\r(?!\n)", b" ", content)


class CasesTest(scan_test.ServiceTestCase):
    def setUp(self):
        super().setUp()
        virus = '{ infected = "reject", unscannable = "reject", encrypted = "reject" }'
        rules = "".join(f'  {level} = {{ action = "subject", text = "{TAG}" }}\n'
                        for level in ("low", "med", "high"))
        self.service(domains=daemons.feed("acme.example", virus=virus, greylist="false") +
                     "  [domain.spam]\n  enabled = true\n" + rules)
        self.virus = self.start("virus")
        self.spam = self.start("spam")

    def send(self, daemon, content):
        with self.mta(daemon) as mta:
            result = mta.send(SENDER, ["info@acme.example"], content)
        self.assertEqual(result.milter_failed, "")
        return result

    def check_level(self, content, level):
        result = self.send(self.spam, content)
        [status] = result.header("X-Mxfeed-Spam-Status")
        self.assertEqual(status.split()[0], level)

    def check_subject(self, content, subject):
        result = self.send(self.spam, content + spam_test.GTUBE + b"\r\n")
        self.assertEqual(result.header("Subject"), [subject])

    def check_virus(self, content, *right):
        result = self.send(self.virus, content)
        reasons = re.findall(r"virus=(\w+)", self.virus.log_lines("event=end")[-1])
        self.assertIn(reasons[0], right)
        self.assertEqual(result.reply[:3], "550", result.reply)

    def check_command(self, file, right):
        path = self.directory / "mail.eml"
        path.write_bytes(original(file))
        done = subprocess.run(
            [daemons.program("mxfeed"), "virus", "scan", "--state", self.state, "--json", path],
            capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(json.loads(done.stdout)["result"], right, done)

    def check(self, file, right):
        what, _, value = right.partition(" ")
        content = message(file)
        if what == "level":
            self.check_level(content, value)
        elif what == "subject":
            self.check_subject(content, value)
        elif what == "command":
            self.check_command(file, value)
        elif what == "stopped":
            self.check_virus(content, "infected", "unscannable")
        else:
            self.check_virus(content, what)

    def test_each_case_gets_its_answer(self):
        for file, right, issue in cases():
            with self.subTest(file, right=right, issue=issue):
                try:
                    self.check(file, right)
                except self.failureException:
                    if not issue:
                        raise
                    continue
                self.assertEqual(issue, "", "right now: take the issue out of cases.tsv")

    def test_each_file_is_in_the_table(self):
        files = {str(path.relative_to(CASES)) for path in CASES.glob("*/*")}
        self.assertEqual(files, {file for file, _, _ in cases()})


class GreylistCasesTest(daemons.TestCase):
    """Senders that are the same one to a person."""

    def setUp(self):
        super().setUp()
        self.apply(daemons.feed("acme.example",
                                greylist='{ when = "always", delay = "1s" }'))
        self.milter = self.start("greylist")

    def code(self, sender, **client):
        with self.mta(self.milter, **client) as mta:
            result = mta.send(sender, ["info@acme.example"], b"Subject: x\r\n\r\nx\r\n")
        return result.recipients[0].code

    def let_pass(self, sender, **client):
        self.eventually(lambda: self.code(sender, **client) == 250, "the retry passes")

    def test_a_host_that_changes_its_network_is_the_same_sender(self):
        self.let_pass("a@sender.example", address="198.51.100.153", name="mail.sender.example")
        self.assertEqual(self.code("a@sender.example", address="203.0.113.153",
                                   name="mail.sender.example"), 250)

    def test_random_bounce_addresses_of_a_list_are_one_sender(self):
        draw = random.Random(9)
        base62 = string.ascii_letters + string.digits
        for letters, size in ((base62, 12), (base62, 16), (base62, 24),
                              (string.ascii_letters, 16)):
            def sender():
                name = "".join(draw.choices(letters, k=size))  # pylint: disable=cell-var-from-loop
                return f"bounce-{name}@list.example"
            self.let_pass(sender())
            for _ in range(40):
                self.assertEqual(self.code(sender()), 250, f"{size} of {len(letters)} letters")


if __name__ == "__main__":
    daemons.main()
