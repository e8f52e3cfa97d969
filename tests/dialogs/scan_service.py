# SPDX-License-Identifier: GPL-2.0-or-later
"""For the tests of mxfeed-scan: mails, requests, the running service."""

import base64
import binascii
import fcntl
import io
import os
import pathlib
import socket
import struct
import subprocess
import zipfile

import daemons

EICAR = (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-"
         b"ANTIVIRUS-TEST-FILE!$H+H*")
NAME = "Eicar-Test-Signature.UNOFFICIAL"
KINDS = ["program", "script", "shortcut", "macro", "disk-image", "html-smuggling"]
VERDICTS = ["clean", "infected", "unscannable", "encrypted", "error"]
REQUEST_MARK, RESULT_MARK = b"MXSQ", b"MXSR"


def field(tag, value):
    return struct.pack("<BH", tag, len(value)) + value


def request(size, lists_attachments=False):
    """The datagram that asks about a message of that size."""
    listed = field(2, b"\1") if lists_attachments else b""
    return REQUEST_MARK + field(1, struct.pack("<Q", size)) + listed


def fields_of(answer):
    assert answer.startswith(RESULT_MARK), answer
    fields, rest = {}, answer[len(RESULT_MARK):]
    while rest:
        tag, length = struct.unpack("<BH", rest[:3])
        fields[tag], rest = rest[3:3 + length], rest[3 + length:]
    return fields


def parse_result(answer):
    """(verdict, name) of a result."""
    fields = fields_of(answer)
    return VERDICTS[fields[1][0]], fields[2].decode("latin-1")


def parse_attachments(answer):
    """What a result lists; None if it lists nothing."""
    fields = fields_of(answer)
    if 6 not in fields:
        return None
    [bits] = struct.unpack("<I", fields[6])
    return {"kinds": [kind for i, kind in enumerate(KINDS) if bits >> i & 1],
            "suffixes": fields[7].decode("ascii").split("\0")[:-1],
            "has_more": fields[8] != b"\0"}


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


SLOW_ZIP = None


def slow_mail():
    """Takes the engine a second or so."""
    global SLOW_ZIP  # pylint: disable=global-statement
    if SLOW_ZIP is None:
        SLOW_ZIP = zipped(b"\0" * (60 << 20), count=6)
    return mail(file_part(SLOW_ZIP), file_part(os.urandom(16)))


class Asked:
    """A request under way; a sealed memfd, and the connection it was sent on."""

    def __init__(self, path, message, timeout=120.0, send=True, lists_attachments=False):
        self.lists_attachments = lists_attachments
        self.attachments = None
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
        socket.send_fds(self.socket, [request(self.size, self.lists_attachments)], [self.memfd])

    def result(self):
        """(verdict, name); ("none", "") if the connection ended without an answer."""
        try:
            answer = self.socket.recv(16384)
        except ConnectionError:
            answer = b""
        finally:
            self.close()
        if not answer:
            return "none", ""
        self.attachments = parse_attachments(answer)
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

    def configure(self, domains="", gateway="", keys="", **virus):
        settings = {"database": f'"{self.database}"', "workers": 2, **virus}
        lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
        self.apply(domains or daemons.feed("acme.example"), f"\n{gateway}\n[virus]\n{lines}", keys)

    def service(self, wait=True, arguments=(), wrapper=(), **configuration):
        self.configure(**configuration)
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

    def listed(self, message):
        """The result, and the attachments."""
        asked = Asked(self.path, message, lists_attachments=True)
        self.addCleanup(asked.close)
        return asked.result(), asked.attachments

    def zygote(self):
        return self.eventually(lambda: children(self.scan.pid), "a zygote")[0]

    def workers(self, count=2):
        def all_there():
            found = children(self.zygote())
            return found if len(found) == count else None
        return self.eventually(all_there, "all workers")

    def scanning(self):
        """The pid of the worker that scans slow_mail(), known by the size of what it unpacks: a
        proof of the engine unpacks little."""
        scratch = pathlib.Path(self.scan.status()["tmpdir"])

        def size(file):
            try:
                return file.stat().st_size
            except FileNotFoundError:
                return 0

        def busy():
            for worker in children(self.zygote()):
                if any(size(file) > 1 << 20 for file in (scratch / str(worker)).rglob("*")):
                    return worker
            return None
        return self.eventually(busy, "a scan")
