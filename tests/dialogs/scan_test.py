# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed-scan finds what it should, and when it cannot look, it never says "clean"."""

import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

import daemons
from scan_service import (EICAR, NAME, ServiceTestCase, children, encrypted_zip, file_part,
                          is_alive, mail, nested_zip, slow_mail, text_part, uuencoded, zipped)


class FindTest(ServiceTestCase):
    """What is found in mail."""

    def test_eicar_is_found_however_it_is_packed(self):
        self.service()
        inner = mail(file_part(EICAR)).replace(b"=b\r\n", b"=c\r\n").replace(b"--b", b"--c")
        cases = {
            "attachment": mail(text_part(), file_part(EICAR)),
            "zip": mail(text_part(), file_part(zipped(EICAR))),
            "zip in zip": mail(file_part(zipped(zipped(EICAR)))),
            "no final boundary": mail(file_part(EICAR))[:-7],
            "uuencoded": b"From: a@b.example\r\n\r\nhi\r\n\r\n" + uuencoded(EICAR),
            "forwarded": mail(b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner),
            "8bit": mail(b"--b\r\nContent-Type: application/octet-stream\r\n\r\n" + EICAR +
                         b"\r\n"),
            "after an encrypted archive": mail(file_part(encrypted_zip()), file_part(EICAR)),
            "after a hundred encrypted archives": mail(
                *[file_part(encrypted_zip(b"%d" % i)) for i in range(110)], file_part(EICAR)),
            "after too deep an archive": mail(file_part(nested_zip(30)), file_part(EICAR)),
        }
        for name, message in cases.items():
            with self.subTest(name):
                self.assertEqual(self.check(message), ("infected", NAME))

    def test_a_content_of_the_same_md5_as_a_clean_one_is_looked_into(self):
        # X. Wang et al., "Collisions for Hash Functions", 2004.
        clean = bytes.fromhex(
            "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89"
            "55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
            "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
            "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70")
        other = bytearray(clean)
        for at in (19, 45, 59, 83, 109, 123):
            other[at] ^= 0x80
        self.assertEqual(hashlib.md5(clean).digest(), hashlib.md5(other).digest())
        (self.database / "twin.ndb").write_text(f"Test.Twin:0:*:{other[16:48].hex()}\n")
        self.service(workers=1)
        for _ in range(2):
            self.assertEqual(self.check(mail(file_part(clean))), ("clean", ""))
        self.assertEqual(self.check(mail(text_part(), file_part(bytes(other)))),
                         ("infected", "Test.Twin.UNOFFICIAL"))

    def test_a_file_that_calls_itself_text_is_scanned_with_its_line_ends(self):
        # libclamav scans text with LF; what a mail program saves has CR LF.
        program = b"MZ a program\r\n" + b"with lines\r\n" * 20
        (self.database / "program.hsb").write_text(
            f"{hashlib.sha256(program).hexdigest()}:{len(program)}:Test.Program\n")
        self.service()
        quoted = program.replace(b"=", b"=3D").replace(b"\r\n", b"=0D=0A=\r\n")
        cases = {
            "attachment": b'Content-Type: text/plain; name="x.exe"\r\n'
                          b'Content-Disposition: attachment; filename="x.exe"\r\n',
            "a name alone": b'Content-Type: text/html; name="x.hta"\r\n',
            "no name": b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n",
            "no text": b"Content-Type: application/octet-stream\r\n",
        }
        for name, fields in cases.items():
            part = (b"--b\r\n" + fields +
                    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + quoted + b"\r\n")
            with self.subTest(name):
                self.assertEqual(self.check(mail(text_part(), part)),
                                 ("infected", "Test.Program.UNOFFICIAL"))

    def test_a_large_page_is_looked_into(self):
        # libclamav's own default is to skip HTML of more than 40 MB.
        marker = b"a marker that a signature knows"
        (self.database / "page.ndb").write_text(f"Test.Page:0:*:{marker.hex()}\n")
        self.service()
        page = b"<html><body>" + b"a " * (22 << 20) + marker + b"</body></html>"
        self.assertEqual(self.check(mail(file_part(zipped(page, "a.html")))),
                         ("infected", "Test.Page.UNOFFICIAL"))

    def test_clean_mail_is_clean(self):
        self.service()
        for message in (mail(text_part()), b"x", b"\0" * 1000, b"From: a@b\r\n\r\n",
                        mail(text_part(), file_part(zipped(b"harmless")))):
            self.assertEqual(self.check(message), ("clean", ""))
        self.assertEqual(self.scan.metric('mxfeed_scan_results_total{result="clean"}'), 5)

    def test_what_could_not_be_looked_into_is_not_clean(self):
        self.service(max_file_size='"1M"')
        partial = b"Content-Type: message/partial; id=x; number=1\r\n\r\nSubject: x\r\n\r\nx\r\n"
        cases = {
            "deep": (mail(file_part(nested_zip(30))), ("unscannable", "MaxRecursion")),
            "large": (mail(text_part("x" * (2 << 20))), ("unscannable", "MaxFileSize")),
            "large inside": (mail(file_part(zipped(b"\0" * (2 << 20)))),
                             ("unscannable", "MaxFileSize")),
            "partial": (partial, ("unscannable", "message/partial")),
            "encrypted": (mail(file_part(encrypted_zip())), ("encrypted", "Encrypted.Zip")),
            "encrypted and deep": (mail(file_part(encrypted_zip()), file_part(nested_zip(30))),
                                   ("unscannable", "MaxRecursion")),
        }
        for name, (message, expected) in cases.items():
            with self.subTest(name):
                self.assertEqual(self.check(message), expected)

    def test_an_archive_that_nothing_can_unpack_counts_as_encrypted(self):
        self.service()
        archive = b"Rar!\x1a\x07\x00" + os.urandom(500)
        cases = {
            "an archive": archive,
            "of the newer kind": b"Rar!\x1a\x07\x01\x00" + os.urandom(500),
            "behind a program": pathlib.Path("/bin/true").read_bytes() + archive,
            "behind rubbish": os.urandom(5000) + archive,
            "in a zip": zipped(archive),
        }
        if self.scan.status()["rar"] == "yes":
            self.skipTest("there is a library for RAR archives")
        for name, content in cases.items():
            with self.subTest(name):
                self.assertEqual(self.check(mail(file_part(content))),
                                 ("encrypted", "Unreadable.RAR"))

    def test_the_command_says_what_was_found(self):
        self.service()
        cases = {"clean": (mail(text_part()), 0, "clean", None),
                 "infected": (mail(file_part(EICAR)), 1, "infected", NAME),
                 # First bytes that would make a program of the mail.
                 "disguised": (b"MZ: 1\r\n" + mail(file_part(EICAR)), 1, "infected", NAME)}
        for name, (message, status, result, found) in cases.items():
            with self.subTest(name):
                file = self.directory / "mail"
                file.write_bytes(message)
                done = subprocess.run(
                    [daemons.program("mxfeed"), "virus", "scan", "--state", self.state, "--json",
                     file], capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, status, done.stderr)
                answer = json.loads(done.stdout)
                self.assertEqual((answer["result"], answer["name"], answer["signatures"]),
                                 (result, found, 1))

    def scan_command(self, operand):
        return subprocess.run(
            [daemons.program("mxfeed"), "virus", "scan", "--state", self.state, operand],
            capture_output=True, text=True, timeout=60, check=False)

    def test_the_command_reads_a_file_as_postfix_hands_it_over(self):
        self.service()
        message = mail(text_part(), file_part(EICAR)).replace(b"--b", b"--_").replace(
            b"boundary=b", b"boundary=_")
        begin = base64.b64encode(EICAR)[:20]
        for name, given in {
                "LF": message.replace(b"\r\n", b"\n"),
                "a mailbox": b"From a@b Thu Jan  1 00:00:00 1970\n" + message,
                # A delimiter between two of them: Postfix makes them blanks.
                "bare CR": message.replace(begin, begin + b"\r--_\r")}.items():
            with self.subTest(name):
                file = self.directory / "mail"
                file.write_bytes(given)
                done = self.scan_command(file)
                self.assertEqual((done.returncode, done.stdout), (1, f"{file}: infected {NAME}\n"))

    def test_without_a_service_the_command_says_try_later(self):
        file = self.directory / "mail"
        file.write_bytes(b"x: y\r\n\r\n")
        done = self.scan_command(file)
        self.assertEqual((done.returncode, done.stderr), (1, "mxfeed-scan is not installed\n"))
        (self.state / "scan").mkdir()
        done = self.scan_command(file)
        self.assertEqual((done.returncode, done.stdout), (75, ""))
        self.assertIn("scan.sock: No such file or directory", done.stderr)

    def test_a_file_that_cannot_be_read_is_not_try_later(self):
        for name, cause in ("none", "No such file or directory"), (".", "Is a directory"):
            with self.subTest(name):
                done = self.scan_command(self.directory / name)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f"{self.directory / name}: {cause}", done.stderr)


