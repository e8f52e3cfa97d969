# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed-virus as Postfix sees it: verdicts, headers, mixed recipients, no scan service."""

import json
import os
import shutil
import signal
import subprocess
import threading

import daemons
import scan_service
from scan_service import EICAR, NAME, encrypted_zip, file_part, mail, nested_zip, text_part

SENDER = "someone@sender.example"
CLEAN = mail(text_part("Clean"))
INFECTED = mail(text_part(), file_part(EICAR))
ENCRYPTED = mail(text_part(), file_part(encrypted_zip()))
DEEP = mail(text_part(), file_part(nested_zip(30)))

DOMAINS = "\n".join([
    daemons.feed("delete.example"),
    daemons.feed("delete2.example"),
    daemons.feed("reject.example", virus='{ infected = "reject", unscannable = "delete", '
                                         'encrypted = "reject" }'),
    daemons.feed("hold.example", virus='{ infected = "quarantine", '
                                       'unscannable = "quarantine" }'),
])


class VirusTest(scan_service.ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.service(domains=DOMAINS, gateway="[postfix]\ndedicated = true\n")
        self.virus = self.start("virus")

    def send(self, message, *recipients):
        with self.mta(self.virus) as mta:
            return mta.send(SENDER, list(recipients), message)

    def test_clean_mail_gets_a_header_and_nothing_else(self):
        forged = (b"X-Mxfeed-Virus: clean (forged)\r\nx-mxfeed-virus: 2\r\n"
                  b"X-MXFEED-Spam : none\r\nX-Mxfeed-Later:\r\n none\r\n" + CLEAN)
        for recipient in ("a@delete.example", "a@foreign.example"):
            with self.subTest(recipient):
                result = self.send(forged, recipient)
                self.assertTrue(result.accepted, result)
                self.assertEqual(result.header("X-Mxfeed-Virus"), ["clean"])
                self.assertEqual(result.message.lower().count(b"x-mxfeed-"), 1)
                header, _, body = CLEAN.partition(b"\r\n\r\n")
                self.assertEqual(result.message.partition(b"\r\n\r\n")[2], body)
                self.assertIn(header.replace(b"\r\n", b"\n").splitlines()[0],
                              result.message.replace(b"\r\n", b"\n"))

    def test_what_becomes_of_other_mail_is_the_domains_policy(self):
        rejected = ("reject", "550 5.7.1")
        cases = [
            (INFECTED, "delete.example", ("discard", "")),
            (INFECTED, "foreign.example", ("discard", "")),
            (INFECTED, "reject.example", rejected),
            (INFECTED, "hold.example", ("hold", f"infected ({NAME})")),
            (DEEP, "delete.example", rejected),
            (DEEP, "reject.example", ("discard", "")),
            (DEEP, "hold.example", ("hold", "unscannable (MaxRecursion)")),
            (ENCRYPTED, "delete.example", ("accept", "encrypted (Encrypted.Zip)")),
            (ENCRYPTED, "reject.example", rejected),
            (ENCRYPTED, "hold.example", ("accept", "encrypted (Encrypted.Zip)")),
        ]
        for message, domain, (outcome, detail) in cases:
            with self.subTest(domain=domain, outcome=outcome):
                result = self.send(message, f"a@{domain}")
                if outcome == "discard":
                    self.assertTrue(result.discarded, result)
                elif outcome == "reject":
                    self.assertTrue(result.reply.startswith(detail), result)
                    self.assertNotIn("Eicar", result.reply)
                else:
                    self.assertTrue(result.accepted, result)
                    self.assertEqual(result.header("X-Mxfeed-Virus"), [detail])
                    is_held = outcome == "hold"
                    self.assertEqual(result.held, [("virus", domain, detail, f"a@{domain}")]
                                     if is_held else [])
                    self.assertEqual(result.removed, [f"a@{domain}"] if is_held else [])
                    self.assertEqual(result.header("X-Mxfeed-Quarantine"),
                                     ["virus"] if is_held else [])

    def test_what_is_held_for_an_odd_address_is_refused(self):
        for recipient in ('"a b"@hold.example', "@relay.example:a@hold.example",
                          f"{'x' * 512}@hold.example"):
            with self.subTest(recipient[:40]):
                result = self.send(INFECTED, recipient)
                self.assertTrue(result.reply.startswith("550 5.7.1"), result)
                self.assertEqual(result.edits, [])

    def test_recipients_of_a_held_message_share_a_token(self):
        result = self.send(INFECTED, "a@hold.example", "b@hold.example")
        tokens = {edit[1].split(b".")[1] for edit in result.edits if edit[0] == "+"}
        self.assertEqual(len(tokens), 1)
        self.assertEqual([one[3] for one in result.held], ["a@hold.example", "b@hold.example"])
        again = self.send(INFECTED, "a@hold.example")
        self.assertNotIn(tokens.pop(), again.edits[-1][1])

    def test_a_deletion_is_logged_with_domain_and_rule(self):
        self.send(INFECTED, "a@delete.example")
        [line] = self.virus.log_lines("verdict=discard")
        for word in ("reason=virus-infected", "virus=infected", f"name={NAME}",
                     "domain=delete.example", "rule=infected=delete"):
            self.assertIn(word, line)
        self.assertEqual(
            self.virus.metric('mxfeed_virus_messages_total{result="infected"}'), 1)

    def test_recipients_of_another_content_class_are_told_to_come_again(self):
        a, a2, b = "x@delete.example", "x@delete2.example", "x@reject.example"
        foreign, foreign2 = "x@foreign.example", "x@other.example"
        cases = {
            "one class": ([a, a2, a], "yyy"),
            "another class": ([a, b], "yn"),
            "none after a refusal": ([a, b, a2, a], "ynnn"),
            "not ours are a class": ([foreign, foreign2, a], "yyn"),
            "not ours after ours": ([a, foreign], "yn"),
        }
        for name, (recipients, expected) in cases.items():
            with self.subTest(name):
                result = self.send(CLEAN, *recipients)
                got = "".join("y" if reply.accepted else "n" for reply in result.recipients)
                self.assertEqual(got, expected)
                for reply in result.recipients:
                    if not reply.accepted:
                        self.assertTrue(reply.startswith("452 4.5.3"), reply)
                self.assertTrue(result.accepted)
        self.assertEqual(self.virus.metric("mxfeed_virus_mixed_recipients_total"), 6)

    def test_the_next_transaction_of_a_connection_begins_anew(self):
        with self.mta(self.virus) as mta:
            first = mta.send(SENDER, ["x@delete.example", "x@reject.example"], INFECTED)
            self.assertTrue(first.discarded)
            second = mta.send(SENDER, ["x@reject.example"], INFECTED)
            self.assertTrue(second.reply.startswith("550 5.7.1"), second)
            third = mta.send(SENDER, ["x@reject.example"], CLEAN)
            self.assertEqual(third.header("X-Mxfeed-Virus"), ["clean"])

    def test_without_the_scan_service_mail_is_deferred_until_it_is_back(self):
        with self.mta(self.virus) as mta:
            self.scan.stop()
            result = mta.send(SENDER, ["x@delete.example"], CLEAN)
            self.assertTrue(result.reply.startswith("451 4.3.0"), result)
            self.assertTrue(self.virus.log_lines("virus-fault"))
            self.scan.start()
            result = mta.send(SENDER, ["x@delete.example"], CLEAN)
            self.assertEqual(result.header("X-Mxfeed-Virus"), ["clean"])
        self.assertEqual(self.virus.metric("mxfeed_virus_faults_total"), 1)

    def test_a_scan_that_found_trouble_defers(self):
        scratch = self.scan.status()["tmpdir"]
        self.workers()
        shutil.rmtree(scratch)
        with open(scratch, "w", encoding="ascii"):
            pass
        try:
            result = self.send(CLEAN, "x@delete.example")
        finally:
            os.unlink(scratch)
        self.assertTrue(result.reply.startswith("451 4.3.0"), result)
        self.assertEqual(result.header("X-Mxfeed-Virus"), [])

    def test_the_status_command_shows_both(self):
        command = [daemons.program("mxfeed"), "virus", "status", "--state", self.state]
        run = subprocess.run
        both = run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(both.returncode, 0, both)
        self.assertIn("program: mxfeed-scan", both.stdout)
        self.assertIn("program: mxfeed-virus", both.stdout)
        self.scan.stop()
        one = run([*command, "--json"], capture_output=True, text=True, timeout=60,
                  check=False)
        self.assertEqual(one.returncode, 6, one)
        parts = {part["program"]: part for part in json.loads(one.stdout)}
        self.assertEqual(parts["mxfeed-virus"]["pid"], self.virus.pid)
        self.assertEqual(parts["mxfeed-scan"]["state"], "down")
        self.assertIn("No such file or directory", parts["mxfeed-scan"]["last_fault"])


class LostWorkerTest(scan_service.ServiceTestCase):
    """Workers that die with a message, as mxfeed-virus sees it."""

    def setUp(self):
        super().setUp()
        self.service(domains=DOMAINS, gateway="[postfix]\ndedicated = true\n",
                     max_scan_time='"100s"')
        self.virus = self.start("virus")
        self.slow = scan_service.slow_mail()

    def send(self, message=None, kills=0):
        """Kills that many workers, each as soon as it scans."""
        def kill():
            for _ in range(kills):
                dead = self.scanning()
                os.kill(dead, signal.SIGKILL)
                self.eventually(lambda pid=dead: not scan_service.is_alive(pid), "its end")
        killer = threading.Thread(target=kill)
        killer.start()
        try:
            with self.mta(self.virus) as mta:
                return mta.send(SENDER, ["x@delete.example"], message or self.slow)
        finally:
            killer.join()

    def metrics(self):
        return tuple(int(self.virus.metric(f"mxfeed_virus_{name}_total")) for name in
                     ("workers_lost", "faults", "deadly_messages"))

    def test_a_message_is_tried_once_more(self):
        result = self.send(kills=1)
        self.assertTrue(result.accepted, result)
        self.assertEqual(result.header("X-Mxfeed-Virus"), ["clean"])
        self.assertEqual(self.metrics(), (1, 0, 0))
        self.assertEqual(len(self.virus.log_lines("virus=clean", "workers_lost=1")), 1)

    def test_a_message_that_was_scanned_in_the_end_is_forgiven(self):
        for count in range(1, 4):
            result = self.send(kills=1)
            self.assertTrue(result.accepted, result)
            self.assertEqual(self.metrics(), (count, 0, 0))

    def test_a_message_that_kills_workers_again_and_again_is_unscannable(self):
        first = self.send(kills=2)
        self.assertTrue(first.reply.startswith("451 4.3.0"), first)
        self.assertEqual(self.metrics(), (2, 1, 0))
        # The third death ends it: no fourth worker is tried.
        second = self.send(kills=1)
        self.assertTrue(second.reply.startswith("550 5.7.1"), second)
        self.assertEqual(self.metrics(), (3, 1, 1))
        third = self.send()
        self.assertTrue(third.reply.startswith("550 5.7.1"), third)
        self.assertEqual(self.metrics(), (3, 1, 2))
        self.assertEqual(len(self.virus.log_lines("virus=unscannable", "name=Worker.Died")), 2)
        self.assertEqual(int(self.scan.status()["worker_deaths"]), 3)
        # Others are scanned.
        self.assertTrue(self.send(CLEAN).accepted)


if __name__ == "__main__":
    daemons.main()
