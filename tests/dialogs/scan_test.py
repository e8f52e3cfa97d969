# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed-scan finds what it should, and when it cannot look, it never says "clean"."""

import array
import base64
import binascii
import fcntl
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest
import zipfile

import daemons

EICAR = (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-"
         b"ANTIVIRUS-TEST-FILE!$H+H*")
NAME = "Eicar-Test-Signature.UNOFFICIAL"
VERDICTS = ["clean", "infected", "unscannable", "encrypted", "error"]
REQUEST_MARK, RESULT_MARK = b"MXSQ", b"MXSR"


def field(tag, value):
    return struct.pack("<BH", tag, len(value)) + value


def request(size):
    """The datagram that asks about a message of that size."""
    return REQUEST_MARK + field(1, struct.pack("<Q", size))


def parse_result(answer):
    """(verdict, name) of a result."""
    assert answer.startswith(RESULT_MARK), answer
    fields, rest = {}, answer[len(RESULT_MARK):]
    while rest:
        tag, length = struct.unpack("<BH", rest[:3])
        fields[tag], rest = rest[3:3 + length], rest[3 + length:]
    return VERDICTS[fields[1][0]], fields[2].decode("latin-1")


def text_part(text="Hello"):
    return f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n".encode()


def file_part(content, name="a.bin"):
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return (f"--b\r\nContent-Type: application/octet-stream; name={name}\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n").encode() + encoded


def mail(*parts, header=b""):
    return (b"From: a@sender.example\r\nSubject: test\r\nMIME-Version: 1.0\r\n" + header +
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(parts) +
            b"--b--\r\n")


def zipped(content, name="a.txt", count=1):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(count):
            archive.writestr(f"{i}{name}", content)
    return buffer.getvalue()


def encrypted_zip(content=b"secret"):
    """As a program sees it that has no password: the flag is set, the content rubbish."""
    data = bytearray(zipped(os.urandom(12) + content))
    data[6] |= 1
    data[data.find(b"PK\1\2") + 8] |= 1
    return bytes(data)


def nested_zip(depth, content=b"x"):
    for _ in range(depth):
        content = zipped(content, "n.zip")
    return content


def uuencoded(content):
    lines = [binascii.b2a_uu(content[i:i + 45]) for i in range(0, len(content), 45)]
    return (b"begin 644 e.com\n" + b"".join(lines) + b"`\nend\n").replace(b"\n", b"\r\n")


def cr_mail():
    """Where a CR ends a line, a boundary divides the attachment.  It has no character of
    base64 in it."""
    encoded = base64.b64encode(EICAR)[:20]
    message = mail(text_part(), file_part(EICAR))
    message = message.replace(b"=b\r\n", b'="_._"\r\n').replace(b"--b", b"--_._")
    return message.replace(encoded, encoded + b"\r--_._\r")


CR_MAIL = cr_mail()
SLOW_ZIP = None


def slow_mail():
    """Takes the engine a second or so."""
    global SLOW_ZIP  # pylint: disable=global-statement
    if SLOW_ZIP is None:
        SLOW_ZIP = zipped(b"\0" * (60 << 20), count=6)
    return mail(file_part(SLOW_ZIP), file_part(os.urandom(16)))