class LogicalTest(ServiceTestCase):
    """Logical signatures, whose numbers libclamav reads with our sscanf()."""

    # An expression, and what it finds and does not find: which words, and how often.
    ROWS = [
        ("0&1", ["ab"], ["a", "b"]),
        ("0|1", ["a", "b", "ab"], [""]),
        ("0=3", ["aaa"], ["aa", "aaaa"]),
        ("0>2", ["aaa", "aaaa"], ["aa"]),
        ("0<3&1", ["ab", "aab"], ["aaab", "aa"]),
        ("0=0&1", ["b", "bb"], ["ab"]),
        ("(0|1)>4,2", ["aaabb", "aaaab"], ["aaaaa", "aabb"]),
        ("(0|1)=4,2", ["aabb", "aaab"], ["aaaa", "ab"]),
        ("((0|1)>1,1&2)|(0=5)", ["aac", "abc", "aaaaa"], ["ac", "aaaa"]),
        ("(10&11)|(0=12)", ["kl", "abckl", "a" * 12], ["k", "l", "a" * 11]),
    ]

    def test_they_are_evaluated(self):
        lines = []
        for row, (expression, _, _) in enumerate(self.ROWS):
            count = 1 + max(int(number) for number in
                            re.findall(r"(?<![=<>,\d])\d+", expression))
            words = ";".join(self.word(row, i).hex() for i in range(count))
            lines.append(f"Test.{row};Engine:81-255,Target:0;{expression};{words}\n")
        (self.database / "logical.ldb").write_text("".join(lines))
        self.service()
        for row, (expression, found, not_found) in enumerate(self.ROWS):
            for words, expected in ([(words, ("infected", f"Test.{row}.UNOFFICIAL"))
                                     for words in found] +
                                    [(words, ("clean", "")) for words in not_found]):
                with self.subTest(expression=expression, words=words):
                    text = b"\r\n".join([b"text", *(self.word(row, ord(one) - ord("a"))
                                                    for one in words)])
                    self.assertEqual(self.check(mail(file_part(text))), expected)

    @staticmethod
    def word(row, number):
        return f"needle-{row:02d}-{number:02d}.".encode()

    def test_the_program_alone_has_a_sscanf_of_its_own(self):
        def defines(program):
            symbols = subprocess.run(["nm", "-D", "--defined-only", daemons.program(program)],
                                     capture_output=True, text=True, check=True).stdout
            return any(line.split()[-1] == "sscanf" for line in symbols.splitlines())
        self.assertTrue(defines("mxfeed-scan"))
        for other in ("mxfeed", "mxfeed-virus", "mxfeed-spam"):
            self.assertFalse(defines(other))


class DatabaseTest(ServiceTestCase):
    """Signatures that change, and bad ones."""

    def test_new_signatures_take_effect_by_themselves(self):
        self.service()
        (self.database / "more.ndb").write_text("Extra:0:*:" + b"a needle".hex() + "\n")
        self.eventually(lambda: self.scan.status()["signatures"] == "2", "reload")
        # Workers of the zygote before may still take a request.
        self.eventually(lambda: self.check(mail(file_part(b"there is a needle here"))) ==
                        ("infected", "Extra.UNOFFICIAL"), "the new signature is found")

    def test_a_bad_database_leaves_the_old_engine_in_force(self):
        self.make_database(20)
        self.service()
        cases = {
            "damaged": "0123:rubbish\n",
            "empty": "",
            "shrunk": "".join((self.database / "test.hdb").read_text().splitlines(True)[:5]),
        }
        good = (self.database / "test.hdb").read_text()
        for count, (name, content) in enumerate(cases.items(), 1):
            with self.subTest(name):
                (self.database / "test.hdb").write_text(content)
                self.scan.ask("reload")
                self.eventually(lambda: int(self.scan.status()["failed_loads"]) >= count, name)
                self.eventually(lambda: self.scan.status()["state"] == "running", "the end")
                status = self.scan.status()
                self.assertEqual((status["signatures"], status["loads"]), ("21", "1"))
                self.assertIn("load", status["last_fault"])
                self.assertEqual(self.check(mail(file_part(EICAR))), ("infected", NAME))
        (self.database / "test.hdb").write_text(good)
        self.scan.ask("reload")
        self.eventually(lambda: self.scan.status().get("last_fault") is None, "recovery")

    def test_in_place_the_old_engine_ends_before_the_next_one_loads(self):
        self.service(reload_in_place="true", workers=1, max_scan_time='"100s"')
        before = self.zygote()
        slow = self.ask(slow_mail())
        self.scanning()
        self.make_database(1)
        self.scan.ask("reload")
        self.eventually(lambda: self.scan.status()["state"] == "no_engine", "no engine")
        self.assertEqual(children(self.scan.pid), [before])
        waiting = self.ask(mail(file_part(EICAR)))
        self.assertEqual(slow.result()[0], "clean")
        self.assertEqual(waiting.result(), ("infected", NAME))
        # A worker may answer before the supervisor has heard that its engine is ready.
        self.eventually(lambda: self.scan.status()["signatures"] == "2", "it is in force")
        status = self.scan.status()
        self.assertEqual((status["engines_lost"], status["zygote_deaths"]), ("0", "0"))
        self.assertGreater(int(status["load_memory_mib"]), 0)

    def test_in_place_requests_wait_until_the_signatures_can_be_loaded(self):
        self.service(reload_in_place="true")
        good = (self.database / "test.hdb").read_text()
        (self.database / "test.hdb").write_text("0123:rubbish\n")
        self.scan.ask("reload")
        self.eventually(lambda: int(self.scan.status()["failed_loads"]) > 0, "a failed load")
        waiting = self.ask(mail(file_part(EICAR)))
        (self.database / "test.hdb").write_text(good)
        self.assertEqual(waiting.result(), ("infected", NAME))

    def test_without_signatures_requests_wait_until_there_are_some(self):
        (self.database / "test.hdb").unlink()
        self.service(wait=False)
        self.eventually(lambda: (self.state / "scan" / "status.sock").exists(), "start")
        self.eventually(lambda: self.scan.status()["state"] == "no_engine", "no engine")
        waiting = self.ask(mail(file_part(EICAR)))
        self.assertEqual(self.scan.status()["signatures"], "0")
        self.make_database()
        self.assertEqual(waiting.result(), ("infected", NAME))

    def test_new_settings_take_effect_with_a_new_zygote(self):
        self.service()
        zygote = self.zygote()
        large = mail(text_part("x" * (2 << 20)))
        self.assertEqual(self.check(large)[0], "clean")
        self.configure(max_file_size='"1M"', workers=1)
        self.scan.ask("reload")
        self.eventually(lambda: self.scan.status()["generation"] == "2", "the policy")
        self.assertEqual(self.check(large), ("unscannable", "MaxFileSize"))
        self.eventually(lambda: not is_alive(zygote), "the old zygote's end")
        self.assertEqual(len(self.workers(1)), 1)

    def test_a_policy_with_the_same_settings_loads_nothing(self):
        self.service()
        zygote = self.zygote()
        self.configure(daemons.feed("other.example"))
        self.scan.ask("reload")
        self.eventually(lambda: self.scan.status()["generation"] == "2", "the policy")
        self.assertEqual(self.zygote(), zygote)

    def test_reloads_under_load_lose_no_request(self):
        self.service()
        stop = threading.Event()
        results = []

        def client(number):
            infected = number % 2 == 1
            while not stop.is_set():
                content = EICAR if infected else os.urandom(15).hex().encode()
                with_id = text_part(f"{number} {len(results)}")
                results.append((infected, self.check(mail(with_id, file_part(content)))))

        threads = [threading.Thread(target=client, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        try:
            for i in range(5):
                self.make_database(i + 1)
                self.scan.ask("reload")
                self.eventually(lambda: self.scan.status()["signatures"] == str(i + 2),
                                "reload")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertGreater(len(results), 20)
        for infected, result in results:
            self.assertEqual(result, ("infected", NAME) if infected else ("clean", ""))
        self.assertEqual(self.scan.status()["worker_deaths"], "0")


class ScratchTest(ServiceTestCase):
    """Temporary space: libclamav says "clean" when it has none."""

    def setUp(self):
        super().setUp()
        self.tmpdir = self.directory / "tmp"
        self.infected = mail(file_part(zipped(EICAR)))

    def test_without_temporary_space_nothing_is_clean(self):
        self.service(arguments=["--tmpdir", str(self.tmpdir)])
        self.assertEqual(self.check(self.infected), ("infected", NAME))
        self.workers()
        own = pathlib.Path(self.scan.status()["tmpdir"])
        self.assertEqual(own.parent, self.tmpdir)
        shutil.rmtree(own)
        own.write_text("in the way")
        for message in (mail(text_part()), self.infected):
            verdict, name = self.check(message)
            self.assertEqual(verdict, "error")
            self.assertIn("temporary directory", name)
        self.assertGreaterEqual(self.scan.metric("mxfeed_scan_tmpdir_faults_total"), 2)
        own.unlink()
        self.eventually(lambda: self.check(mail(text_part())) == ("clean", ""), "recovery")
        self.eventually(lambda: self.check(self.infected) == ("infected", NAME), "recovery")

    def service_with_room(self, size, inodes=0):
        self.tmpdir.mkdir()
        script = f'mount -t tmpfs -o size={size},nr_inodes={inodes} tmpfs {self.tmpdir} && exec "$@"'
        wrapper = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
        probe = subprocess.run([*wrapper, "true"], capture_output=True, check=False)
        if probe.returncode != 0:
            self.skipTest("no user namespaces: " + probe.stderr.decode().strip())
        return self.service(arguments=["--tmpdir", str(self.tmpdir)], wrapper=wrapper)

    def test_with_too_little_room_nothing_is_scanned(self):
        # Room to start, not for a message of that size.
        self.service_with_room("30m")
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        verdict, name = self.check(mail(text_part("x" * (6 << 20))))
        self.assertEqual(verdict, "error")
        self.assertIn("not enough free space", name)

    def test_with_too_few_inodes_nothing_is_scanned(self):
        self.service_with_room("200m", 2000)
        self.assertEqual(self.check(self.infected), ("infected", NAME))
        # As the service sees it, which has mounted it for itself.
        inside = pathlib.Path(f"/proc/{self.scan.pid}/root/{self.tmpdir}")
        for number in range(1200):
            (inside / f"{number}").touch()
        for message in (mail(text_part()), self.infected):
            verdict, name = self.check(message)
            self.assertEqual(verdict, "error")
            self.assertIn("not enough free space", name)
        self.assertEqual(self.scan.metric("mxfeed_scan_tmpdir_faults_total"), 2)
        for number in range(1200):
            (inside / f"{number}").unlink()
        self.assertEqual(self.check(self.infected), ("infected", NAME))

    def test_room_that_runs_out_during_a_scan_makes_it_fail(self):
        self.service_with_room("40m")
        message = mail(file_part(zipped(b"\0" * (50 << 20), count=2)))
        self.assertNotEqual(self.check(message)[0], "clean")
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))


if __name__ == "__main__":
    daemons.main()