class Asked:
    """A request under way; a sealed memfd, and the connection it was sent on."""

    def __init__(self, path, message, timeout=60.0, send=True):
        self.memfd = os.memfd_create("message", os.MFD_ALLOW_SEALING)
        os.write(self.memfd, message)
        fcntl.fcntl(self.memfd, fcntl.F_ADD_SEALS,
                    fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.size = len(message)
        if send:
            self.send()

    def send(self):
        socket.send_fds(self.socket, [request(self.size)], [self.memfd])

    def result(self):
        """(verdict, name); ("none", "") if the connection ended without an answer."""
        try:
            answer = self.socket.recv(4096)
        except ConnectionError:
            answer = b""
        finally:
            self.close()
        if not answer:
            return "none", ""
        return parse_result(answer)

    def close(self):
        if self.memfd >= 0:
            self.socket.close()
            os.close(self.memfd)
            self.memfd = -1


def children(pid):
    """The children of a process, whatever thread of it made them."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] not in "ZX":
            found.append(int(stat.parent.name))
    return sorted(found)


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


class ServiceTestCase(daemons.TestCase):
    """With a signature database of its own."""

    def setUp(self):
        super().setUp()
        self.database = self.directory / "db"
        self.make_database()

    def make_database(self, count=0):
        subprocess.run([daemons.SOURCE / "tests/support/test-database", self.database,
                        str(count)], check=True)

    def configure(self, domains="", **virus):
        settings = {"database": f'"{self.database}"', "workers": 2, **virus}
        lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
        self.apply(domains or daemons.feed("acme.example"), f"\n[virus]\n{lines}")

    def service(self, wait=True, domains="", arguments=(), wrapper=(), **virus):
        self.configure(domains, **virus)
        # Closed after the daemon has ended, whether the test got so far or not.
        self.scan = self.daemon("scan", milter=False, arguments=arguments, wrapper=wrapper)
        self.scan.start(wait)
        return self.scan

    @property
    def path(self):
        return str(self.state / "scan" / "scan.sock")

    def ask(self, message):
        asked = Asked(self.path, message)
        self.addCleanup(asked.close)
        return asked

    def check(self, message):
        return self.ask(message).result()

    def zygote(self):
        return self.eventually(lambda: children(self.scan.pid), "a zygote")[0]

    def workers(self, count=2):
        def all_there():
            found = children(self.zygote())
            return found if len(found) == count else None
        return self.eventually(all_there, "all workers")

    def scanning(self):
        """The pid of a worker that is in a scan, known by what it unpacks."""
        scratch = pathlib.Path(self.scan.status()["tmpdir"])

        def busy():
            for worker in children(self.zygote()):
                directory = scratch / str(worker)
                if any(entry.name != "probe" for entry in directory.glob("*")):
                    return worker
            return None
        return self.eventually(busy, "a scan")


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
                 "disguised": (b"MZ: 1\r\n" + mail(file_part(EICAR)), 1, "infected", NAME),
                 # Postfix makes a blank of a CR inside a line: no boundary there.
                 "CR": (CR_MAIL, 1, "infected", NAME)}
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


class DatabaseTest(ServiceTestCase):
    """Signatures that change, and bad ones."""

    def test_new_signatures_take_effect_by_themselves(self):
        self.service()
        (self.database / "more.ndb").write_text("Extra:0:*:" + b"a needle".hex() + "\n")
        self.eventually(lambda: self.scan.status()["signatures"] == "2", "reload")
        self.assertEqual(self.check(mail(file_part(b"there is a needle here"))),
                         ("infected", "Extra.UNOFFICIAL"))

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
                content = EICAR if infected else os.urandom(30)
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


class KillTest(ServiceTestCase):
    """Processes that are killed while they scan."""

    def setUp(self):
        super().setUp()
        self.clean = mail(text_part("after the kill"))

    def test_the_zygote_forks_from_a_single_thread(self):
        self.service()
        status = pathlib.Path(f"/proc/{self.zygote()}/status").read_text()
        self.assertIn("Threads:\t1\n", status)

    def test_a_killed_worker_answers_nothing_and_is_replaced(self):
        self.service()
        slow = self.ask(slow_mail())
        worker = self.scanning()
        os.kill(worker, signal.SIGKILL)
        self.assertEqual(slow.result(), ("none", ""))
        self.assertEqual(self.check(self.clean), ("clean", ""))
        self.eventually(lambda: self.scan.status()["worker_deaths"] == "1", "the count")
        self.eventually(lambda: worker not in self.workers(), "the dead one is replaced")
        self.assertEqual(len(self.scan.log_lines("worker-died", "signal=KILL")), 1)
        scratch = pathlib.Path(self.scan.status()["tmpdir"])
        self.assertFalse((scratch / str(worker)).exists())

    def test_requests_wait_while_all_workers_are_replaced(self):
        self.service()
        for worker in self.workers():
            os.kill(worker, signal.SIGSTOP)
        waiting = [self.ask(self.clean) for _ in range(5)]
        for worker in self.workers():
            os.kill(worker, signal.SIGKILL)
        self.assertEqual([asked.result() for asked in waiting], [("clean", "")] * 5)

    def test_a_worker_that_hangs_is_ended(self):
        self.service(max_scan_time='"1s"')
        slow = self.ask(slow_mail())
        worker = self.scanning()
        os.kill(worker, signal.SIGSTOP)

        def alarm_is_pending():
            for line in pathlib.Path(f"/proc/{worker}/status").read_text().splitlines():
                if line.startswith("ShdPnd:"):
                    return int(line.split()[1], 16) & 1 << signal.SIGALRM - 1
            return False
        self.eventually(alarm_is_pending, "the alarm")
        os.kill(worker, signal.SIGCONT)
        self.assertEqual(slow.result(), ("none", ""))
        self.eventually(lambda: self.scan.log_lines("worker-died", "signal=ALRM"), "the log")
        self.assertEqual(self.check(self.clean), ("clean", ""))

    def test_a_killed_zygote_is_replaced_and_scans_end(self):
        self.service()
        zygote = self.zygote()
        slow = self.ask(slow_mail())
        self.scanning()
        os.kill(zygote, signal.SIGKILL)
        waiting = self.ask(self.clean)
        self.assertEqual(waiting.result(), ("clean", ""))
        self.assertIn(slow.result()[0], ("clean", "unscannable"))
        self.eventually(lambda: self.scan.status()["zygote_deaths"] == "1", "the count")
        self.eventually(lambda: self.scan.status()["state"] == "running", "a new engine")
        self.assertNotEqual(self.zygote(), zygote)

    def test_a_killed_supervisor_leaves_no_process(self):
        self.service()
        zygote = self.zygote()
        workers = self.workers()
        slow = self.ask(slow_mail())
        self.scanning()
        self.scan.kill()
        self.assertIn(slow.result()[0], ("clean", "unscannable"))
        self.eventually(lambda: not any(is_alive(pid) for pid in [zygote, *workers]),
                        "the end of all")
        self.scan.start()
        self.assertEqual(self.check(self.clean), ("clean", ""))

    def test_stopping_answers_what_was_asked(self):
        self.service(workers=1)
        slow = self.ask(slow_mail())
        self.scanning()
        waiting = self.ask(self.clean)
        self.scan.signal(signal.SIGTERM)
        self.eventually(lambda: not os.path.exists(self.path), "no new requests")
        self.assertIn(slow.result()[0], ("clean", "unscannable"))
        self.assertEqual(waiting.result(), ("clean", ""))
        self.scan.wait(0)

    def test_only_one_service_runs_for_a_state_directory(self):
        self.service()
        second = daemons.Daemon("scan", self.state, self.directory, milter=False)
        second.log_file = self.directory / "second.log"
        with self.assertRaises(AssertionError) as raised:
            second.start()
        self.assertIn("status 1", str(raised.exception))
        self.assertIn("another mxfeed-scan", second.log())
        self.assertEqual(self.check(self.clean), ("clean", ""))


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

    def service_with_room(self, size):
        self.tmpdir.mkdir()
        script = f'mount -t tmpfs -o size={size} tmpfs {self.tmpdir} && exec "$@"'
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
        self.assertIn("no room", name)

    def test_room_that_runs_out_during_a_scan_makes_it_fail(self):
        self.service_with_room("40m")
        message = mail(file_part(zipped(b"\0" * (50 << 20), count=2)))
        self.assertNotEqual(self.check(message)[0], "clean")
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))


class ProtocolTest(ServiceTestCase):
    """Clients that do not keep to the protocol."""

    def raw(self, datagram, descriptors=()):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(30)
            client.connect(self.path)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
            client.sendmsg([datagram], rights if descriptors else [])
            try:
                return client.recv(4096)
            except ConnectionError:
                return b""

    def test_rubbish_gets_no_verdict(self):
        self.service()
        head = request(5)
        sealed = os.memfd_create("m", os.MFD_ALLOW_SEALING)
        self.addCleanup(os.close, sealed)
        os.write(sealed, b"a: b\n")
        open_file = os.memfd_create("m", os.MFD_ALLOW_SEALING)
        self.addCleanup(os.close, open_file)
        os.write(open_file, b"a: b\n")
        fcntl.fcntl(sealed, fcntl.F_ADD_SEALS,
                    fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        silent = {
            "rubbish": (os.urandom(100), [sealed]),
            "empty": (b"", [sealed]),
            "too long": (head + b"x" * 2000, [sealed]),
            "another program": (b"MXSX" + head[4:], [sealed]),
            "no message": (head, []),
            "two messages": (head, [sealed, sealed]),
            "many": (head, [sealed] * 200),
            "more than may be": (request(1 << 40), [sealed]),
        }
        for name, (datagram, descriptors) in silent.items():
            with self.subTest(name):
                self.assertEqual(self.raw(datagram, descriptors), b"")
        refused = {
            "not sealed": (head, [open_file]),
            "another size": (request(6), [sealed]),
            "nothing": (request(0), [sealed]),
            "a pipe": (head, [os.pipe()[0]]),
        }
        for name, (datagram, descriptors) in refused.items():
            with self.subTest(name):
                answer = self.raw(datagram, descriptors)
                self.assertEqual(parse_result(answer)[0], "error")
        self.assertEqual(parse_result(self.raw(head, [sealed]))[0], "clean")
        self.assertEqual(self.scan.metric("mxfeed_scan_bad_requests_total"), len(silent))
        self.assertEqual(self.scan.status()["worker_deaths"], "0")

    def test_a_client_that_gave_up_is_not_scanned_for(self):
        self.service(workers=1)
        [worker] = self.workers(1)
        os.kill(worker, signal.SIGSTOP)
        self.ask(mail(text_part())).close()
        os.kill(worker, signal.SIGCONT)
        self.eventually(lambda: self.scan.metric("mxfeed_scan_gone_clients_total") == 1,
                        "the count")

    def silent(self, count):
        """Clients that have connected and send nothing."""
        clients = []
        for _ in range(count):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.addCleanup(client.close)
            client.connect(self.path)
            clients.append(client)
        return clients

    def test_silent_clients_hold_no_worker(self):
        self.service(workers=2)
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        silent = self.silent(20)
        begin = time.monotonic()
        for _ in range(4):
            self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        # One after another they would take 40 seconds.
        self.assertLess(time.monotonic() - begin, 10)
        for client in silent:
            client.settimeout(20)
            self.assertEqual(client.recv(1), b"")
        self.eventually(
            lambda: self.scan.metric("mxfeed_scan_silent_clients_total") == len(silent),
            "the count")
        self.assertEqual(self.scan.metric("mxfeed_scan_bad_requests_total"), 0)

    def test_more_silent_clients_than_a_worker_keeps_do_no_harm(self):
        self.service(workers=1)
        self.silent(200)
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        self.assertEqual(self.scan.status()["worker_deaths"], "0")

    def test_a_client_that_hesitates_is_answered(self):
        self.service(workers=1)
        asked = Asked(self.path, mail(file_part(EICAR)), send=False)
        self.addCleanup(asked.close)
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        asked.send()
        self.assertEqual(asked.result(), ("infected", NAME))


class SocketTest(ServiceTestCase):
    """A socket that vanishes is bound again, without a load."""

    def restored(self):
        return self.scan.metric('mxfeed_sockets_restored_total{socket="scan"}')

    def test_a_removed_socket_is_bound_again_and_loses_no_request(self):
        self.service(workers=1)
        zygote, [worker] = self.zygote(), self.workers(1)
        slow = self.ask(slow_mail())
        self.scanning()
        waiting = [self.ask(mail(file_part(EICAR))) for _ in range(3)]
        os.unlink(self.path)
        self.eventually(lambda: os.path.exists(self.path), "the socket")
        self.assertEqual(self.check(mail(file_part(EICAR))), ("infected", NAME))
        self.assertIn(slow.result()[0], ("clean", "unscannable"))
        self.assertEqual([one.result() for one in waiting], [("infected", NAME)] * 3)
        self.eventually(lambda: not is_alive(worker), "the end of the old worker")
        self.assertEqual(self.zygote(), zygote)
        self.assertEqual(len(self.workers(1)), 1)
        status = self.scan.status()
        self.assertEqual((status["loads"], status["worker_deaths"], status["socket"],
                          status["sockets_restored"]), ("1", "0", "ok", "1"))
        self.assertEqual(self.restored(), 1)
        self.assertEqual(len(self.scan.log_lines("event=scan_socket", "bound again")), 1)

    def test_it_is_bound_again_as_often_as_it_vanishes(self):
        self.service()
        for count in range(1, 4):
            os.unlink(self.path)
            self.eventually(lambda: self.restored() == count, "the socket")
            self.assertEqual(self.check(mail(text_part())), ("clean", ""))

    def test_a_dead_socket_in_its_place_is_replaced(self):
        self.service()
        os.unlink(self.path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
            other.bind(self.path)
        self.eventually(lambda: self.restored() == 1, "the socket")
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))

    def test_a_zygote_that_loads_meanwhile_gets_the_new_socket(self):
        self.service()
        self.make_database(5)
        os.unlink(self.path)
        self.scan.ask("reload")
        self.eventually(lambda: self.scan.status()["loads"] == "2", "a new engine")
        self.eventually(lambda: self.restored() == 1, "the socket")
        self.assertEqual(self.check(mail(file_part(EICAR))), ("infected", NAME))

    def test_what_cannot_be_bound_is_said_and_tried_again(self):
        self.service()
        os.unlink(self.path)
        os.mkdir(self.path)
        self.eventually(lambda: self.scan.status()["socket"] == "missing", "the report")
        self.eventually(lambda: self.scan.log_lines("event=scan_socket", "fault"), "the log")
        os.rmdir(self.path)
        self.eventually(lambda: self.scan.status()["socket"] == "ok", "the socket")
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        self.assertEqual(len(self.scan.log_lines("event=scan_socket", "fault")), 1)


class MemoryTest(ServiceTestCase):
    """What a large message took is given back."""

    def resident(self, pids):
        """Their memory that is not shared, in MB."""
        pages = 0
        for pid in pids:
            fields = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
            pages += int(fields[1]) - int(fields[2])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def test_workers_are_small_again_after_a_large_mail(self):
        self.service(workers=1)
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        before = self.resident(self.workers(1))
        large = mail(text_part("x" * 70 + "\r\n"), file_part(os.urandom(22 << 20)))
        self.assertEqual(self.check(large), ("clean", ""))

        def is_small():
            try:
                return self.resident(self.workers(1)) < before + 48
            except OSError:
                return False  # one that has just ended
        self.eventually(is_small, "memory is given back")
        self.assertEqual(self.scan.status()["worker_deaths"], "0")

    def test_a_milter_is_small_again_after_a_large_mail(self):
        self.service(domains=daemons.feed("acme.example", greylist="false",
                                          spam="{ enabled = true }"))
        body = b"From: a@b.example\r\nSubject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 400_000
        for milter in (self.start("virus"), self.start("spam")):
            with self.subTest(milter.name):
                def send(message, milter=milter):
                    with self.mta(milter) as mta:
                        self.assertTrue(mta.mail("a@b.example").accepted)
                        self.assertTrue(mta.rcpt("info@acme.example").accepted)
                        self.assertTrue(mta.data().accepted)
                        self.assertTrue(mta.content(message).accepted)
                send(body[:1000])
                before = self.resident([milter.pid])
                send(body)
                self.eventually(lambda m=milter, b=before: self.resident([m.pid]) < b + 48,
                                "memory is given back")


if __name__ == "__main__":
    daemons.main()
